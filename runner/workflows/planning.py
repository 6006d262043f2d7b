"""The step that cuts a design without a list of tasks into parts: one session, whose answer has a form."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field, ValidationError

from runner.agents.events import Event, Message
from runner.agents.jsonl import read_object
from runner.agents.protocol import Agent, Session
from runner.merging.integration import cut
from runner.process import Command
from runner.runs.records import Closed, Entry
from runner.runs.state import State
from runner.workflows.design import tasks_of
from runner.workflows.model import MOST_WORKERS, Kind, Part, Phase, Text, Worker
from runner.workflows.prompts import LONGEST_DESIGN, plan_key
from runner.workflows.site import SHARED, Site, in_round, once
from runner.workflows.state import PhaseState, RunState

SCHEMA = Path(__file__).with_name("plan.schema.json")
"""The form of the answer, as both programs take it."""
SESSION = "plan"
FAILED_NOTE = "no plan ({reason}): the work is shared out as it stands"
PROMPT = """Plan who does what: {task}

Cut this work into at most {most} parts that can be done at the same time, each touching files of its own. Change
nothing and write no code. The workers:
{workers}

{design}

Answer with one JSON object and nothing else: {{"tasks": [{{"task": "…", "role": "…"}}]}}. A task is a sentence that
stands alone; its role is one of {roles}, or null for whoever implements.
"""
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


class PlannedTask(Part):
    """One part of the work."""

    task: Text
    role: str | None = None


class Plan(Part):
    """What the planner answers."""

    tasks: tuple[PlannedTask, ...] = Field(min_length=1, max_length=4 * MOST_WORKERS)

    def points(self, roles: Sequence[str]) -> list[str]:
        """The tasks as a list that names who each is for."""
        return [f"{one.role}: {one.task}" if one.role in roles else one.task for one in self.tasks]


@dataclass(frozen=True)
class Planner:
    """An agent whose answer is held to the form where its program can do so."""

    inner: Agent

    @property
    def name(self) -> str:
        """That of the program."""
        return self.inner.name

    @property
    def reports_cost(self) -> bool:
        """As the program does."""
        return self.inner.reports_cost

    @property
    def limits_turns(self) -> bool:
        """As the program does."""
        return self.inner.limits_turns

    def command(self, session: Session) -> Command:
        """The program's command with the form added."""
        command = self.inner.command(session)
        return replace(command, argv=_held(self.name, command.argv))

    def resume(self, session: Session, vendor_id: str) -> Command:
        """The program's own; the prompt, which the conversation holds, asks for the form too."""
        return self.inner.resume(session, vendor_id)

    def parse(self, line: str) -> list[Event]:
        """What the line tells; Claude's answer in the form is what it said last."""
        answer = read_object(line).get("structured_output")
        told: list[Event] = [] if answer is None else [Message(json.dumps(answer, ensure_ascii=False))]
        return [*self.inner.parse(line), *told]


def planned(site: Site, state: RunState, phase: Phase, design: str, workers: Sequence[Worker]) -> list[str]:
    """Have the design, or the task, cut into parts, once for all phases; empty where that fails, which is noted."""
    designed = [one for one in state.workflow.before(phase) if one.kind is Kind.DESIGN]
    since = state.of(designed[-1]) if designed else PhaseState()
    with site.planning:
        kept = site.stored(plan_key(state), SHARED, since)
        if kept is None:
            plan, problem = _asked(site, state, phase, design, workers)
            if plan is None:
                site.run.progress.note(FAILED_NOTE.format(reason=problem))
                return []
            kept = {"tasks": plan.points(list(state.workflow.roles))}
            site.store(plan_key(state), kept, SHARED)
    return tasks_of(kept)


def read_plan(message: str) -> tuple[Plan | None, str]:
    """The plan in what a session said last; None, and why, where there is none."""
    found = _OBJECT.search(message)
    try:
        return Plan.model_validate_json(found[0] if found else message), ""
    except ValidationError as error:
        return None, f"the answer is no plan: {error.errors()[0]['msg']}"


def _asked(
    site: Site, state: RunState, phase: Phase, design: str, workers: Sequence[Worker]
) -> tuple[Plan | None, str]:
    crew = "\n".join(f"- {one.name} ({one.role}): {state.workflow.roles.get(one.role, '')}" for one in workers)
    prompt = PROMPT.format(
        task=state.task, most=2 * len(workers), workers=crew, roles=", ".join({one.role: "" for one in workers}),
        design=f"The design:\n\n{cut(design, LONGEST_DESIGN)}" if design else "There is no design beside the task.",
    )  # fmt: skip
    planner = Planner(site.agent(phase.platform))

    def begin(name: str, _: Entry | None) -> Closed:
        return site.have(site.headless(state, name, prompt, planner, SESSION), site.under(phase, state.tip))

    closed = once(site, in_round(SESSION, state), state.of(phase), begin)
    return read_plan(closed.ending.message) if closed.state is State.SUCCEEDED else (None, closed.reason)


def _held(program: str, argv: tuple[str, ...]) -> tuple[str, ...]:
    if program == "claude":
        return (*argv, "--json-schema", json.dumps(json.loads(SCHEMA.read_bytes())))
    return (*argv[:-1], "--output-schema", str(SCHEMA), *argv[-1:]) if program == "codex" else argv
