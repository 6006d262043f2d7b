"""What was measured of the shared memory, as a Markdown table in docs/memory.md."""

import os
import platform
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.memory_server import Timings

DOCUMENT = Path(__file__).parents[1] / "docs" / "memory.md"
BEGIN, END = "<!-- begin: benchmarks.memory -->", "<!-- end: benchmarks.memory -->"


@dataclass(frozen=True)
class Block:
    """What was measured of one memory."""

    title: str
    timings: Timings
    wanted_ms: dict[str, float]
    """The median that is to be kept to, by what was done."""

    def rows(self) -> list[str]:
        """Lines of the table."""
        found = []
        for name, values in self.timings.items():
            ordered = sorted(values)
            median, p95 = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
            wanted = self.wanted_ms.get(name)
            met = "" if wanted is None else f"{wanted:.1f} {'✓' if median <= wanted else '✗'}"
            found.append(f"| {self.title} | {name} | {median:.2f} | {p95:.2f} | {len(ordered)} | {met} |")
        return found


def table(blocks: Sequence[Block], command: str, notes: Sequence[str] = ()) -> str:
    """The table, and where it comes from."""
    lines = ["| what | doing | p50 ms | p95 ms | times | wanted p50 ms |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [row for block in blocks for row in block.rows()]
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end, Python {platform.python_version()}"
    return "\n".join((*lines, "", f"By `{command}` on {machine}.", *(f"- {note}" for note in notes)))


def write(text: str) -> None:
    """Put the table into the document, between its markers."""
    before = DOCUMENT.read_text(encoding="utf-8")
    between = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    DOCUMENT.write_text(between.sub(lambda _: f"{BEGIN}\n{text}\n{END}", before), encoding="utf-8")
