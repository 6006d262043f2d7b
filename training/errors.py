"""TrainingError
├── DataError          a data file can't be used; names file, line and reason
├── NotEnoughData      too few rows or classes to learn from
├── MissingPart        a library or file that fine-tuning needs is not there
├── GoldenChanged      the golden set is not the one that the served model was judged on
├── Interrupted        the user stopped it
└── NotPromoted        the candidate is worse than the served model; it is kept, not served (exit code 3)

The command line ends with the error's `exit_code`; `docs/training.md` lists them.
"""

from pathlib import Path

INSTALL = "`pip install 'dual-orchestrator[train]'`, or use `--encoder frozen`"
"""The next step where a library that fine-tuning needs is not there."""


class TrainingError(Exception):
    """Base of all errors of `training`."""

    exit_code = 1


class DataError(TrainingError):
    """A data file can't be used."""

    exit_code = 2

    def __init__(self, path: Path | str, line: int, reason: str) -> None:
        super().__init__(str(path), line, reason)
        self.path, self.line, self.reason = str(path), line, reason

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.reason}"


class NotEnoughData(TrainingError):
    """There is too little to learn from."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.problem}; add rows with --data"


class MissingPart(TrainingError):
    """Something that fine-tuning needs is not there."""

    exit_code = 5

    def __init__(self, part: str, remedy: str) -> None:
        super().__init__(part, remedy)
        self.part, self.remedy = part, remedy

    def __str__(self) -> str:
        return f"{self.part} is missing; {self.remedy}"


class GoldenChanged(TrainingError):
    """The golden set is not the one that the served model was judged on."""

    exit_code = 6

    def __init__(self, path: Path | str, found: str, expected: str) -> None:
        super().__init__(str(path), found, expected)
        self.path, self.found, self.expected = str(path), found, expected

    def __str__(self) -> str:
        return (
            f"{self.path} has changed (digest {self.found[:12]}) since the served model was judged on it "
            f"({self.expected[:12]}); restore it, or say that you mean it with `--golden {self.path}`"
        )


class Interrupted(TrainingError):
    """The user stopped it."""

    exit_code = 130

    def __str__(self) -> str:
        return "stopped; the served model is untouched"


class NotPromoted(TrainingError):
    """The candidate was kept, not promoted."""

    exit_code = 3

    def __init__(self, version: str, reason: str) -> None:
        super().__init__(version, reason)
        self.version, self.reason = version, reason

    def __str__(self) -> str:
        return (
            f"{self.version} is kept, not promoted: {self.reason}; "
            f"`train-router promote {self.version}` serves it all the same"
        )
