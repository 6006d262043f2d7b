"""How far a workflow has come, written to disk after every change so that it goes on where it stood.

<data folder>/repositories/<name>-<digest>/runs/<run>/workflow.json
                                                      workflow.lock   held by the runner that carries it out
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from router.schemas import Decision
from runner.errors import Busy
from runner.lock import locked
from runner.records import Archive, State
from runner.storage import write_whole
from runner.workflows.errors import PhaseFailed, RunUnknown
from runner.workflows.model import Phase, Workflow
from runner.worktree import Diff

Verdict = Literal["accept", "rework", "reject"]
FILE = "workflow.json"


class Stand(StrEnum):
    """Where a phase, or the whole, stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"
    """It needs a person, and none was there."""
    CANCELLED = "cancelled"
    """Stopped; `runner resume` goes on."""
    REJECTED = "rejected"


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True)


class Job(_Written):
    """What one worker has to do in the current round, and what came of it."""

    worker: str
    share: tuple[str, ...]
    state: State | None = None
    """None: not begun, or not ended."""
    reason: str = ""
    session: str = ""
    """Name of its latest session, as `runner logs` takes it."""
    branch: str | None = None
    commit: str | None = None
    diff: Diff | None = None


class Conflict(_Written):
    """A branch that could not be merged; it is still there."""

    worker: str
    branch: str
    files: tuple[str, ...]
    sides: str
    """Both sides, as git shows them."""


class Check(_Written):
    """What a check of the merged work said."""

    command: str
    passed: bool
    output: str


class PhaseState(_Written):
    """Where a phase stands in the current round."""

    stand: Stand = Stand.PENDING
    reason: str = ""
    since: datetime | None = None
    jobs: tuple[Job, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    checks: tuple[Check, ...] = ()


class RunState(_Written):
    """A workflow under way."""

    run_id: str
    task: str
    slug: str
    workflow: Workflow
    variables: Mapping[str, str]
    decision: Decision
    base: str
    base_name: str
    cwd: Path
    interactive: bool
    """False: phases with a person run headless."""
    timeout_s: float | None = None
    max_cost_usd: float | None = None
    workers: int | None = None
    phases: Mapping[str, PhaseState] = Field(default_factory=dict)
    round: int = 1
    notes: str = ""
    """What the last review wants changed."""
    tip: str | None = None
    """The commit that holds all merged work; None where nothing was merged yet."""
    verdict: Verdict | None = None
    stand: Stand = Stand.RUNNING
    reason: str = ""

    def of(self, phase: Phase) -> PhaseState:
        """Where a phase stands."""
        return self.phases.get(phase.name, PhaseState())

    def put(self, phase: Phase, **facts: Any) -> Self:
        """The same with a phase changed."""
        changed = self.of(phase).model_copy(update=facts)
        return self.model_copy(update={"phases": {**self.phases, phase.name: changed}})

    def put_job(self, phase: Phase, job: Job) -> Self:
        """The same with a job of a phase changed."""
        jobs = tuple(job if one.worker == job.worker else one for one in self.of(phase).jobs)
        return self.put(phase, jobs=jobs)

    @property
    def conflicts(self) -> list[Conflict]:
        """All conflicts that stand."""
        return [conflict for phase in self.phases.values() for conflict in phase.conflicts]


@dataclass(frozen=True)
class Ledger:
    """The file that holds a run's state."""

    path: Path

    @classmethod
    def of(cls, archive: Archive, run_id: str) -> Self:
        """The ledger of a run."""
        return cls(archive.folder / "runs" / run_id / FILE)

    @classmethod
    def find(cls, archive: Archive, run: str) -> Self:
        """The ledger of the run whose id begins so; raises `RunUnknown`."""
        found = sorted(path for path in (archive.folder / "runs").glob(f"*/{FILE}") if path.parent.name.startswith(run))
        if len(found) != 1:
            raise RunUnknown(run, [path.parent.name for path in found])
        return cls(found[0])

    def read(self) -> RunState:
        """How far the run has come; raises `PhaseFailed` where the file is damaged."""
        try:
            return RunState.model_validate_json(self.path.read_bytes())
        except (OSError, ValueError) as error:
            raise PhaseFailed("all", f"{self.path} can't be read; start the workflow anew") from error

    def write(self, state: RunState) -> None:
        """Keep the state; raises `StorageUnavailable`."""
        write_whole(self.path, state.model_dump_json(indent=2))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only runner that carries this run out; raises `Busy` where another one does."""
        lock = self.path.with_name("workflow.lock")
        try:
            with locked(lock, wait_s=0):
                yield
        except Busy as error:
            if error.lock != str(lock):
                raise
            raise Busy(f"run {self.path.parent.name}", 0) from error
