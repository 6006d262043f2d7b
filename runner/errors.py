"""RunnerError               exit code: what it means
├── BadInput               2: a task, option, setting or file can't be used as it is
├── RepositoryUnusable     3: not a git repository, or no commit yet
│   └── GitFailed          3: a git command failed
├── Busy                   3: another runner holds a lock for too long
├── StorageUnavailable     5: the data folder can't be written
├── ProgramMissing         7: `claude`, `codex` or `git` isn't there or can't be started
└── NotLoggedIn            7: a program has no login

No exceptions, but exit codes of `runner execute`: 0 all succeeded, 1 some task did not, 8 nothing failed but
interactive tasks wait for a person, 130 stopped by Ctrl-C or SIGTERM. Errors of the router bring their own:
4 a model folder, 5 the journal, 6 no router answers.
"""

from pathlib import Path

SOME_TASK_FAILED = 1
WAITING_FOR_A_PERSON = 8
INTERRUPTED = 130


class RunnerError(Exception):
    """Base of all errors of `runner`; `exit_code` is what the command line ends with."""

    exit_code = 1


class BadInput(RunnerError):
    """Something the user gave can't be used as it is."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class RepositoryUnusable(RunnerError):
    """Headless work needs a git repository with a commit to start from."""

    exit_code = 3

    def __init__(self, folder: Path | str, problem: str) -> None:
        super().__init__(str(folder), problem)
        self.folder, self.problem = str(folder), problem

    def __str__(self) -> str:
        return f"{self.folder}: {self.problem}"


class GitFailed(RepositoryUnusable):
    """A git command ended with an error; `problem` is what git said."""

    def __init__(self, folder: Path | str, args: tuple[str, ...], problem: str) -> None:
        super().__init__(folder, problem)
        self.args = (str(folder), args, problem)
        self.command = args

    def __str__(self) -> str:
        return f"git {' '.join(self.command)} failed in {self.folder}: {self.problem or 'no message'}"


class Busy(RunnerError):
    """Another runner holds a lock for too long."""

    exit_code = 3

    def __init__(self, lock: Path | str, waited_s: float) -> None:
        super().__init__(str(lock), waited_s)
        self.lock, self.waited_s = str(lock), waited_s

    def __str__(self) -> str:
        return f"{self.lock} is still held by another runner after {self.waited_s:g} s; try again when it is done"


class StorageUnavailable(RunnerError):
    """Run records, worktrees or outcomes can't be written."""

    exit_code = 5

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(str(path), problem)
        self.path, self.problem = str(path), problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; free some space or set RUNNER_HOME to a folder that can be written"


class ProgramMissing(RunnerError):
    """A program that is needed isn't installed or can't be started."""

    exit_code = 7

    def __init__(self, program: str, problem: str, remedy: str) -> None:
        super().__init__(program, problem, remedy)
        self.program, self.problem, self.remedy = program, problem, remedy

    def __str__(self) -> str:
        return f"{self.program} {self.problem}; {self.remedy}"


class NotLoggedIn(RunnerError):
    """A program is installed but has no login."""

    exit_code = 7

    def __init__(self, program: str, remedy: str) -> None:
        super().__init__(program, remedy)
        self.program, self.remedy = program, remedy

    def __str__(self) -> str:
        return f"{self.program} is not logged in; {self.remedy}"
