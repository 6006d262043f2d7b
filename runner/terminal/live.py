"""Progress in a terminal: a table that is drawn again and again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from runner.agents.events import Event, Usage, line_of


@dataclass
class _Row:
    state: str
    doing: str = ""
    tokens: int | None = None
    since: float = field(default_factory=time.monotonic)
    lasted_s: float | None = None


class LiveProgress:
    """A table that is drawn again four times a second."""

    def __init__(self, console: Console) -> None:
        self._rows: dict[str, _Row] = {}
        self._live = Live(console=console, get_renderable=self._table, transient=True)

    def note(self, text: str) -> None:
        """Print a line above the table."""
        self._live.console.print(Text(f"runner: {text}"), soft_wrap=True)

    def started(self, worker: str, program: str) -> None:
        """Begin a row."""
        self._rows[worker] = _Row(program)

    def heard(self, worker: str, event: Event) -> None:
        """Show the last thing an agent told."""
        row = self._rows[worker]
        row.doing = line_of(event) or row.doing
        if isinstance(event, Usage):
            row.tokens = event.tokens

    def ended(self, worker: str, status: str, reason: str) -> None:
        """End a row; an interactive task has none."""
        if row := self._rows.get(worker):
            row.state, row.doing, row.lasted_s = status, reason, time.monotonic() - row.since

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Take the table away for a while."""
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw the table until the end."""
        with self._live:
            yield

    def _table(self) -> Table | str:
        if not self._rows:
            return ""
        table = Table(box=None, pad_edge=False)
        for title in ("worker", "state", "time", "tokens", "doing"):
            table.add_column(title, no_wrap=True, ratio=1 if title == "doing" else None)
        for worker, row in list(self._rows.items()):
            lasted = row.lasted_s or time.monotonic() - row.since
            tokens = "" if row.tokens is None else f"{row.tokens:,}"
            table.add_row(worker, row.state, f"{lasted:.0f} s", tokens, Text(row.doing))
        return table
