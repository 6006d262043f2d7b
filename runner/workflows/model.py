"""A workflow as it is carried out, whichever way its file spells it: phases, who works in them, and in what order."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*$", max_length=40)]
"""A word that is good for a branch, a folder and a key: letters and digits, with single `-` or `_` between."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=8000, strip_whitespace=True)]
Seat = Literal["claude-code", "codex"]
"""A platform that one phase runs on."""
Topology = Literal[
    "hierarchical", "mesh", "hierarchical-mesh", "ring", "star", "hybrid", "adaptive", "pheromone-adaptive"
]
OnFailure = Literal["stop", "continue", "retry"]
SEATS: tuple[str, ...] = get_args(Seat)
TOPOLOGIES: tuple[str, ...] = get_args(Topology)
MOST_WORKERS = 50
"""In one phase."""
MOST_PHASES = 50
MOST_ROUNDS = 10


class Kind(StrEnum):
    """What a phase is for."""

    DESIGN = "design"
    """One session thinks; what it designs goes to the later phases."""
    WORK = "work"
    """Headless sessions work in parallel, each on a branch of its own; the branches are merged afterwards."""
    REVIEW = "review"
    """One session looks at the merged work and accepts it, sends it back, or rejects it."""


class Part(BaseModel):
    """Base of everything in a workflow: nothing unknown is taken, nothing changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Limits(Part):
    """What the sessions of a phase may use; what is left out is as the runner's settings say."""

    timeout_s: Annotated[float, Field(gt=0)] | None = None
    """Longest that a headless session may run, in seconds."""
    silence_s: Annotated[float, Field(gt=0)] | None = None
    """Longest that it may print nothing, in seconds."""
    max_cost_usd: Annotated[float, Field(gt=0)] | None = None
    """Most that one session may cost; only programs that report a cost keep to it."""
    at_once: Annotated[int, Field(ge=1, le=MOST_WORKERS)] | None = None
    """Sessions at the same time."""


class Worker(Part):
    """One headless session of a phase."""

    name: Name
    role: Name
    task: Text | None = None
    """Its own task; None: its share of the design's list."""

    @property
    def result_key(self) -> str:
        """Where its result lies in the namespace `results`."""
        return f"result-{self.name}"


class Phase(Part):
    """One step of a workflow."""

    name: Name
    kind: Kind
    platform: Seat
    interactive: bool
    tasks: tuple[Text, ...] = ()
    """What is to be done in it, said to every session."""
    workers: tuple[Worker, ...] = ()
    limits: Limits = Limits()
    checks: tuple[Text, ...] = ()
    """Shell commands that run on the merged work; what they print goes to the review."""
    on_failure: OnFailure = "stop"
    after: tuple[Name, ...] = ()
    """Phases that must be done before."""


class Workflow(Part):
    """Phases in an order in which each comes after those that it needs."""

    name: Name
    description: str = ""
    phases: tuple[Phase, ...]
    topology: Topology | None = None
    roles: Mapping[str, str] = Field(default_factory=dict)
    """Every role in it, with what it does."""
    variables: Mapping[str, str | None] = Field(default_factory=dict)
    """Own variables with their values; None has to be given at the start."""
    rework_rounds: int = 2
    """How often a review may send the work back."""

    def phase(self, name: str) -> Phase:
        """The phase of this name."""
        return next(phase for phase in self.phases if phase.name == name)

    def before(self, phase: Phase) -> Iterator[Phase]:
        """All phases that `phase` needs, directly or not, in the order of the workflow."""
        needed = set(phase.after)
        for other in reversed(self.phases):
            if other.name in needed:
                needed.update(other.after)
        return (other for other in self.phases if other.name in needed)

    def workers(self) -> Iterator[Worker]:
        """All workers of all phases."""
        return (worker for phase in self.phases for worker in phase.workers)
