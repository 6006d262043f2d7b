"""What is shown while a run is under way, on stderr: plain lines, or in a terminal a live table."""

import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from runner.agents.events import Event, line_of


class Progress(Protocol):
    """Told of everything that happens, from any thread."""

    def note(self, text: str) -> None:
        """Something the user should know now."""
        ...

    def started(self, worker: str, program: str) -> None:
        """A session starts."""
        ...

    def heard(self, worker: str, event: Event) -> None:
        """An agent tells something."""
        ...

    def ended(self, worker: str, status: str, reason: str) -> None:
        """A task is done with."""
        ...

    def hidden(self) -> AbstractContextManager[None]:
        """While inside, the terminal belongs to another program."""
        ...

    def shown(self) -> AbstractContextManager[None]:
        """While inside, progress is shown."""
        ...


class PlainProgress:
    """One line for each thing, for logs and pipes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def note(self, text: str) -> None:
        """Print a line of ours."""
        with self._lock:
            sys.stderr.write(f"runner: {text}\n")
            sys.stderr.flush()

    def started(self, worker: str, program: str) -> None:
        """Print that a session starts."""
        self.note(f"{worker}: {program} starts")

    def heard(self, worker: str, event: Event) -> None:
        """Print what an agent tells."""
        if line := line_of(event):
            self.note(f"{worker}: {line}")

    def ended(self, worker: str, status: str, reason: str) -> None:
        """Print how a task ended."""
        self.note(f"{worker}: {status} ({reason})")

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Lines go on: they don't go to the terminal."""
        yield

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Lines need no preparation."""
        yield


def open_progress() -> Progress:
    """The live table where stderr is a terminal, else plain lines."""
    if not sys.stderr.isatty():
        return PlainProgress()
    from rich.console import Console

    from runner.terminal.live import LiveProgress

    return LiveProgress(Console(stderr=True))
