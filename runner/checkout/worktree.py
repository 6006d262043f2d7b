"""A worker's own checkout and branch, made before its session and settled after it."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from runner.checkout.git import Git
from runner.checkout.gitdir import GitDir
from runner.checkout.repository import Repository
from runner.errors import GitFailed
from runner.process import POLL_S

AUTHOR = ("-c", "user.name=dual-orchestrator", "-c", "user.email=dual-orchestrator@localhost")
"""Who commits what a worker left uncommitted."""
UNBORN = "(initial)"
"""What git calls the commit of a branch that has none."""
STALE_S = 3.0
"""How long a lock of git's in a worker's checkout is waited for: the program that took it may have been killed."""


class Diff(BaseModel):
    """The size of a worker's change against its base."""

    model_config = ConfigDict(frozen=True)

    files: int = 0
    added: int = 0
    """Lines; binary files count none."""
    removed: int = 0


def git_folders(repository: Repository, path: Path, branch: str) -> tuple[Path, ...]:
    """The folders that a commit in the worktree `path` writes to.

    Not the whole git folder: hooks and configuration are run later, outside any sandbox.
    """
    common, heads = repository.common_dir, Path("refs/heads", branch).parent
    return common / "worktrees" / path.name, common / "objects", common / heads, common / "logs" / heads


@dataclass(frozen=True)
class Worktree:
    """A checkout of its own on a branch of its own."""

    path: Path
    branch: str
    base: str
    """The commit it starts from."""
    home: Path | None = None
    """Another checkout of the repository: the way to the branch where this one was deleted."""

    @classmethod
    def add(cls, repository: Repository, path: Path, branch: str, base: str) -> "Worktree":
        """Make the checkout and the branch; raises `GitFailed` where that fails, then neither is left."""
        git = repository.git
        try:
            git("worktree", "add", "--quiet", "--no-track", "-b", branch, str(path), base)
        except BaseException:
            git.succeeds("worktree", "remove", "--force", str(path))
            git.succeeds("branch", "--delete", "--force", branch)
            raise
        return cls(path, branch, base, repository.root)

    @classmethod
    def attach(cls, repository: Repository, path: Path, branch: str, base: str) -> "Worktree":
        """Find the checkout and the branch, or make what is missing: one of them, half of it, or both.

        Nobody else may be making it meanwhile. Raises `GitFailed` where that can't be done.
        """
        tree, git = cls(path, branch, base, repository.root), repository.git
        if tree.is_whole:
            return tree
        if not git.succeeds("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"):
            _forget(git, path)
            return cls.add(repository, path, branch, base)
        _forget(git, path)
        git("worktree", "add", "--quiet", str(path), branch)
        return tree

    @property
    def git(self) -> Git:
        """Git in this checkout, or in its home where it was deleted."""
        return Git(self.home if self.home and not self.path.is_dir() else self.path)

    @property
    def is_whole(self) -> bool:
        """True where the checkout is there, was made to its end, and belongs to its repository."""
        mine = GitDir.of(self.path)
        if mine is None or (mine.own / "locked").exists():  # git's own mark while it makes one
            return False
        home = None if self.home is None else GitDir.of(self.home)
        return home is None or home.common == mine.common

    def settle(self, message: str) -> str:
        """Commit what is uncommitted, make sure that the branch holds all work, and return its commit.

        Of a checkout that was deleted, what was committed is on the branch already.

        Raises:
            GitFailed: something can't be committed; it then still lies in the checkout.
        """
        self._repair()
        commit = self._commit(message) if self.path.is_dir() else None
        return commit or self.git("rev-parse", "--verify", f"refs/heads/{self.branch}")

    def elsewhere(self) -> str:
        """The branch, or commit, that the worker went to and whose work ours doesn't lead to; empty: there is none."""
        if not self.path.is_dir() or self._is_on_branch():
            return ""
        if self.git.succeeds("merge-base", "--is-ancestor", "HEAD", self.branch):
            return ""
        return self.git("branch", "--show-current") or self.git("rev-parse", "HEAD")

    def diff(self) -> Diff:
        """Measure the branch against its base."""
        lines = self.git("diff", "--numstat", f"{self.base}...{self.branch}").splitlines()
        counts = [line.split("\t")[:2] for line in lines]
        added, removed = (sum(int(pair[i]) for pair in counts if pair[i] != "-") for i in (0, 1))
        return Diff(files=len(lines), added=added, removed=removed)

    def unlock(self) -> None:
        """Take away what a git that was killed left locked; whoever worked here has ended by now."""
        mine = GitDir.of(self.path)
        if mine is None:  # git says so itself
            return
        locks = [mine.own / "index.lock", mine.own / "HEAD.lock", mine.common / f"refs/heads/{self.branch}.lock"]
        deadline = time.monotonic() + STALE_S
        while any(lock.exists() for lock in locks) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        for lock in locks:
            with suppress(OSError):  # git says so itself
                lock.unlink()

    def _repair(self) -> None:
        """Join the checkout to its repository again, where that was moved or the worker removed what joins them."""
        if self.home and self.path.is_dir() and not self.is_whole:
            Git(self.home).succeeds("worktree", "repair", str(self.path))
            if not self.is_whole:
                raise GitFailed(self.path, ("worktree", "repair"), "it is no longer a checkout of the repository")

    def _is_on_branch(self) -> bool:
        """True where our branch is checked out; False also where only git itself can tell."""
        mine = GitDir.of(self.path)
        try:
            head = (mine.own / "HEAD").read_text(encoding="utf-8") if mine else ""
        except (OSError, UnicodeDecodeError):
            return False
        return head == f"ref: refs/heads/{self.branch}\n"

    def _commit(self, message: str) -> str | None:
        """Commit what is uncommitted; returns the commit where our branch is checked out, which holds it then."""
        git = self.git
        self.unlock()
        told = git("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=normal").splitlines()
        facts = dict(line[2:].split(" ", 1) for line in told if line.startswith("# "))
        head = None if facts["branch.oid"] == UNBORN else facts["branch.oid"]
        if any(not line.startswith("# ") for line in told):
            git("add", "--all")
            if not git.succeeds("diff", "--cached", "--quiet"):
                git(*AUTHOR, "commit", "--quiet", "--no-verify", "--message", message)
                head = git("rev-parse", "HEAD")
        if head is None or facts["branch.head"] == self.branch:
            return head
        ours = f"refs/heads/{self.branch}"
        # The worker went to another branch, to none, or deleted ours: it must lead to its work.
        there = git.succeeds("rev-parse", "--verify", "--quiet", ours)
        if not there or git.succeeds("merge-base", "--is-ancestor", ours, head):
            git("update-ref", ours, head)
        return None


def _forget(git: Git, path: Path) -> None:
    """Take away what is left of a checkout that was half made, or that somebody deleted."""
    git.succeeds("worktree", "unlock", str(path))
    git.succeeds("worktree", "remove", "--force", str(path))
    git.succeeds("worktree", "prune")
