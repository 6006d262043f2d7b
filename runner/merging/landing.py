"""Accepted work on its way to a branch of the user's: forward only, and never over anything uncommitted."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runner.checkout.git import Git
from runner.checkout.repository import Repository
from runner.errors import BadInput, GitFailed

How = Literal["forwarded", "already there", "opened"]
_PLAIN = ("-c", "merge.autoStash=false", "-c", "merge.verifySignatures=false")


@dataclass(frozen=True)
class Landed:
    """Where accepted work lies now."""

    branch: str
    commit: str
    how: How
    reason: str = ""
    """Why it is another branch than the one that was meant."""


@dataclass(frozen=True)
class Landing:
    """Brings one commit to a branch; `other` is opened where `branch` can't be moved to it."""

    repository: Repository
    commit: str
    branch: str | None
    other: str

    def land(self) -> Landed:
        """Move the branch forward where that is possible, else open the other one.

        Raises:
            BadInput: the other one is there already and leads elsewhere, or a name is none.
            GitFailed: git can't do it.
        """
        if self.branch is None:
            return self._open("the run began at no branch")
        name = f"refs/heads/{self._checked(self.branch)}"
        git = self.repository.git
        if not git.succeeds("rev-parse", "--verify", "--quiet", name):
            git("branch", "--no-track", self.branch, self.commit)
            return Landed(self.branch, self.commit, "opened")
        if git.succeeds("merge-base", "--is-ancestor", self.commit, name):
            return Landed(self.branch, self.commit, "already there")
        if not git.succeeds("merge-base", "--is-ancestor", name, self.commit):
            return self._open(f"{self.branch} has moved on since the run began")
        try:
            self._forward(git, self.branch)
        except GitFailed as error:
            return self._open(f"{self.branch} can't be moved: {' '.join(error.problem.split())}")
        return Landed(self.branch, self.commit, "forwarded")

    def _forward(self, git: Git, branch: str) -> None:
        place = checkouts(git).get(branch)
        if place is None:
            # Unlike `update-ref`, it refuses what is no step forward, or a branch that a rebase is at work on.
            spec = f"{self.commit}:refs/heads/{branch}"
            git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", ".", spec)
        else:
            # Git itself refuses where a file it has to write was changed there, or is not git's.
            Git(place)(*_PLAIN, "merge", "--quiet", "--ff-only", "--no-overwrite-ignore", self.commit)

    def _open(self, reason: str) -> Landed:
        git, name = self.repository.git, f"refs/heads/{self.other}"
        if not git.succeeds("rev-parse", "--verify", "--quiet", name):
            git("branch", "--no-track", self._checked(self.other), self.commit)
        elif git("rev-parse", name) != self.commit:
            raise BadInput(f"{reason}, and the branch {self.other} holds other work; name another one by --branch")
        return Landed(self.other, self.commit, "opened", reason)

    def _checked(self, branch: str) -> str:
        if not self.repository.git.succeeds("check-ref-format", "--branch", branch):
            raise BadInput(f"--branch {branch}: git takes no such name for a branch; choose another")
        return branch


def checkouts(git: Git) -> dict[str, Path]:
    """Where each branch is checked out, by its name."""
    found: dict[str, Path] = {}
    for block in git("worktree", "list", "--porcelain").split("\n\n"):
        facts = dict(line.partition(" ")[::2] for line in block.splitlines())
        if "branch" in facts:
            found[facts["branch"].removeprefix("refs/heads/")] = Path(facts["worktree"])
    return found
