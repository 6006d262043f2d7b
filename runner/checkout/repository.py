"""The user's repository and checkout: looked at, never touched."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from runner.checkout.git import Git
from runner.checkout.gitdir import GitDir
from runner.errors import BadInput, DirtyCheckout, GitFailed, RepositoryUnusable, some


@dataclass(frozen=True)
class Checkout:
    """What must be the same after a run as before."""

    head: str
    branch: str
    """Empty where HEAD is detached."""
    changes: str = ""
    """Lines of `git status --porcelain=v2`; empty where the checkout is clean."""
    stashes: str = ""
    """Commits of the stash, which all worktrees share, the newest first."""
    content: str = ""
    """Digest of what the changed tracked files hold; empty where none is changed."""

    @property
    def tracked(self) -> list[str]:
        """Files of git's that were changed, added, moved or removed."""
        return [_path(line) for line in self.changes.splitlines() if line[:2] != "? "]

    @property
    def untracked(self) -> list[str]:
        """Files and folders that git does not know and does not ignore."""
        return [_path(line) for line in self.changes.splitlines() if line[:2] == "? "]


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

    @classmethod
    def at(cls, root: Path) -> Self:
        """The repository of the checkout whose top is `root`, found without a process; raises as `around` does."""
        found = GitDir.of(root)
        return cls(root, found.common) if found else cls.around(root)

    @property
    def name(self) -> str:
        """What people call it: the folder of its main checkout."""
        return self.common_dir.parent.name

    @property
    def key(self) -> str:
        """Its folder's name among the runner's data."""
        digest = hashlib.sha256(str(self.common_dir).encode(errors="surrogateescape")).hexdigest()[:10]
        return f"{self.name}-{digest}"

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
        told = self.git("status", "--porcelain=v2", "--branch", "--no-ahead-behind").splitlines()
        facts = dict(line[2:].split(" ", 1) for line in told if line.startswith("# "))
        changes = [line for line in told if not line.startswith("# ")]
        known = any(line[:2] != "? " for line in changes)
        content = hashlib.sha256(self.git("diff", "--no-ext-diff", "HEAD").encode()).hexdigest() if known else ""
        branch = facts["branch.head"]
        return Checkout(
            facts["branch.oid"], "" if branch == "(detached)" else branch, "\n".join(changes),
            self.git("stash", "list", "--format=%H"), content,
        )  # fmt: skip


def refuse_dirty(repository: Repository, checkout: Checkout, *, allow: bool) -> str | None:
    """Refuse a checkout whose changes workers would not see; return what is to be said of one that is allowed.

    `checkout` is how it was found.
    Files that git does not know are usual, and only told of.

    Raises:
        DirtyCheckout: files of git's are changed and that is not allowed.
    """
    if checkout.tracked and not allow:
        raise DirtyCheckout(repository.root, checkout.tracked)
    unseen = [*checkout.tracked, *checkout.untracked]
    return f"workers start from a commit: they do not see {some(unseen)}" if unseen else None


def _path(line: str) -> str:
    """The path in a line of `git status --porcelain=v2`: what comes after a number of fields that its kind tells."""
    fields = {"1": 8, "2": 9, "u": 10, "?": 1}[line[0]]
    return line.split(" ", fields)[-1].split("\t", maxsplit=1)[0]
