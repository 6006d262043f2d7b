"""Workflow files as people write them: what all have in common, and a list of phases."""

from typing import Annotated, Self

from pydantic import Field, model_validator

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
