"""A task of a run as it is written down: before it starts, after it ended, and where it stands now."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from router.labels import Platform
from router.schemas import Decision
from runner.census import is_alive
from runner.checkout.worktree import Diff
from runner.runs.executor import is_running
from runner.runs.state import State
from runner.sessions.attempt import is_supervised


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True)


class Record(_Written):
    """A task before its start."""

    run_id: str
    worker: str
    task: str
    decision: Decision
    program: str
    session_id: str
    """Marks the processes; also Claude's own id of the session."""
    command: str
    """The exact command; of a waiting task, the one to run later."""
    cwd: Path
    branch: str | None = None
    """The worker's own branch; None where there is no worktree."""
    base: str | None = None
    """The commit it starts from."""
    base_name: str | None = None
    """What that commit was called at the start."""
    after: tuple[str, ...] = ()
    """The workers whose success it waits for; it starts from what they did."""
    brief: str = ""
    """What it is told beside the task: an agent file's instructions."""
    submitted: bool = False
    """True where the worker process carries it out, whoever submitted it."""
    started_at: datetime
    runner_pid: int
    runner_started: float


class Ending(_Written):
    """What came of a task."""

    status: State
    reason: str
    ended_at: datetime
    exit_code: int | None = None
    vendor_session: str | None = None
    """The program's own id of the session, by which it can be resumed."""
    message: str = ""
    """The last thing the agent said."""
    wall_s: float | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    turns: int | None = None
    retries: int = 0
    attempts: int = 1
    """How often its program was started."""
    resets_at: datetime | None = None
    """When a usage limit is reset; only where that is why it ended."""
    accepted: bool | None = None
    """The user's verdict; None where nobody gave one."""
    better: Platform | None = None
    """The platform that the user says it should have been."""
    commit: str | None = None
    """Tip of the branch; None where nothing was, or could be, committed."""
    diff: Diff | None = None


@dataclass(frozen=True)
class Entry:
    """A task as the disk knows it."""

    folder: Path
    record: Record
    ending: Ending | None

    @property
    def state(self) -> State:
        """Where the task stands now."""
        if self.ending:
            return self.ending.status
        if self.record.submitted and not (self.folder / "attempt-1").exists():
            return State.QUEUED if self._is_open() else State.INTERRUPTED
        return State.RUNNING if self._is_followed() or is_supervised(self.folder) else State.INTERRUPTED

    @property
    def reason(self) -> str:
        """Why it stands there; empty while it runs."""
        return self.ending.reason if self.ending else ""

    def _is_open(self) -> bool:
        """True where the worker has to do with the run, or will have."""
        run = self.folder.parent
        return (run / "submission.json").exists() and not (run / "ended.json").exists()

    def _is_followed(self) -> bool:
        if self.record.submitted:
            return self._is_open() and is_running(self.folder.parents[4])
        return is_alive(self.record.runner_pid, self.record.runner_started)


@dataclass(frozen=True)
class Closed(Entry):
    """A task that is done with."""

    ending: Ending
