"""The process beside one session: starts its agent, keeps its limits, ends its whole tree, writes down how it ended.

    python -I -m runner.sessions.supervisor ATTEMPT      (a folder `attempt-N` within the session's)

It outlives whoever started it, and holds the lock of the session's folder, handed to it as file 3, for as long as it
lives: while the lock is held there is an agent or will be one, and nobody else starts one. Standard library only, for
there is one of these beside every session.

    attempt-N/order.json    read: what to start and its limits
              begun.json    written after the start: the numbers of both processes
              ended.json    written last of all: exit code, cause, time
    stop                    read: why it is to end now, as one word
    output.jsonl stderr.txt what the agent printed, in all attempts
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runner.sessions.child import Child
from runner.sessions.descendants import adopt_orphans, kill_all

LOCK_FD = 3
LOOK_EVERY_S = 0.2
LONGEST_LOOK_S = 1.0
"""What counts of the time between two looks: a machine that slept, or a stopped process, is not a silent agent."""
KILL_S = 10.0
"""Longest that what was killed is waited for; the kernel may keep a process that waits for a disk."""
MOST_OUTPUT = 2 * 1024**3
"""An agent that prints more, in bytes, is ended before it fills the disk."""
SCARCE = 64 * 1024
"""Bytes: a disk with less is full."""
RESERVED = 4096
"""Bytes set aside at the start, so that the end can be written down on a full disk too."""


class Clock:
    """How long the session has run and been silent, in seconds, not counting times when nobody ran."""

    def __init__(self, output: Path) -> None:
        self._output, self._size, self._last = output, -1, time.monotonic()
        self.running_s = self.silent_s = 0.0

    def look(self) -> None:
        """Count the time since the last look."""
        now, size = time.monotonic(), self.size()
        passed, self._last = min(now - self._last, LONGEST_LOOK_S), now
        self.running_s += passed
        self.silent_s = self.silent_s + passed if size == self._size else 0.0
        self._size = size

    def size(self) -> int:
        """Bytes printed up to now."""
        try:
            return self._output.stat().st_size
        except OSError:
            return 0


def supervise(attempt: Path) -> None:
    """Have the agent of `attempt` work to its end."""
    told_to_leave: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: told_to_leave.append(number))
    adopting = adopt_orphans()
    order = json.loads((attempt / "order.json").read_bytes())
    ending = Ending(attempt)
    clock = Clock(attempt.parent / "output.jsonl")
    try:
        agent = Child(order)
    except OSError as error:
        ending.write(code=None, cause="unstartable", problem=error.strerror, running_s=0.0, left=[])
        return
    _write(attempt / "begun.json", {"supervisor": os.getpid(), "agent": agent.pid, "at": time.time()})
    cause = _watch(agent, order, clock, lambda: "interrupted" if told_to_leave else _stop_word(attempt.parent))
    agent.end(order["grace_s"], KILL_S)
    if not adopting:
        agent.signal(signal.SIGKILL)
    left = kill_all(order["mark"], order["session"], KILL_S)
    ending.write(
        code=agent.code, cause=cause, problem=_shortage(attempt), running_s=round(clock.running_s, 3), left=left
    )


class Ending:
    """The file that says how it ended; its place on the disk is taken at the start."""

    def __init__(self, attempt: Path) -> None:
        self._path, self._draft = attempt / "ended.json", attempt / ".ended.json"
        with self._draft.open("wb") as file:
            file.write(b" " * RESERVED)
            file.flush()
            os.fsync(file.fileno())

    def write(self, **facts: object) -> None:
        """Write it down for good."""
        text = json.dumps({**facts, "at": time.time()}).encode()
        with self._draft.open("r+b") as file:
            file.write(text)
            file.flush()
            file.truncate(len(text))
            os.fsync(file.fileno())
        self._draft.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _watch(agent: Child, order: dict[str, Any], clock: Clock, told: Callable[[], str]) -> str:
    """Wait for the end; returns why it must end now, or nothing where it ended by itself."""
    while not agent.wait(LOOK_EVERY_S):
        clock.look()
        if word := told():
            return word
        if clock.running_s > order["wall_s"]:
            return "timed_out"
        if clock.silent_s > order["silence_s"]:
            return "stalled"
        if clock.size() > MOST_OUTPUT:
            return "overflowed"
    clock.look()
    return ""


def _shortage(folder: Path) -> str:
    """What the machine was short of, for an agent can't write down that the disk is full."""
    disk = os.statvfs(folder)
    return "" if disk.f_bavail * disk.f_frsize >= SCARCE else "the disk is full"


def _stop_word(folder: Path) -> str:
    try:
        return (folder / "stop").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _write(path: Path, facts: dict[str, object]) -> None:
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps(facts), encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    os.closerange(LOCK_FD + 1, 1024)
    os.set_inheritable(LOCK_FD, False)
    os.chdir("/")
    supervise(Path(sys.argv[1]))
