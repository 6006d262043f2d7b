"""Workflow files as people write them: a list of steps, in either of two spellings."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from runner.workflows.forms import Header, WorkerForm, Workers
from runner.workflows.model import MOST_PHASES, MOST_WORKERS, Limits, Name, OnFailure, Part, Seat, Text, Topology


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
        action = step["action"]
        return f"action {action}" if isinstance(action, str) and action in ACTIONS else None
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
