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

from runner.checkout.moved import follow_move
from runner.checkout.repository import Repository
from runner.runs.records import Closed, Ending, Entry, Record
from runner.runs.state import State
from runner.storage import write_whole
from runner.tasks.plan import with_brief

_M = TypeVar("_M", Record, Ending)


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
