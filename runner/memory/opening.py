"""Opening the memory of the repository that one stands in."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from runner.checkout.repository import Repository
from runner.errors import RepositoryUnusable
from runner.memory.view import View
from runner.runs.archive import Archive
from runner.settings import Settings

if TYPE_CHECKING:
    from runner.memory.store import Memory

FILE = "memory.db"


def home_of(cwd: Path, settings: Settings) -> Path:
    """The folder of the repository around `cwd`, the same from all its worktrees; else the folder of `cwd` itself."""
    try:
        return Archive.of(Repository.around(cwd), settings.data_folder()).folder
    except RepositoryUnusable:
        place = cwd.resolve()
        digest = hashlib.sha256(str(place).encode(errors="surrogateescape")).hexdigest()[:10]
        return settings.data_folder() / "folders" / f"{place.name}-{digest}"


def open_memory(
    settings: Settings, cwd: Path, *, run: str = "", author: str = "", hidden: frozenset[str] = frozenset()
) -> "Memory":
    """The memory of the repository around `cwd`; `View` says what `run`, `author` and `hidden` do."""
    from runner.memory.sql.database import Database  # a server that is asked for its tools needs no database yet
    from runner.memory.store import Memory

    home = home_of(cwd, settings)
    url = settings.database_url or f"sqlite:///{home / FILE}"
    return Memory(Database(url), View(home.name[-128:], run, author, hidden))
