"""What came of a run, as a command shows it at its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from runner.errors import INTERRUPTED, SOME_TASK_FAILED, WAITING_FOR_A_PERSON
from runner.merging.integrated import Integrated, read_integrated
from runner.runs.archive import Archive
from runner.runs.records import Entry
from runner.runs.state import UNDER_WAY, State
from runner.runs.submission import RunFolder
from runner.runs.tries import latest_tries

NEEDS_PERSON = frozenset({State.WAITING, State.NEEDS_INPUT})


@dataclass(frozen=True)
class Report:
    """A run as it stands."""

    run_id: str
    repository: Path
    base: str
    entries: Sequence[Entry]
    integrated: Integrated | None = None
    """What came of merging it; None where there was nothing to merge."""
    problem: str = ""
    """Why the worker gave it up; empty where it did not."""
    untouched: bool = True
    """False where the user's checkout changed meanwhile and no interactive session explains it."""
    unsent: int = 0
    """Outcomes that the router does not have yet."""
    stopped: bool = False
    """True where this command was told to stop."""
    detached: bool = False
    """True where nobody waited for the end."""

    @classmethod
    def of(cls, archive: Archive, run_id: str, repository: Path, **facts: object) -> Self:
        """Read how a run stands."""
        entries = archive.entries(run_id)
        folder = RunFolder(archive.folder / "runs" / run_id)
        known = {
            "run_id": run_id, "repository": repository, "base": next((one.record.base or "" for one in entries), ""),
            "entries": entries, "integrated": read_integrated(archive, run_id), "problem": folder.problem, **facts,
        }  # fmt: skip
        return cls(**known)  # type: ignore[arg-type]

    @property
    def exit_code(self) -> int:
        """What the command line ends with."""
        if self.stopped:
            return INTERRUPTED
        states = {entry.state for entry in latest_tries(self.entries)} - UNDER_WAY
        checks = self.integrated.checks if self.integrated else ()
        if self.problem or states - {State.SUCCEEDED} - NEEDS_PERSON or not all(check.passed for check in checks):
            return SOME_TASK_FAILED
        conflicts = self.integrated.conflicts if self.integrated else ()
        return WAITING_FOR_A_PERSON if states & NEEDS_PERSON or conflicts else 0
