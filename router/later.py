"""What nobody waits for: calls made a moment later, by one thread, several in a row."""

import threading
import time
from collections import deque
from collections.abc import Callable

LOOK_S = 0.05
"""How often the thread looks for calls. Woken for each, it would hold up the answer that the call is about; and in
a row they cost half, since what they use stays in the processor's caches."""
LONGEST_QUEUE = 10_000
"""More calls push the oldest out: a thread that does not come to its turn must not fill memory."""
_Call = tuple[Callable[..., object], tuple[object, ...]]


class Later:
    """A queue of calls and the thread that makes them, started by the first."""

    def __init__(self) -> None:
        self._waiting: deque[_Call] = deque(maxlen=LONGEST_QUEUE)
        self._making = threading.Lock()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, call: Callable[..., object], *arguments: object) -> None:
        """Make this call soon; never waits."""
        self._waiting.append((call, arguments))
        if self._thread is None:
            self._start()

    def settle(self) -> None:
        """Return once all that was put before has been called."""
        with self._making:
            while self._waiting:
                call, arguments = self._waiting.popleft()
                call(*arguments)

    def close(self) -> None:
        """Make the calls that wait, and end the thread; what is put later is not called."""
        self._closed = True
        self.settle()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="later", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closed:
            self.settle()
            time.sleep(LOOK_S)
