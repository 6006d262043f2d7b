"""Whether work is in a branch of the user's already: as it is, or as the same change in other commits."""

from dataclasses import dataclass
from functools import cached_property

from runner.checkout.git import Git
from runner.checkout.worktree import AUTHOR
from runner.errors import GitFailed
from runner.merging.integration import branch_of

MOST_BRANCHES = 10
"""Branches that are searched for the same change, those with the newest commits: it takes a while for each."""


@dataclass(frozen=True)
class Merged:
    """What the branches that are no worker's, those of remotes, and HEAD hold."""

    git: Git

    def holds(self, commit: str, run_id: str) -> bool:
        """True where `commit` is in one of them, or all of its change is, whether picked, rebased or squashed.

        Work that went into the integration of its run is there where that is.
        """
        if self._is_reached(commit) or self._is_repeated(commit):
            return True
        name = f"refs/heads/{branch_of(run_id)}"
        git = self.git
        if not git.succeeds("merge-base", "--is-ancestor", commit, name):
            return False
        whole = git("rev-parse", name)
        return whole != commit and (self._is_reached(whole) or self._is_repeated(whole))

    def _is_reached(self, commit: str) -> bool:
        others = ("--not", "--exclude=dual/*", "--branches", "--remotes", "HEAD")
        return not self.git("rev-list", "--max-count=1", commit, *others)

    def _is_repeated(self, commit: str) -> bool:
        return any(self._repeats(branch, commit) for branch in self._branches)

    def _repeats(self, branch: str, commit: str) -> bool:
        """True where a branch holds the same change, in as many commits or in a single one."""
        git = self.git
        try:
            base = git("merge-base", branch, commit)
        except GitFailed:  # they have no beginning in common
            return False
        if git.succeeds("diff", "--quiet", base, commit):
            return False  # nothing to compare by
        if self._are_all_there(branch, commit):
            return True
        # As one commit, which no branch leads to: git takes it away again some day.
        squashed = git(*AUTHOR, "commit-tree", f"{commit}^{{tree}}", "-p", base, "-m", "squashed")
        return self._are_all_there(branch, squashed)

    def _are_all_there(self, branch: str, commit: str) -> bool:
        """Merges have no change of their own to compare; where there are any, the squashed whole decides."""
        if self.git("rev-list", "--merges", "--max-count=1", f"{branch}..{commit}"):
            return False
        lines = self.git("cherry", branch, commit).splitlines()
        return bool(lines) and all(line.startswith("-") for line in lines)

    @cached_property
    def _branches(self) -> list[str]:
        told = self.git("for-each-ref", "--sort=-committerdate", "--format=%(objectname) %(refname)",
                        "refs/heads/", "refs/remotes/")  # fmt: skip
        pairs = [line.split(" ", 1) for line in told.splitlines()]
        tips = [tip for tip, name in pairs if not name.startswith("refs/heads/dual/")]
        return list(dict.fromkeys(["HEAD", *tips]))[:MOST_BRANCHES]
