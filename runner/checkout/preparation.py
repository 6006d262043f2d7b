"""A new worktree made ready for work, as `.dual.toml` says: ignored files copied into it, its setup run."""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from runner.checkout.checks import last_part
from runner.checkout.git import Git
from runner.checkout.project import Project
from runner.checkout.worktree import Worktree
from runner.errors import SetupFailed, StorageUnavailable
from runner.process import TIMED_OUT, run

MARK = "dual-prepared"
"""File in the worktree's own git folder once it is ready; it goes when the worktree goes."""


def prepare(tree: Worktree, checkout: Path, project: Project, env: Mapping[str, str]) -> None:
    """Make `tree` ready, once: copy what `project` names from the user's `checkout`, then run its setup in `env`.

    Only ignored files are copied, and only where they are ignored in the worktree too: nothing of them is ever
    committed. What is there already stays.

    Raises:
        SetupFailed: the setup ended with an error or ran past its limit; holds what it printed.
        StorageUnavailable: a file can't be copied.
    """
    done = Path(tree.git("rev-parse", "--path-format=absolute", "--git-dir")) / MARK
    if done.exists():
        return
    copied = [name for name in _named(Git(checkout), project.copy_) if _copy(name, checkout, tree.path)]
    for name in _unignored(tree.git) & set(copied):
        (tree.path / name).unlink()
    if project.setup:
        _set_up(project.setup, project.setup_timeout_s, tree.path, env)
    done.touch()


def _set_up(command: str, limit_s: float, cwd: Path, env: Mapping[str, str]) -> None:
    ended = run(("sh", "-c", command), cwd=cwd, env=env, limit_s=limit_s)
    if ended.code:
        late = limit_s if ended.code == TIMED_OUT else None
        raise SetupFailed(command, ended.code, late, last_part(f"{ended.out}\n{ended.err}".strip()))


def _named(git: Git, patterns: tuple[str, ...]) -> list[str]:
    """The ignored files that patterns name, each below the folder where git stands."""
    if not patterns:
        return []
    paths = [path for pattern in patterns for path in _pathspecs(pattern)]
    told = git("ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", *paths)
    return [name for name in told.split("\0") if name]


def _pathspecs(pattern: str) -> tuple[str, str]:
    """A pattern as in `.gitignore`: without a slash it names files, and folders with all in them, at any depth."""
    anywhere = "" if "/" in pattern.rstrip("/") else "**/"
    path = f":(glob){anywhere}{pattern.strip('/')}"
    return path, f"{path}/**"


def _copy(name: str, checkout: Path, worktree: Path) -> bool:
    source, target = checkout / name, worktree / name
    # A folder of the checkout may be a link in the worktree: nothing is written through it.
    if os.path.lexists(target) or not target.parent.resolve().is_relative_to(worktree.resolve()):
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
    except FileNotFoundError:  # it was removed meanwhile
        return False
    except OSError as error:
        with suppress(OSError):
            target.unlink()
        raise StorageUnavailable(target, f"can't be copied ({error.strerror})") from error
    return True


def _unignored(git: Git) -> set[str]:
    return set(git("ls-files", "--others", "--exclude-standard", "-z").split("\0"))
