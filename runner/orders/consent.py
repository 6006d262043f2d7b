"""What may be started now: some tasks need a person to be there, and unsure decisions need their word."""

from dataclasses import replace
from typing import TYPE_CHECKING

from router.labels import Mode
from runner.runs.records import Closed
from runner.runs.run import Run
from runner.tasks.plan import KEYS, Planned
from runner.terminal.terminal import ask

if TYPE_CHECKING:
    from router.client import Routing

HYBRID_NOTE = "its design needs a person at a terminal; `runner coordinate --no-interactive` does without"


def agree(planned: Planned, run: Run, routing: "Routing", *, person: bool, yes: bool) -> Planned | Closed:
    """Return the task as it is to be started, or what became of it where it isn't to be started now.

    `person` says that somebody is at the terminal, `yes` that they do not want to be asked.
    """
    if planned.mode is Mode.HYBRID and (yes or not person):
        return run.put_off(planned, HYBRID_NOTE)
    if planned.mode is Mode.INTERACTIVE and not person:
        return run.put_off(planned, "needs a person at a terminal")
    if yes or not planned.decision.needs_confirmation:
        return planned
    if not person:
        return run.put_off(planned, f"the router is unsure ({planned.decision.reason}); --yes starts it all the same")
    return _ask(planned, run, routing)


def _ask(planned: Planned, run: Run, routing: "Routing") -> Planned | Closed:
    others = {key: f"rather {other}" for key, other in KEYS.items() if other != planned.decision.platform}
    question = f"{planned.worker}: {planned.decision.platform}? {planned.decision.reason}"
    key = ask(question, {"y": "yes", **others, "n": "no"}, run.stop)
    if key in others:
        return replace(planned, decision=routing.route(planned.task, run.context(), KEYS[key]))
    return planned if key == "y" else run.drop(planned, "not confirmed")
