"""Writing to disk so that a reader, or a crash, never meets half a file."""

import os
from pathlib import Path

from runner.errors import StorageUnavailable


def make_folder(path: Path) -> None:
    """Make a folder for the user alone, and those above it; raises `StorageUnavailable` where that fails."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(path, f"can't be made ({error.strerror})") from error


def write_whole(path: Path, text: str) -> None:
    """Write a file all at once; raises `StorageUnavailable` where that fails, then an older file is still whole."""
    make_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageUnavailable(path, f"can't be written ({error.strerror})") from error
