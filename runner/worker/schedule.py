"""In which order a submitted run is carried out, through any crash; what is done lies in `deeds`."""

from collections.abc import Mapping
from typing import Any

from runner.worker import deeds, durable
from runner.worker.deeds import PERSON, Came, Part

begin = durable.step("begin")(deeds.begin)
attempt = durable.step("attempt")(deeds.attempt)
await_person = durable.step("await_person")(deeds.await_person)
tell = durable.step("tell")(deeds.tell)
drop = durable.step("drop")(deeds.drop)
integrate = durable.step("integrate")(deeds.integrate)
end = durable.step("end")(deeds.end)


@durable.workflow("run")
def carry_out_run(run_id: str, folder: str) -> None:
    """Carry out all tasks of a run, those that wait for others after them, then merge what they did."""
    plan = begin(folder)
    parts = {part["worker"]: part for part in plan["parts"]}
    came = dict(plan["came"])
    under_way: dict[str, str] = {}
    while left := [name for name in parts if name not in came]:
        lost = [name for name in left if name not in under_way and _is_lost(parts[name], came)]
        if lost or any(one["state"] == "cancelled" for one in came.values()):
            dropped = drop(folder, [name for name in left if name not in under_way], lost)
            came |= dropped
            if dropped:  # others may wait for these
                continue
        busy = sum(parts[name]["program"] != PERSON for name in under_way)
        for name in (name for name in left if name not in under_way and _is_ready(parts[name], came)):
            program = parts[name]["program"]
            if program != PERSON and busy >= plan["at_once"]:
                continue
            busy += program != PERSON
            under_way[name] = f"{run_id}/{name}"
            durable.start(wait_for_person if program == PERSON else carry_out_session, under_way[name], folder, name)
        if under_way:
            workflow_id, result = durable.first_of(list(under_way.values()))
            name = next(one for one, known in under_way.items() if known == workflow_id)
            came[name] = result
            del under_way[name]
    integrate(folder)
    end(folder)


@durable.workflow("session")
def carry_out_session(folder: str, worker: str) -> Came:
    """Carry out one task; where a usage limit stops it, sleep until that is reset and go on with the same session."""
    while (came := attempt(folder, worker))["pause_s"] > 0:
        durable.sleep_until_woken(came["pause_s"])
    tell(folder, worker)
    return came


@durable.workflow("person")
def wait_for_person(folder: str, worker: str) -> Came:
    """Wait for a task that a person does."""
    return await_person(folder, worker)


def _is_ready(part: Part, came: Mapping[str, Came]) -> bool:
    return all(name in came for name in part["after"])


def _is_lost(part: Part, came: Mapping[str, Any]) -> bool:
    return any(name in came and came[name]["state"] != "succeeded" for name in part["after"])
