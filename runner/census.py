"""The processes that live: found by the mark that a session's all carry, or by number and start."""

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "RUNNER_SESSION_ID"
"""Variable by which every process of a session is found again, those that left its process group too."""
LOOK_AGAIN_S = 0.05
KILL_S = 5.0
"""Longest that what was killed is waited for; the kernel may keep a process that waits for a disk."""


def kill_marked(mark: str) -> None:
    """Kill every process that carries `mark`, until a look finds none: they may fork meanwhile."""
    deadline = time.monotonic() + KILL_S
    while (left := marked(mark)) and time.monotonic() < deadline:
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(LOOK_AGAIN_S)


def marked(mark: str) -> list[psutil.Process]:
    """The living processes that carry `mark`."""
    return [process for process in psutil.process_iter() if _mark_of(process) == mark]


def started_at(pid: int) -> float:
    """When a process started, in seconds by a clock that nobody sets: since the machine did; elsewhere since 1970.

    Raises:
        psutil.Error: there is no such process.
    """
    with suppress(OSError, ValueError, IndexError):
        after_its_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        return int(after_its_name.split()[19]) / os.sysconf("SC_CLK_TCK")
    return psutil.Process(pid).create_time()


def is_alive(pid: int, started: float) -> bool:
    """True where the process of this number is still the one that `started_at` then."""
    try:
        return abs(started_at(pid) - started) < 1 and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None
