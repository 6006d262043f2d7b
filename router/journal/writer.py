"""Writes decisions to the journal in the background, in order, several at once; a route never waits for it."""

import atexit
import logging
import threading
import time
from collections import deque

from router.errors import JournalError
from router.journal.journal import Journal
from router.journal.record import Entry

GROUP_S = 0.05
"""How long the first decision of a group waits for others to share its transaction."""
GROUP_SIZE = 500
RETRY_S = (0.1, 5.0)
"""First and longest pause before a journal that failed is tried again."""
FLUSH_TIMEOUT_S = 5.0
"""Longest wait for decisions to be written before something that needs them."""
_log = logging.getLogger("router")


class JournalWriter:
    """A bounded queue before the journal and the thread that empties it, started by the first decision."""

    def __init__(self, journal: Journal, capacity: int) -> None:
        self.journal = journal
        self.capacity = capacity
        """Most decisions kept in memory while the journal can't be written; the oldest go, and are counted."""
        self.written = self.lost = self.failures = 0
        """Decisions stored, decisions given up, and failed tries, since the start."""
        self._waiting: deque[Entry] = deque()
        self._taken: list[Entry] = []
        self._changed = threading.Condition()
        self._urgent = self._closed = False
        self._last_error: JournalError | None = None
        self._thread: threading.Thread | None = None

    @property
    def pending(self) -> int:
        """Decisions not yet written."""
        return len(self._waiting) + len(self._taken)

    def put(self, entry: Entry) -> None:
        """Queue a decision; never waits."""
        with self._changed:
            if self._closed:
                self.lost += 1
                return
            if self.pending >= self.capacity and self._waiting:
                self._waiting.popleft()
                self.lost += 1
            self._waiting.append(entry)
            if self._thread is None:
                self._start()
            elif len(self._waiting) == 1:
                self._changed.notify_all()

    def flush(self) -> None:
        """Return once all that was queued before is written; raises `JournalError` where that fails."""
        with self._changed:
            if not self.pending:
                return
            target, failures = self._settled + self.pending, self.failures
            self._urgent = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._settled >= target or self.failures > failures, FLUSH_TIMEOUT_S)
            if self._settled < target:
                raise self._last_error or JournalError(self.journal.shown_url, "is too slow to be written now")

    def close(self) -> None:
        """Write what waits, or count it as lost; later decisions are lost too."""
        try:
            self.flush()
        except JournalError as error:
            _log.warning("journal_lost", extra={"problem": error.problem, "decisions": self.pending})
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(FLUSH_TIMEOUT_S)
            atexit.unregister(self.close)
        self.lost += self.pending
        self._waiting.clear()
        self._taken.clear()

    @property
    def _settled(self) -> int:
        return self.written + self.lost

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def _run(self) -> None:
        pause_s = 0.0
        while self._take(pause_s or GROUP_S):
            try:
                self.journal.add_entries(self._taken)
            except JournalError as error:
                self._failed(error)
                pause_s = min(max(2 * pause_s, RETRY_S[0]), RETRY_S[1])
            else:
                self._settle(len(self._taken))
                pause_s = 0.0

    def _take(self, wait_s: float) -> bool:
        """Wait for decisions, and then for more to join them; False where the writer is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self.pending or self._closed)
            full = time.monotonic() + wait_s
            while not (self._urgent or self._closed) and (left := full - time.monotonic()) > 0:
                self._changed.wait(left)
            self._urgent = False
            while self._waiting and len(self._taken) < GROUP_SIZE:
                self._taken.append(self._waiting.popleft())
            return not self._closed

    def _failed(self, error: JournalError) -> None:
        if not error.passing:
            self._write_singly()
            return
        _log.warning("journal_unwritable", extra={"problem": error.problem, "decisions": self.pending})
        with self._changed:
            self.failures += 1
            self._last_error = error
            self._changed.notify_all()

    def _write_singly(self) -> None:
        """One decision of the group can never be stored: find it, and give up only that one."""
        while self._taken:
            try:
                self.journal.add_entries(self._taken[:1])
            except JournalError as error:
                if error.passing:
                    self._failed(error)
                    return
                _log.warning("journal_lost", extra={"problem": error.problem, "decisions": 1})
                self._settle(1, lost=True)
            else:
                self._settle(1)

    def _settle(self, count: int, *, lost: bool = False) -> None:
        with self._changed:
            del self._taken[:count]
            self.written += 0 if lost else count
            self.lost += count if lost else 0
            self._changed.notify_all()
