"""A session's worktree, made before its first attempt and found again, or mended, before any other."""

import shutil
from dataclasses import dataclass

from runner.checkout.preparation import prepare
from runner.checkout.worktree import Worktree
from runner.errors import GitFailed
from runner.lock import locked
from runner.runs.records import Record
from runner.runs.run import Run


@dataclass(frozen=True)
class Workplace:
    """Where a session works."""

    run: Run
    record: Record

    def tree(self) -> Worktree:
        """Describe its worktree."""
        record = self.record
        return Worktree(record.cwd, record.branch or "", record.base or self.run.base, self.run.repository.root)

    def open(self, *, begun: bool) -> Worktree:
        """Make the worktree; where the session has `begun`, keep what is there.

        Raises:
            GitFailed: it can't be made.
            Busy: another runner makes one for too long.
            SetupFailed, StorageUnavailable: it can't be made ready.
        """
        tree = self.tree()
        with locked(self.run.archive.lock, self.run.lock_wait_s):
            if not begun:
                tree = self._add(tree)
            elif not self._is_whole(tree):
                self._mend(tree)
        project = self.run.project
        if project.copy_ or project.setup:
            prepare(tree, self.run.repository.root, project, self.run.env)
        return tree

    def _add(self, tree: Worktree) -> Worktree:
        """Make the worktree; what stands in the way is what a killed runner left half made."""
        try:
            return Worktree.add(self.run.repository, tree.path, tree.branch, tree.base)
        except GitFailed:
            self._discard(tree)
            return Worktree.add(self.run.repository, tree.path, tree.branch, tree.base)

    def _is_whole(self, tree: Worktree) -> bool:
        return tree.path.is_dir() and tree.git.succeeds("rev-parse", "--verify", "--quiet", "HEAD")

    def _mend(self, tree: Worktree) -> None:
        """Bring back a checkout that is gone or has lost its repository; what lies there otherwise is kept."""
        git = self.run.repository.git
        if tree.path.is_dir():
            git.succeeds("worktree", "repair", str(tree.path))
            if self._is_whole(tree):
                return
            tree.path.rename(tree.path.with_name(f"{tree.path.name}.broken"))
        git("worktree", "prune")
        git("worktree", "add", "--quiet", "--force", str(tree.path), tree.branch)

    def _discard(self, tree: Worktree) -> None:
        """Take away what there is of it; nobody has worked in it yet."""
        git = self.run.repository.git
        git.succeeds("worktree", "remove", "--force", "--force", str(tree.path))
        shutil.rmtree(tree.path, ignore_errors=True)
        git.succeeds("worktree", "prune")
        git.succeeds("branch", "--delete", "--force", tree.branch)
