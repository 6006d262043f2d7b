"""The workers' branches, merged in order in a checkout of their own; what can't be merged is told, never dropped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.environment import headless_environment
from runner.errors import GitFailed
from runner.git import Git
from runner.lock import locked
from runner.process import run as run_command
from runner.run import Run
from runner.workflows.state import Check, Conflict
from runner.worktree import AUTHOR, Worktree

NAME = "integration"
LONGEST_SIDES = 12_000
"""Characters of a conflict that are kept; all of it is in the branches."""
LONGEST_OUTPUT = 8_000
"""Characters of a check's output that are kept: the last ones, where failures are summed up."""


@dataclass(frozen=True)
class Integration:
    """The checkout that work is merged in."""

    tree: Worktree

    @classmethod
    def open(cls, run: Run, base: str) -> "Integration":
        """Make the checkout, or find it as an earlier phase left it; a merge that was cut short is undone."""
        path, branch = run.archive.worktree(run.id, NAME), f"dual/{run.id}/{NAME}"
        if not path.is_dir():
            with locked(run.archive.lock, run.lock_wait_s):
                known = run.repository.git.succeeds("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")
                if known:
                    run.repository.git("worktree", "prune")
                    run.repository.git("worktree", "add", "--quiet", str(path), branch)
                    return cls(Worktree(path, branch, base))
                return cls(Worktree.add(run.repository, path, branch, base))
        tree = Worktree(path, branch, base)
        tree.git.succeeds("merge", "--abort")
        tree.settle("dual: left in the integration")
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
        """Merge branches (worker and branch) in the order given; those in conflict are left out and returned."""
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
        import os

        env = headless_environment("checks", os.environ, pass_env)
        return tuple(_check(command, self.tree.path, env, limit_s) for command in commands)

    def _merge(self, worker: str, branch: str) -> Conflict | None:
        try:
            self.git(*AUTHOR, "merge", "--quiet", "--no-ff", "--no-verify", "-m", f"dual: merge {worker}", branch)
        except GitFailed as error:
            files = tuple(filter(None, self.git("diff", "--name-only", "--diff-filter=U", "-z").split("\0")))
            sides = self.git("diff") if files else error.problem
            self.git.succeeds("merge", "--abort")
            return Conflict(worker=worker, branch=branch, files=files, sides=cut(sides, LONGEST_SIDES))
        return None


def _check(command: str, cwd: Path, env: dict[str, str], limit_s: float) -> Check:
    done = run_command(("sh", "-c", command), cwd=cwd, env=env, limit_s=limit_s)
    output = f"{done.out}\n{done.err}".strip()
    kept = output if len(output) <= LONGEST_OUTPUT else f"…{output[-LONGEST_OUTPUT:]}"
    return Check(command=command, passed=done.code == 0, output=kept)


def cut(text: str, longest: int) -> str:
    """The beginning of a text that is too long, and a mark that there was more."""
    return text if len(text) <= longest else f"{text[:longest]}\n… ({len(text) - longest} characters more)"
