"""The workers' branches, merged in order in a checkout of their own; what can't be merged is told, never dropped."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from runner.checkout.checks import Check, run_checks
from runner.checkout.git import Git
from runner.checkout.repository import Repository
from runner.checkout.worktree import AUTHOR, Worktree
from runner.environment import headless_environment
from runner.errors import GitFailed
from runner.lock import locked
from runner.merging.survival import Merge, lost
from runner.runs.archive import Archive

NAME = "integration"
TITLE = "dual: merge {worker}"
LOSES = "git merges this by itself, but not all of both sides is left afterwards in {files}: look at .gitattributes"
_PLAIN = ("-c", "rerere.enabled=false", "-c", "merge.renames=true", "-c", "merge.autoStash=false")
"""What the user has set must not decide what becomes of work: a recorded resolution may be an old one."""
LONGEST_SIDES = 12_000
"""Characters of a conflict that are kept; all of it is in the branches."""


class Conflict(BaseModel):
    """A branch that could not be merged; it is still there."""

    model_config = ConfigDict(frozen=True)

    worker: str
    branch: str
    files: tuple[str, ...]
    sides: str
    """Both sides, as git shows them, or why there is no merge."""


class Place(Protocol):
    """What of a run its integration needs; a `Run` is one."""

    @property
    def id(self) -> str:
        """The run's id."""
        ...

    @property
    def base(self) -> str:
        """The commit that its workers started from."""
        ...

    @property
    def repository(self) -> Repository:
        """Where its branches are."""
        ...

    @property
    def archive(self) -> Archive:
        """Where its worktrees are."""
        ...

    @property
    def lock_wait_s(self) -> float:
        """Longest wait for another runner that makes a worktree, in seconds."""
        ...


@dataclass(frozen=True)
class Integration:
    """The checkout that work is merged in."""

    tree: Worktree

    @classmethod
    def open(cls, place: Place, base: str, prepare: Callable[[Worktree], None] = lambda _: None) -> "Integration":
        """Make the checkout, or find it as an earlier merge left it; a merge that was cut short is undone.

        A new checkout is given to `prepare` before anything is merged in it.
        """
        path, branch = place.archive.worktree(place.id, NAME), branch_of(place.id)
        if path.is_dir():
            tree = Worktree(path, branch, base)
            tree.unlock()
            _undo(tree.git)
            tree.settle("dual: left in the integration")
            return cls(tree)
        with locked(place.archive.lock, place.lock_wait_s):
            tree = Worktree.attach(place.repository, path, branch, base)
        prepare(tree)
        return cls(tree)

    @property
    def git(self) -> Git:
        """Git in this checkout."""
        return self.tree.git

    @property
    def tip(self) -> str:
        """The commit that holds all merged work."""
        return self.git("rev-parse", f"refs/heads/{self.tree.branch}")

    def merge(self, branches: Iterable[tuple[str, str]]) -> list[Conflict]:
        """Merge branches, or commits, (worker and branch) in the order given.

        Those in conflict are left out and returned, and so are those that git would merge but lose work of.
        """
        return [conflict for worker, branch in branches if (conflict := self._merge(worker, branch))]

    def unmerged(self, conflicts: Iterable[Conflict]) -> tuple[Conflict, ...]:
        """Those conflicts that nobody has resolved by merging the branch since."""
        head = self.tip
        return tuple(one for one in conflicts if not self.git.succeeds("merge-base", "--is-ancestor", one.branch, head))

    def summary(self) -> str:
        """What changed since the beginning, file by file."""
        return self.git("diff", "--stat=100", f"{self.tree.base}...{self.tree.branch}")

    def check(self, commands: Sequence[str], limit_s: float, pass_env: str) -> tuple[Check, ...]:
        """Run the checks, each to its end or its limit."""
        return run_checks(commands, self.tree.path, headless_environment("checks", os.environ, pass_env), limit_s)

    def _merge(self, worker: str, branch: str) -> Conflict | None:
        git = self.git
        before, theirs = git("rev-parse", "HEAD", f"{branch}^{{commit}}").split()
        bases = _common(git, before, theirs)
        if theirs in bases:
            return None
        try:
            git(
                *AUTHOR,
                *_PLAIN,
                "merge",
                "--quiet",
                "--no-ff",
                "--no-verify",
                "-m",
                TITLE.format(worker=worker),
                branch,
            )
        except GitFailed as error:
            files = tuple(filter(None, git("diff", "--name-only", "--diff-filter=U", "-z").split("\0")))
            sides = git("diff") if files else error.problem
            git.succeeds("merge", "--abort")
            git("reset", "--quiet", "--hard", before)
            return Conflict(worker=worker, branch=branch, files=files, sides=cut(sides, LONGEST_SIDES))
        # What the merge lost can't be told where the sides have several beginnings.
        files = tuple(lost(git, Merge(bases[0], before, theirs, "HEAD"))) if len(bases) == 1 else ()
        if not files:
            return None
        git("reset", "--quiet", "--hard", before)
        return Conflict(worker=worker, branch=branch, files=files, sides=LOSES.format(files=", ".join(files)))


def _common(git: Git, ours: str, theirs: str) -> list[str]:
    """The commits that two sides began from; none where they share no history, of which the merge itself will tell."""
    try:
        return git("merge-base", "--all", ours, theirs).split()
    except GitFailed:
        return []


def _undo(git: Git) -> None:
    """Undo a merge that was cut short, for its conflicts must not be committed; one that a person solved stays."""
    if not git.succeeds("rev-parse", "--verify", "--quiet", "MERGE_HEAD"):
        return
    ours = git("rev-parse", "--path-format=absolute", "--git-path", "MERGE_MSG")
    begun_by_us = Path(ours).read_text(encoding="utf-8", errors="replace").startswith(TITLE.format(worker=""))
    if begun_by_us or git("ls-files", "--unmerged"):
        git("merge", "--abort")


def branch_of(run_id: str) -> str:
    """The branch that holds the merged work of a run."""
    return f"dual/{run_id}/{NAME}"


def cut(text: str, longest: int) -> str:
    """The beginning of a text that is too long, and a mark that there was more."""
    return text if len(text) <= longest else f"{text[:longest]}\n… ({len(text) - longest} characters more)"
