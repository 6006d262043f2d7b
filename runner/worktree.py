"""A worker's own checkout and branch, made before its session and settled after it."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from runner.git import Git
from runner.repository import Repository

AUTHOR = ("-c", "user.name=dual-orchestrator", "-c", "user.email=dual-orchestrator@localhost")
"""Who commits what a worker left uncommitted."""


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
        return cls(path, branch, base)

    @property
    def git(self) -> Git:
        """Git in this checkout."""
        return Git(self.path)

    def settle(self, message: str) -> str:
        """Commit what is uncommitted, make sure that the branch holds all work, and return its commit.

        Raises:
            GitFailed: something can't be committed; it then still lies in the checkout.
        """
        git = self.git
        git("add", "--all")
        if not git.succeeds("diff", "--cached", "--quiet"):
            git(*AUTHOR, "commit", "--quiet", "--no-verify", "--message", message)
        head = git("rev-parse", "HEAD")
        if git("branch", "--show-current") != self.branch and git.succeeds(
            "merge-base", "--is-ancestor", self.branch, head
        ):
            # The worker went to another branch, or to none: ours must lead to its work.
            git("update-ref", f"refs/heads/{self.branch}", head)
        return git("rev-parse", f"refs/heads/{self.branch}")

    def diff(self) -> Diff:
        """Measure the branch against its base."""
        lines = self.git("diff", "--numstat", f"{self.base}...{self.branch}").splitlines()
        counts = [line.split("\t")[:2] for line in lines]
        added, removed = (sum(int(pair[i]) for pair in counts if pair[i] != "-") for i in (0, 1))
        return Diff(files=len(lines), added=added, removed=removed)
