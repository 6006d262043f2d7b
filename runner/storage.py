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


def write_whole(path: Path, text: str, *, mode: int = 0o666, flush: bool = True) -> None:
    """Write a file all at once, `mode` being its rights as far as the user's mask leaves them.

    Without `flush` a power cut may still take the file away again.

    Raises:
        StorageUnavailable: that fails; an older file is still whole then.
    """
    make_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageUnavailable(path, f"can't be written ({error.strerror})") from error
