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
from runner.checkout.checks import Check
from runner.checkout.worktree import Diff
from runner.errors import Busy
from runner.lock import locked
from runner.merging.integration import Conflict
from runner.runs.archive import Archive
from runner.runs.state import WORKFLOW_FILE, State
from runner.storage import write_whole
from runner.workflows.errors import PhaseFailed, RunUnknown
from runner.workflows.model import Kind, Phase, Workflow

Verdict = Literal["accept", "rework", "reject"]
LOOKED_AT_S = 0.2
"""Who only looks whether a run is held holds it for a moment too."""


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
    SKIPPED = "skipped"
    """Left out, as the user said."""


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
    tmux: bool = False
    """Phases with a person have windows of tmux, which go on when the terminal is closed."""
    brief: str = ""
    """What all sessions are told beside their tasks: an agent file's instructions."""
    design: str = ""
    """Where in the memory its design was taken from; empty where it makes its own."""
    timeout_s: float | None = None
    max_cost_usd: float | None = None
    workers: int | None = None
    phases: Mapping[str, PhaseState] = Field(default_factory=dict)
    round: int = 1
    notes: str = ""
    """What the last review wants changed."""
    unmerged: tuple[Conflict, ...] = ()
    """Conflicts of earlier rounds that nobody has resolved."""
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
        return self.model_copy(update={"phases": {**self.phases, phase.name: self.of(phase).model_copy(update=facts)}})

    def put_job(self, phase: Phase, job: Job) -> Self:
        """The same with a job of a phase changed."""
        return self.put(phase, jobs=tuple(job if one.worker == job.worker else one for one in self.of(phase).jobs))

    def again(self, phase: Phase) -> Self:
        """The same with a phase and all after it still to be done; what of it is in conflict stays known."""
        after = {one.name for one in self.workflow.phases if phase in self.workflow.before(one)} | {phase.name}
        kept = {name: told for name, told in self.phases.items() if name not in after}
        left = [one for name, told in self.phases.items() if name in after for one in told.conflicts]
        return self.model_copy(update={"phases": kept, "verdict": None, "unmerged": (*self.unmerged, *left)})

    def sits(self, phase: Phase) -> bool:
        """True where a person has the phase."""
        return phase.interactive and self.interactive

    def is_passed(self, phase: Phase) -> bool:
        """True where what comes after the phase may begin."""
        stand = self.of(phase).stand
        lenient = phase.on_failure == "continue" and phase.kind is not Kind.WORK
        return stand in {Stand.DONE, Stand.SKIPPED} or (stand is Stand.FAILED and lenient)

    @property
    def conflicts(self) -> list[Conflict]:
        """All conflicts that stand."""
        return [*self.unmerged, *(conflict for phase in self.phases.values() for conflict in phase.conflicts)]


@dataclass(frozen=True)
class Ledger:
    """The file that holds a run's state."""

    path: Path

    @classmethod
    def of(cls, archive: Archive, run_id: str) -> Self:
        """The ledger of a run."""
        return cls(archive.folder / "runs" / run_id / WORKFLOW_FILE)

    @classmethod
    def find(cls, archive: Archive, run: str) -> Self:
        """The ledger of the run whose id begins so; raises `RunUnknown`."""
        found = sorted(
            path for path in (archive.folder / "runs").glob(f"*/{WORKFLOW_FILE}") if path.parent.name.startswith(run)
        )
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

    @property
    def is_held(self) -> bool:
        """True while a runner carries this run out."""
        lock = self.path.with_name("workflow.lock")
        try:
            with locked(lock, wait_s=0):
                return False
        except Busy:
            return True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only runner that carries this run out; raises `Busy` where another one does."""
        lock = self.path.with_name("workflow.lock")
        try:
            with locked(lock, wait_s=LOOKED_AT_S):
                yield
        except Busy as error:
            if error.lock != str(lock):
                raise
            raise Busy(f"run {self.path.parent.name}", 0) from error
