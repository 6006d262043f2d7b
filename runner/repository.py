"""The user's repository and checkout: looked at, never touched."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from runner.errors import BadInput, GitFailed, RepositoryUnusable
from runner.git import Git


@dataclass(frozen=True)
class Checkout:
    """What must be the same after a run as before."""

    head: str
    branch: str
    """Empty where HEAD is detached."""
    changes: str
    """`git status --porcelain`; empty where the checkout is clean."""


@dataclass(frozen=True)
class Repository:
    """A git repository, seen from one of its checkouts."""

    root: Path
    """Top folder of the checkout."""
    common_dir: Path
    """The git folder that all checkouts of the repository share."""

    @classmethod
    def around(cls, folder: Path) -> Self:
        """Find the repository that `folder` lies in.

        Raises:
            RepositoryUnusable: there is none.
        """
        try:
            answer = Git(folder)("rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir")
        except GitFailed as error:
            remedy = "go to a git checkout, or make one by `git init` and a first commit"
            raise RepositoryUnusable(folder, f"{error.problem}; {remedy}") from error
        root, *others = answer.split("\n")
        if len(others) != 1 or "\ufffd" in answer:
            problem = "its path is not UTF-8 or has a line break in it, or git is older than 2.31"
            raise RepositoryUnusable(folder, f"{problem}; move the repository, or install a newer git")
        return cls(Path(root), Path(others[0]))

    @property
    def name(self) -> str:
        """What people call it: the folder of its main checkout."""
        return self.common_dir.parent.name

    @property
    def git(self) -> Git:
        """Git in this checkout."""
        return Git(self.root)

    def resolve(self, ref: str) -> str:
        """Return the commit that `ref` names.

        Raises:
            RepositoryUnusable: there is no commit yet.
            BadInput: there are commits, but none of this name.
        """
        try:
            return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        except GitFailed as error:
            if not self.git.succeeds("rev-parse", "--verify", "--quiet", "HEAD"):
                remedy = "workers start from a commit: `git commit --allow-empty -m start` makes one"
                raise RepositoryUnusable(self.root, f"the repository has no commit yet; {remedy}") from error
            raise BadInput(f"--base {ref}: no such commit here; `git branch --all` lists the branches") from error

    def look(self) -> Checkout:
        """Note the state of the checkout."""
        head = self.git("rev-parse", "--verify", "HEAD")
        return Checkout(head, self.git("branch", "--show-current"), self.git("status", "--porcelain"))
