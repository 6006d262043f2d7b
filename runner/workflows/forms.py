"""Workflow files as people write them: a list of phases, or a list of steps in either of two spellings."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, TypeAdapter, model_validator

from runner.workflows.model import (
    MOST_PHASES,
    MOST_ROUNDS,
    MOST_WORKERS,
    Kind,
    Limits,
    Name,
    OnFailure,
    Part,
    Seat,
    Text,
    Topology,
)

Workers = Annotated[int, Field(ge=1, le=MOST_WORKERS)]


class Header(Part):
    """What a file may say before its phases or steps."""

    name: Name | None = None
    """How it is called by `--workflow`; without it, the file's name."""
    description: str = ""
    """A line for `runner workflows list`."""
    roles: dict[Name, Text] = Field(default_factory=dict)
    """Roles of its own, each with a sentence that tells the worker what it does."""
    variables: dict[Name, str | int | float | None] = Field(default_factory=dict)
    """Variables of its own with their values; null has to be given by `--var NAME=VALUE`."""
    rework_rounds: Annotated[int, Field(ge=0, le=MOST_ROUNDS)] = 2
    """How often a review may send the work back."""


class WorkerForm(Part):
    """One worker, or several alike."""

    type: Name | None = None
    """Its role: coder, tester, docs, …; a number may follow, as in coder-1."""
    role: Name | None = None
    """The same as `type`; one of both is needed."""
    count: Workers = 1
    """How many of them."""
    task: Text | None = None
    """Its own task; without it, its share of the design's list."""

    @model_validator(mode="after")
    def _has_one_role(self) -> Self:
        if (self.type is None) == (self.role is None):
            raise ValueError("a worker has a `type` or a `role`, one of both")
        return self

    @property
    def word(self) -> str:
        """The role, as it was written."""
        return self.role or self.type or ""


class PhaseForm(Part):
    """A phase."""

    phase: Name
    """Its name."""
    kind: Kind | None = None
    """What it is for; without it: work where it has workers or runs on codex, else design before work, review after."""
    platform: Seat | None = None
    """Who does it: claude-code, or codex. Without it, codex where it has workers."""
    interactive: bool | None = None
    """True: a person sits with the session. Without it, where it runs on claude-code without workers."""
    parallel: bool | None = None
    """False: its workers come one after the other."""
    tasks: tuple[Text, ...] = ()
    """What is to be done; without workers and with `parallel`, one worker for each."""
    workers: tuple[WorkerForm, ...] = Field(default=(), max_length=MOST_WORKERS)
    limits: Limits = Limits()
    checks: tuple[Text, ...] = ()
    """Shell commands that run on the merged work."""
    on_failure: OnFailure | None = None
    """stop (a design, a review), continue with what there is (work), or retry once and then stop."""
    after: tuple[Name, ...] | Name | None = None
    """Phases that must be done before; without it, the one above."""


class PhasesFile(Header):
    """A workflow as a list of phases."""

    phases: list[PhaseForm] = Field(min_length=1, max_length=MOST_PHASES)
    topology: Topology | None = None
    checks: tuple[Text, ...] = ()
    """Checks of every phase of work."""


class Swarm(Part):
    """What a swarm is made with."""

    topology: Topology | None = None
    maxAgents: Workers | None = None  # noqa: N815 the seed's spelling
    """Sessions at the same time."""
    strategy: Literal["balanced", "specialized", "adaptive"] | None = None
    """Taken, not used."""


class InitAction(Part):
    """`action: swarm_init`."""

    action: Literal["swarm_init"]
    args: Swarm = Swarm()


class SpawnAction(Part):
    """`action: spawn_headless`."""

    action: Literal["spawn_headless"]
    name: Name | None = None
    workers: tuple[WorkerForm, ...] = Field(min_length=1, max_length=MOST_WORKERS)
    platform: Seat | None = None
    limits: Limits = Limits()
    checks: tuple[Text, ...] = ()
    on_failure: OnFailure | None = None


class WaitAction(Part):
    """`action: wait_all`, and the step that tells the results."""

    action: Literal["wait_all", "aggregate_results"]


class SitAction(Part):
    """`action: interactive_review` or `interactive_design`."""

    action: Literal["interactive_review", "interactive_design"]
    name: Name | None = None
    platform: Seat | None = None
    tasks: tuple[Text, ...] = ()
    on_failure: OnFailure | None = None


class InitStep(Part):
    """`swarm_init: {…}`."""

    swarm_init: Swarm


class SpawnWorkersStep(Part):
    """`spawn_workers: [{type, count}]`."""

    spawn_workers: tuple[WorkerForm, ...] = Field(min_length=1, max_length=MOST_WORKERS)


class SpawnStep(Part):
    """`spawn: ROLE` or `spawn: [ROLE, …]`."""

    spawn: Name | Annotated[list[Name], Field(min_length=1, max_length=MOST_WORKERS)]


class WaitStep(Part):
    """`wait_for: LABEL`: what was spawned before is called so and has to be done first."""

    wait_for: Name


WORDS = ("wait_for_completion", "wait_all", "aggregate_results")
ACTIONS = {
    "swarm_init": InitAction, "spawn_headless": SpawnAction, "wait_all": WaitAction, "aggregate_results": WaitAction,
    "interactive_review": SitAction, "interactive_design": SitAction,
}  # fmt: skip
STEPS = {"swarm_init": InitStep, "spawn_workers": SpawnWorkersStep, "spawn": SpawnStep, "wait_for": WaitStep}


def _spelling(step: Any) -> str | None:
    if isinstance(step, str):
        return "word"
    if not isinstance(step, dict):
        return None
    if "action" in step:
        return f"action {step['action']}" if step["action"] in ACTIONS else None
    return next((f"step {key}" for key in step if key in STEPS), None)


Step = Annotated[
    Annotated[InitAction, Tag("action swarm_init")]
    | Annotated[SpawnAction, Tag("action spawn_headless")]
    | Annotated[WaitAction, Tag("action wait_all")]
    | Annotated[WaitAction, Tag("action aggregate_results")]
    | Annotated[SitAction, Tag("action interactive_review")]
    | Annotated[SitAction, Tag("action interactive_design")]
    | Annotated[InitStep, Tag("step swarm_init")]
    | Annotated[SpawnWorkersStep, Tag("step spawn_workers")]
    | Annotated[SpawnStep, Tag("step spawn")]
    | Annotated[WaitStep, Tag("step wait_for")]
    | Annotated[Literal["wait_for_completion", "wait_all", "aggregate_results"], Tag("word")],
    Discriminator(_spelling, custom_error_type="step", custom_error_message="no step is spelt like this"),
]


class StepsFile(Header):
    """A workflow as a list of steps."""

    steps: list[Step] = Field(min_length=1, max_length=4 * MOST_PHASES)
    checks: tuple[Text, ...] = ()
    """Checks of everything that is spawned."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of workflow files, for editors."""
    schema = TypeAdapter(PhasesFile | StepsFile).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "dual-orchestrator workflow", **schema}
