"""What runs leave behind: worktrees, branches and files; removed only where nothing of it can be missed."""

import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runner.checkout.git import Git
from runner.checkout.repository import Repository
from runner.errors import Busy, GitFailed, StorageUnavailable
from runner.lock import locked
from runner.merging.landing import checkouts
from runner.merging.merged import Merged
from runner.runs.archive import Archive
from runner.runs.records import Entry
from runner.runs.state import State
from runner.sessions.attempt import is_supervised

_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
UNDER_WAY = "under way"
UNMERGED = "not merged"
ALIEN = "no checkout of this repository"
Kind = Literal["worktree", "branch", "files"]


@dataclass(frozen=True)
class Item:
    """One thing that a run left."""

    kind: Kind
    name: str
    """Path of a worktree or folder, or name of a branch."""
    tip: str = ""
    """Commit of a branch."""
    reason: str = ""
    """Why it is better kept; empty where it can go."""
    size_bytes: int = 0


@dataclass(frozen=True)
class Leftover:
    """What one run left."""

    run_id: str
    items: Sequence[Item]
    living: bool = False
    """Something of it is under way: nothing is removed, whatever is asked for."""
    reason: str = ""
    """Why the whole run is better kept."""

    def going(self, *, force: bool) -> list[Item]:
        """What is to be removed; the files go only with all the rest."""
        if self.living or (self.reason and not force):
            return []
        kept = [item for item in self.items if item.reason and not force]
        return [item for item in self.items if item not in kept and not (kept and item.kind == "files")]


@dataclass(frozen=True)
class Leftovers:
    """All runs of one repository."""

    repository: Repository
    archive: Archive
    lock_wait_s: float

    def look(self, runs: Iterable[str] = ()) -> list[Leftover]:
        """What every run left, or those whose ids begin so; the oldest first."""
        wanted = tuple(runs)
        found: dict[str, list[Item]] = defaultdict(list)
        merged = Merged(self.repository.git)
        worktrees = list(self._worktrees(merged))
        for run_id, item in (*worktrees, *self._branches(worktrees, merged), *self._files()):
            if not wanted or run_id.startswith(wanted):
                found[run_id].append(item)
        return [self._leftover(run_id, items) for run_id, items in sorted(found.items())]

    def remove(self, items: Sequence[Item]) -> None:
        """Remove what `Leftover.going` returned.

        Raises:
            GitFailed: a worktree or branch can't be removed; one that changed since the look isn't.
            StorageUnavailable: files can't be removed.
        """
        with locked(self.archive.lock, self.lock_wait_s):
            for item in sorted(items, key=lambda item: ("worktree", "branch", "files").index(item.kind)):
                self._remove(item)

    def _remove(self, item: Item) -> None:
        git = self.repository.git
        if item.kind == "branch":
            if git("rev-parse", f"refs/heads/{item.name}") != item.tip:
                raise GitFailed(self.repository.root, ("branch", "--delete", item.name), "it has moved meanwhile")
            git("branch", "--quiet", "--delete", "--force", item.name)
        elif item.kind == "worktree" and item.reason != ALIEN:
            # Without `--force`, git looks once more whether anything is uncommitted.
            git("worktree", "remove", *(("--force",) if item.reason else ()), item.name)
        else:
            _delete(Path(item.name))

    def _leftover(self, run_id: str, items: list[Item]) -> Leftover:
        entries = self.archive.entries(run_id)
        if any(_is_living(entry) for entry in entries) or _is_held(
            self.archive.folder / f"runs/{run_id}/workflow.lock"
        ):
            return Leftover(run_id, items, living=True, reason=UNDER_WAY)
        states = {entry.state for entry in entries}
        if State.INTERRUPTED in states:
            return Leftover(run_id, items, reason=f"interrupted: `runner resume {run_id}` goes on with it")
        waits = states & {State.WAITING, State.NEEDS_INPUT, State.RATE_LIMITED}
        return Leftover(run_id, items, reason="a task of it waits" if waits else "")

    def _worktrees(self, merged: Merged) -> Iterator[tuple[str, Item]]:
        for path in sorted((self.archive.folder / "worktrees").glob("*")):
            if found := _RUN.match(path.name):
                reason = self._unsaved(path, found[0], merged)
                yield found[0], Item("worktree", str(path), reason=reason, size_bytes=_size(path))

    def _unsaved(self, path: Path, run_id: str, merged: Merged) -> str:
        """Why a worktree can't go without loss."""
        git = Git(path)
        try:
            if Path(git("rev-parse", "--show-toplevel")) != path.resolve():
                return ALIEN
            changes, head = git("status", "--porcelain"), git("rev-parse", "HEAD")
        except GitFailed:
            return ALIEN
        if changes:
            return f"uncommitted changes in {len(changes.splitlines())} files"
        return "" if merged.holds(head, run_id) else UNMERGED

    def _branches(self, worktrees: Sequence[tuple[str, Item]], merged: Merged) -> Iterator[tuple[str, Item]]:
        told = self.repository.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads/dual/")
        places, ours = checkouts(self.repository.git), {Path(item.name).resolve(): item for _, item in worktrees}
        for name, tip in (line.split(" ") for line in told.splitlines()):
            found = _RUN.fullmatch(name.split("/")[1])
            if not found:
                continue
            reason = "" if merged.holds(tip, found[0]) else UNMERGED
            if place := places.get(name):
                tree = ours.get(place.resolve())
                reason = f"checked out in {place}" if tree is None else reason or (tree.reason and "its worktree stays")
            yield found[0], Item("branch", name, tip, reason)

    def _files(self) -> Iterator[tuple[str, Item]]:
        for path in sorted((self.archive.folder / "runs").glob("*")):
            if _RUN.fullmatch(path.name):
                yield path.name, Item("files", str(path), size_bytes=_size(path))


def _is_living(entry: Entry) -> bool:
    return entry.state in {State.QUEUED, State.RUNNING} or is_supervised(entry.folder)


def _is_held(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        with locked(path, wait_s=0):
            return False
    except Busy:
        return True


def _delete(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageUnavailable(path, f"can't be removed ({error.strerror})") from error


def _size(path: Path) -> int:
    """What a folder takes on the disk, in bytes."""
    return sum(file.lstat().st_blocks * 512 for file in path.rglob("*") if not file.is_dir() or file.is_symlink())
