"""The sessions that this worker follows now: let in one after the other, told to end, and left."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from runner.pace import SESSION_BYTES, Pace
from runner.runs.submission import RunFolder

LOOK_S = 0.25


class Attendance:
    """Who is here; one for the whole process, for steps are given nothing but JSON."""

    def __init__(self) -> None:
        self.leave = threading.Event()
        """Set when this process must go while the sessions go on."""
        self.seats = Pace.program_sessions
        """For sessions of one program, of all runs together."""
        self._seated: defaultdict[str, int] = defaultdict(int)
        self._place = threading.Condition()
        self._here: dict[tuple[RunFolder, str], threading.Event] = {}
        self._let_in = 0.0
        self._door, self._parked = threading.Lock(), threading.Semaphore(0)

    @contextmanager
    def seat(
        self, run: RunFolder, worker: str, program: str, stagger_s: float, *, begun: bool
    ) -> Iterator[threading.Event]:
        """Let a session in when there is room; yields the event that is set once it has to end.

        One that has `begun` uses its memory already.
        """
        stop = threading.Event()
        self._here[run, worker] = stop
        self.look()
        try:
            with self._place:
                while not begun and self._seated[program] >= self.seats and not (stop.is_set() or self.leave.is_set()):
                    self._place.wait(LOOK_S)
                self._seated[program] += 1
            try:
                if not begun:
                    self._wait(stop, stagger_s)
                yield stop
            finally:
                with self._place:
                    self._seated[program] -= 1
                    self._place.notify_all()
        finally:
            del self._here[run, worker]

    def look(self) -> None:
        """Tell the sessions to end whose files say so."""
        for (run, worker), stop in list(self._here.items()):
            if not stop.is_set() and run.is_cancelled(worker):
                stop.set()

    def park(self) -> None:
        """Wait for the end of this process: what a step returned or raised would be taken for its result."""
        self._parked.release()
        threading.Event().wait()

    def leave_all(self, limit_s: float) -> None:
        """Have all who follow a session let go of it, and wait until they have."""
        self.leave.set()
        deadline = time.monotonic() + limit_s
        for _ in range(len(self._here)):
            self._parked.acquire(timeout=max(0.0, deadline - time.monotonic()))

    def _wait(self, stop: threading.Event, stagger_s: float) -> None:
        """One after the other, and only where the memory suffices; the only session is always let in."""
        with self._door:
            while not (stop.is_set() or self.leave.is_set() or self._has_room()):
                stop.wait(LOOK_S)
            stop.wait(max(0.0, self._let_in + stagger_s - time.monotonic()))
            self._let_in = time.monotonic()

    def _has_room(self) -> bool:
        return len(self._here) <= 1 or psutil.virtual_memory().available >= SESSION_BYTES
