"""The record of an installation: what was written where, so that exactly that can be taken away again."""

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from runner.install.change import read_bytes
from runner.install.errors import ConfigurationUnusable
from runner.install.piece import Setting
from runner.storage import write_whole


def digest(data: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class WrittenFile(_Frozen):
    """A file of ours."""

    path: Path
    sha256: str
    """Digest of what was written; a file with another one has been changed by the user and is the user's now."""


class EditedFile(_Frozen):
    """A settings file that ours were added to."""

    path: Path
    before: str | None
    """Its content without ours; None: it did not exist."""
    sha256: str
    """Digest of its content with ours; while it fits, `before` is restored to the byte."""
    settings: tuple[Setting, ...]
    """What was added; what the user had already is not among it."""


class Record(_Frozen):
    """One program in one scope."""

    files: tuple[WrittenFile, ...] = ()
    edited: tuple[EditedFile, ...] = ()
    folders: tuple[Path, ...] = ()
    """Folders that were made, outermost first."""

    def is_empty(self) -> bool:
        """True where nothing is installed."""
        return not (self.files or self.edited)


def record_path(data_folder: Path, program: str, root: Path) -> Path:
    """Where the record of what was installed under `root` lies."""
    return data_folder / "installed" / f"{program}-{digest(str(root).encode())[:12]}.json"


def read_record(path: Path) -> Record:
    """Read a record; an empty one where nothing was installed.

    Raises:
        ConfigurationUnusable: the file is no record.
    """
    data = read_bytes(path)
    if data is None:
        return Record()
    try:
        return Record.model_validate_json(data)
    except ValidationError as error:
        raise ConfigurationUnusable(path, "it is no record of an installation; remove it to begin anew") from error


def write_record(path: Path, record: Record) -> None:
    """Store a record; an empty one is removed."""
    if record.is_empty():
        path.unlink(missing_ok=True)
    else:
        write_whole(path, record.model_dump_json(indent=1))
