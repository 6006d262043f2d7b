"""What was measured of the runner, as a Markdown table: said as it comes, and written into docs/sessions.md."""

import os
import platform
import re
from dataclasses import dataclass, field
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "sessions.md"
BEGIN, END = "<!-- begin: benchmarks.runner -->", "<!-- end: benchmarks.runner -->"
HEAD = ("| what | ours | beside, same run | wanted | met |", "| --- | --- | --- | --- | --- |")


@dataclass
class Table:
    """Rows, said as they come."""

    rows: list[str] = field(default_factory=list)

    def add(self, what: str, ours: str, beside: str, wanted: str, *, met: bool) -> None:
        """Say a row."""
        self.rows.append(f"| {what} | {ours} | {beside} | {wanted} | {'✓' if met else '✗'} |")
        print(self.rows[-1], flush=True)

    def write(self, command: str) -> None:
        """Put all of it into the document, between its markers, and say by which `command` it came."""
        machine = (
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end, Python {platform.python_version()}"
        )
        text = "\n".join((BEGIN, *HEAD, *self.rows, "", f"By `{command}` on {machine}.", END))
        between = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
        before = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(between.sub(lambda _: text, before), encoding="utf-8")
