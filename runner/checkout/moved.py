"""A repository that was moved: its runs are found again, and its worktrees joined to it."""

from pathlib import Path

from runner.checkout.repository import Repository
from runner.storage import make_folder, write_whole

ROOT = "repository.txt"
"""File in a repository's folder: where the repository was."""


def follow_move(repository: Repository, folder: Path) -> bool:
    """Have `folder`, the new and missing folder of `repository`, be another name of its old one; False: it has none.

    The worktrees tell which one that is, for git keeps where they are. A copied repository gets nothing of the old
    one's. The old folder keeps its name, because run records and living sessions hold paths in it.

    Raises:
        StorageUnavailable: what has to be written can't be.
    """
    old = next((found for path in _worktrees(repository) if (found := _folder_of(path, folder.parent))), None)
    if old is None or not _was_moved(old):
        return False
    make_folder(folder.parent)
    try:
        folder.symlink_to(old.name, target_is_directory=True)
    except FileExistsError:  # another runner was quicker
        return True
    repository.git.succeeds("worktree", "repair")
    write_whole(old / ROOT, f"{repository.root}\n")
    return True


def _worktrees(repository: Repository) -> list[Path]:
    """Where the linked worktrees are, as the files in the git folder say."""
    told = (
        path.read_text(encoding="utf-8", errors="replace") for path in repository.common_dir.glob("worktrees/*/gitdir")
    )
    return [Path(line.strip()).parent for line in told]


def _folder_of(worktree: Path, repositories: Path) -> Path | None:
    """The repository's folder that a worktree lies in; None where that is another program's."""
    inside = worktree.is_relative_to(repositories) and worktree.parent.name == "worktrees"
    return worktree.parents[1] if inside and worktree.parents[2] == repositories else None


def _was_moved(folder: Path) -> bool:
    try:
        return not Path((folder / ROOT).read_text(encoding="utf-8").rstrip("\n")).exists()
    except OSError:
        return False
