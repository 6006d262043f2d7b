"""Where a checkout's git folders lie, read from git's own files; asking git takes a process each time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class GitDir:
    """The two folders of one checkout, laid out as gitrepository-layout(5) says."""

    own: Path
    """What is this checkout's alone: its HEAD and index."""
    common: Path
    """What all checkouts of the repository share: objects and branches."""

    @classmethod
    def of(cls, root: Path) -> Self | None:
        """The git folders of the checkout whose top is `root`; None where it is no checkout, or a broken one."""
        own = root / ".git"
        try:
            if own.is_file():
                own = root / own.read_text(encoding="utf-8").removeprefix("gitdir: ").rstrip("\n")
            named = own / "commondir"  # worktrees alone have one
            common = own / named.read_text(encoding="utf-8").rstrip("\n") if named.is_file() else own
        except (OSError, UnicodeDecodeError):
            return None
        if not ((own / "HEAD").is_file() and (common / "objects").is_dir() and (common / "refs").is_dir()):
            return None
        return cls(own.resolve(), common.resolve())
