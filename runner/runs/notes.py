"""Progress where nobody looks on: what the user should know is left with the run for whoever watches it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from runner.agents.events import Event
from runner.runs.submission import RunFolder


@dataclass(frozen=True)
class Notes:
    """Keeps the notes of a run; events and endings lie in files of their own."""

    run: RunFolder

    def note(self, text: str) -> None:
        """Keep a line."""
        self.run.note(note=text)

    def started(self, worker: str, program: str) -> None:
        """Keep that a session starts, or is followed again."""
        self.run.note(started=worker, program=program)

    def heard(self, worker: str, event: Event) -> None:
        """Nothing: it is in the session's events."""

    def ended(self, worker: str, status: str, reason: str) -> None:
        """Nothing: it is in the session's `exit.json`."""

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """There is no terminal."""
        yield

    @contextmanager
    def shown(self) -> Iterator[None]:
        """There is nothing to show."""
        yield
