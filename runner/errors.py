"""RunnerError               exit code: what it means
├── BadInput               2: a task, option, setting or file can't be used as it is
│   └── DirtyCheckout      2: the checkout has uncommitted changes that workers would not see
├── Conflicting            1: what a task waits for can't be merged for it to start from
├── SetupFailed            1: the setup of `.dual.toml` failed in a new worktree
├── RepositoryUnusable     3: not a git repository, or no commit yet
│   └── GitFailed          3: a git command failed
├── Busy                   3: another runner holds a lock for too long
├── StorageUnavailable     5: the data folder can't be written
├── Left                   3: this process goes, its sessions go on
├── RouterFailed       4 to 6: the router in its own process; the code is its error's
├── ProgramMissing         7: `claude`, `codex` or `git` isn't there or can't be started
└── NotLoggedIn            7: a program has no login

No exceptions, but exit codes of `runner execute`: 0 all succeeded, 1 some task did not, 8 nothing failed but
interactive tasks wait for a person, 130 stopped by Ctrl-C or SIGTERM. Errors of the router bring their own:
4 a model folder, 5 the journal, 6 no router answers.
"""

from collections.abc import Sequence
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


class DirtyCheckout(BadInput):
    """The checkout has uncommitted changes that workers would not see."""

    def __init__(self, root: Path | str, files: Sequence[str]) -> None:
        super().__init__(str(root))
        self.args = (str(root), tuple(files))
        self.root, self.files = str(root), tuple(files)

    def __str__(self) -> str:
        remedy = "commit or stash them, or let workers start without them by --allow-dirty"
        return f"{self.root}: uncommitted changes in {some(self.files)}; {remedy}"


class Conflicting(RunnerError):
    """The work that a task waits for can't be merged for it to start from."""

    def __init__(self, worker: str, files: Sequence[str]) -> None:
        super().__init__(worker, tuple(files))
        self.worker, self.files = worker, tuple(files)

    def __str__(self) -> str:
        remedy = "resolve that by hand, or let one of them wait for the other"
        return f"what {self.worker} waits for is in conflict in {some(self.files)}; {remedy}"


class SetupFailed(RunnerError):
    """The setup of `.dual.toml` failed in a new worktree; `limit_s` is set where it ran past that."""

    def __init__(self, command: str, code: int, limit_s: float | None, output: str) -> None:
        super().__init__(command, code, limit_s, output)
        self.command, self.code, self.limit_s, self.output = command, code, limit_s, output

    def __str__(self) -> str:
        how = f"ended with code {self.code}" if self.limit_s is None else f"ran past its limit of {self.limit_s:g} s"
        said = " / ".join(self.output.splitlines()[-3:])
        return f"setup `{self.command}` {how}" + (f": {said}" if said else "")


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


class Left(RunnerError):
    """This process must go; the session that it followed goes on."""

    exit_code = 3

    def __init__(self, session: str) -> None:
        super().__init__(session)
        self.session = session

    def __str__(self) -> str:
        return f"session {self.session} goes on without us; `runner status` shows where it stands"


class RouterFailed(RunnerError):
    """The router, in a process of its own, can't be used; the sentence and the exit code are its error's."""

    def __init__(self, problem: str, exit_code: int) -> None:
        super().__init__(problem, exit_code)
        self.problem, self.exit_code = problem, exit_code

    def __str__(self) -> str:
        return self.problem


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


def some(names: Sequence[str], shown: int = 4) -> str:
    """The first names of many, and how many more there are."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
