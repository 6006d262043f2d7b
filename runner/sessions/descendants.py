"""Every process that came of this one: found by descent and by mark, and ended. Standard library only.

A program that leaves its process group or its session, and one whose parent has died, is still found: the kernel
hands orphans to the nearest ancestor that asked for them, and what a session started carries its mark.
"""

import ctypes
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

POLL_S = 0.02
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36
_PROC = Path("/proc")


def adopt_orphans() -> bool:
    """Become the parent of descendants whose own parent dies; False where the system can't do that (not Linux)."""
    return _prctl(_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Ask for SIGTERM when the parent dies; ends this process at once where it is dead already."""
    if _prctl(_SET_PDEATHSIG, signal.SIGTERM) and os.getppid() != parent:
        os._exit(128 + signal.SIGTERM)


def reap() -> dict[int, int]:
    """Collect the children that have ended: exit codes by number, negative where a signal ended it."""
    ended: dict[int, int] = {}
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = os.waitstatus_to_exitcode(found[1])
    return ended


def kill_all(name: str, value: str, limit_s: float) -> list[int]:
    """Kill all children, and all that has `name`=`value` in its environment; returns what would not die."""
    deadline, mark = time.monotonic() + limit_s, f"{name}={value}".encode()
    while left := (_children() | _marked(mark)):
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return sorted(left)
        time.sleep(POLL_S)
        reap()
    return []


def _prctl(option: int, value: int) -> bool:
    try:
        return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def _children() -> set[int]:
    reap()
    try:
        return {int(word) for word in (_PROC / f"self/task/{os.getpid()}/children").read_text().split()}
    except OSError:
        return set()


def _marked(mark: bytes) -> set[int]:
    """Those that carry the mark; a process that can't be looked into is another user's, or is ending."""
    found = set()
    for name in os.listdir(_PROC) if _PROC.is_dir() else ():  # noqa: PTH208 (a Path for each process costs as much)
        if name.isdigit():
            with suppress(OSError):
                if mark in (_PROC / name / "environ").read_bytes().split(b"\0"):
                    found.add(int(name))
    return found - {os.getpid()}
