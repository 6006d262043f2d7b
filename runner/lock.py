"""A lock among processes: a file that the kernel unlocks when its holder dies."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from runner.errors import Busy, StorageUnavailable
from runner.process import POLL_S
from runner.storage import make_folder

SHORT_POLL_S = 0.005
"""Most locks are held for a few milliseconds; one that is held for long is not looked at all the time."""


@contextmanager
def locked(path: Path, wait_s: float, meanwhile: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file `path`, waiting at most `wait_s` seconds for another holder.

    `meanwhile` is called again and again while it waits, and may raise.

    Raises:
        Busy: it is still held after that.
    """
    make_folder(path.parent)
    began = time.monotonic()
    with _opened(path) as file:
        while not _take(file.fileno()):
            waited_s = time.monotonic() - began
            if waited_s >= wait_s:
                raise Busy(path, wait_s)
            meanwhile()
            time.sleep(min(POLL_S, max(SHORT_POLL_S, waited_s / 10)))
        yield


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("ab")
    except OSError as error:
        raise StorageUnavailable(path, f"can't be opened ({error.strerror})") from error


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
