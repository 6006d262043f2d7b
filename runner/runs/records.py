"""What a run writes down: each task before it starts and after it ended, in files that people can read.

<data folder>/repositories/<name>-<digest>/lock
                                           worktrees/<run>-<worker>/
                                           runs/<run>/<worker>/run.json       before the start
                                                               prompt.txt     the task
                                                               output.jsonl   what the program printed
                                                               stderr.txt
                                                               exit.json      after the end
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict

from router.labels import Platform
from router.schemas import Decision
from runner.census import is_alive
from runner.checkout.moved import follow_move
from runner.checkout.repository import Repository
from runner.checkout.worktree import Diff
from runner.runs.executor import is_running
from runner.runs.state import STOPPED, State
from runner.sessions.attempt import is_supervised
from runner.storage import write_whole
from runner.tasks.plan import with_brief

__all__ = ["STOPPED", "Archive", "Closed", "Ending", "Entry", "Record", "State"]
_M = TypeVar("_M", "Record", "Ending")


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


@dataclass(frozen=True)
class Archive:
    """All runs of one repository."""

    folder: Path

    @classmethod
    def of(cls, repository: Repository, data_folder: Path) -> Self:
        """Name the repository's folder; nothing is made yet, unless the repository was moved."""
        folder = data_folder / "repositories" / repository.key
        if not folder.exists():
            follow_move(repository, folder)
        return cls(folder)

    @property
    def lock(self) -> Path:
        """Held while a worktree is made."""
        return self.folder / "lock"

    def worktree(self, run_id: str, worker: str) -> Path:
        """Where a worker's checkout lies; git calls it by the last part, which must be its own."""
        return self.folder / "worktrees" / f"{run_id}-{worker}"

    def session(self, run_id: str, worker: str) -> Path:
        """Where a worker's files lie."""
        return self.folder / "runs" / run_id / worker

    def begin(self, record: Record, *, flush: bool = True) -> Path:
        """Write a task down before it starts; returns its folder. Without `flush`, the caller sees to the disk."""
        folder = self.session(record.run_id, record.worker)
        prompt = with_brief(record.task, record.brief) if record.branch else record.task  # a person's is told otherwise
        write_whole(folder / "prompt.txt", prompt, flush=flush)
        write_whole(folder / "run.json", record.model_dump_json(indent=2), flush=flush)
        return folder

    def end(self, record: Record, ending: Ending) -> None:
        """Write down what came of a task."""
        folder = self.session(record.run_id, record.worker)
        write_whole(folder / "exit.json", ending.model_dump_json(indent=2))

    def close(self, record: Record, status: State, reason: str, **facts: object) -> "Closed":
        """Write down what came of a task, `facts` being those of an `Ending`; raises `StorageUnavailable`."""
        ending = Ending.model_validate({"status": status, "reason": reason, "ended_at": datetime.now(UTC), **facts})
        self.end(record, ending)
        return Closed(self.session(record.run_id, record.worker), record, ending)

    def entry(self, run_id: str, worker: str) -> Entry | None:
        """A task that was written down; None where it was not, or can't be read."""
        return _entry(self.session(run_id, worker))

    def entries(self, run_id: str = "") -> list[Entry]:
        """All tasks of runs whose ids begin so, run by run, in their order; what can't be read is left out."""
        paths = (self.folder / "runs").glob(f"{run_id}*/*/run.json")
        found = [entry for path in paths if (entry := _entry(path.parent))]
        return sorted(found, key=_place)


def _place(entry: Entry) -> tuple[str, int, datetime]:
    number = entry.record.worker.partition("-")[0]
    return entry.record.run_id, int(number) if number.isdecimal() else 0, entry.record.started_at


def _entry(folder: Path) -> Entry | None:
    record, ending = _read(folder / "run.json", Record), _read(folder / "exit.json", Ending)
    if record is None:
        return None
    return Closed(folder, record, ending) if ending else Entry(folder, record, None)


def _read(path: Path, kind: type[_M]) -> _M | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None
