"""What was measured, as a Markdown table and a plot in docs/performance.md."""

import os
import platform
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
PLOT = DOCUMENT.with_name("performance.svg")
BEGIN, END = "<!-- begin: make bench -->", "<!-- end: make bench -->"


@dataclass(frozen=True)
class Row:
    """One thing measured and what it should be."""

    what: str
    ours: str
    beside: str
    """What was measured beside it in the same run."""
    wanted: str
    met: bool | None
    """None where the peer is not there, or too little was measured to say."""


@dataclass
class Report:
    """Rows and the distributions behind them."""

    rows: list[Row] = field(default_factory=list)
    series: dict[str, list[float]] = field(default_factory=dict)
    """Milliseconds by name, for the plot."""
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, ours: str, beside: str, wanted: str, met: bool | None) -> None:  # noqa: FBT001
        """Add a row, and say it."""
        self.rows.append(Row(what, ours, beside, wanted, met))
        print(f"{_mark(met)} {what}: {ours}; beside: {beside}; wanted: {wanted}", flush=True)

    def write(self) -> None:
        """Put table and plot into the document, between its markers."""
        lines = ["| what | ours | beside, same run | wanted | met |", "| --- | --- | --- | --- | --- |"]
        lines += [f"| {r.what} | {r.ours} | {r.beside} | {r.wanted} | {_mark(r.met)} |" for r in self.rows]
        machine = (
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end, Python {platform.python_version()}"
        )
        lines += ["", f"By `python -m benchmarks.route` on {machine}.", *(f"- {note}" for note in self.notes)]
        lines += ["", f"![Milliseconds a route]({PLOT.name})"]
        between = f"{BEGIN}\n{chr(10).join(lines)}\n{END}"
        text = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(
            re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: between, text, flags=re.DOTALL), encoding="utf-8"
        )
        self._plot()

    def _plot(self) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 0.5 * len(self.series) + 1), layout="constrained")
        axes = figure.add_subplot()
        names = list(self.series)
        axes.boxplot([self.series[name] for name in names], orientation="horizontal", whis=(1, 99), showfliers=False)
        axes.set_yticks(range(1, len(names) + 1), names)
        axes.set_xscale("log")
        axes.set_xlabel("milliseconds; box: quartiles, whiskers: 1 % and 99 %")
        figure.savefig(PLOT)


def median(values: Sequence[float]) -> float:
    """The median, in milliseconds for values in seconds."""
    return statistics.median(values) * 1000


def p99(values: Sequence[float]) -> float:
    """The 99th percentile, in milliseconds for values in seconds."""
    return sorted(values)[int(len(values) * 0.99)] * 1000


def _mark(met: bool | None) -> str:  # noqa: FBT001
    return {True: "✓", False: "✗", None: "?"}[met]
