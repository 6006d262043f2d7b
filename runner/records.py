"""What a run writes down: each task before it starts and after it ended, in files that people can read.

<data folder>/repositories/<name>-<digest>/lock
                                           worktrees/<run>-<worker>/
                                           runs/<run>/<worker>/run.json       before the start
                                                               prompt.txt     the task
                                                               output.jsonl   what the program printed
                                                               stderr.txt
                                                               exit.json      after the end
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict

from router.labels import Platform, Status
from router.schemas import Decision
from runner.process import is_alive
from runner.repository import Repository
from runner.storage import write_whole
from runner.worktree import Diff

_M = TypeVar("_M", "Record", "Ending")


class State(StrEnum):
    """Where a task stands: how it ended, or why it has not."""

    SUCCEEDED = Status.SUCCEEDED
    FAILED = Status.FAILED
    TIMED_OUT = Status.TIMED_OUT
    STALLED = Status.STALLED
    CANCELLED = Status.CANCELLED
    REJECTED = Status.REJECTED
    WAITING = "waiting"
    """It needs a person, and none was there: its command is to be run later."""
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    """Its runner was killed; the next run in the repository settles it."""


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
        alive = is_alive(self.record.runner_pid, self.record.runner_started)
        return State.RUNNING if alive else State.INTERRUPTED

    @property
    def reason(self) -> str:
        """Why it stands there; empty while it runs."""
        return self.ending.reason if self.ending else ""


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
        """Name the repository's folder; nothing is made yet."""
        digest = hashlib.sha256(str(repository.common_dir).encode(errors="surrogateescape")).hexdigest()[:10]
        return cls(data_folder / "repositories" / f"{repository.name}-{digest}")

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

    def begin(self, record: Record) -> Path:
        """Write a task down before it starts; returns its folder."""
        folder = self.session(record.run_id, record.worker)
        write_whole(folder / "prompt.txt", record.task)
        write_whole(folder / "run.json", record.model_dump_json(indent=2))
        return folder

    def end(self, record: Record, ending: Ending) -> None:
        """Write down what came of a task."""
        folder = self.session(record.run_id, record.worker)
        write_whole(folder / "exit.json", ending.model_dump_json(indent=2))

    def entries(self) -> list[Entry]:
        """All tasks written down, run by run, the oldest first; what can't be read is left out."""
        found = [
            Entry(path.parent, record, _read(path.with_name("exit.json"), Ending))
            for path in (self.folder / "runs").glob("*/*/run.json")
            if (record := _read(path, Record))
        ]
        return sorted(found, key=lambda entry: (entry.record.run_id, entry.record.started_at))


def _read(path: Path, kind: type[_M]) -> _M | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None
