"""The report's plots, as SVG (the one door to matplotlib; extra `train`)."""

import importlib.util
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

INK, SOFT, GRID = "#1f2937", "#6b7280", "#e5e7eb"
NEW, OLD, RULES = "#4f46e5", "#9ca3af", "#f59e0b"
_STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "report", "font.size": 10, "text.color": INK, "axes.labelcolor": SOFT,
    "axes.edgecolor": GRID, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": GRID, "xtick.color": SOFT, "ytick.color": SOFT, "legend.frameon": False, "axes.axisbelow": True,
}  # fmt: skip
MOST_SOURCES = 12
"""More sources are summed up: nobody tells so many colours apart."""
LONGEST_NAME = 32
"""Of a longer name the end is left out."""
LETTER_INCHES = 0.08
"""Room for one letter beside the axes, at the font's size."""
FEWEST_IN_BIN = 10
"""A bin of fewer rows is chance: its dot is shown, but no line leads to it."""
Counts = NDArray[np.int64]


def available() -> bool:
    """False where matplotlib is not installed."""
    return importlib.util.find_spec("matplotlib") is not None


def confusion(names: Sequence[str], counts: Counts) -> str:
    """A heat map; `counts` has shape (n_names, n_names), rows are what is right, columns what was chosen."""
    shares = counts / counts.sum(axis=1, keepdims=True).clip(1)
    short = [_short(name) for name in names]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.grid(visible=False)
        axes.imshow(shares, cmap="Purples", vmin=0, vmax=1, aspect="equal")
        axes.set_xticks(range(len(names)), short, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), short)
        axes.set_xlabel("chosen")
        axes.set_ylabel("right")
        for spine in axes.spines.values():
            spine.set_visible(False)
        for (row, column), count in np.ndenumerate(counts):
            if count:
                color = "white" if shares[row, column] > 0.55 else INK
                axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=9)

    side = 1.2 + 0.42 * len(names)
    return _svg(draw, side + _room(short), side + 0.75 * _room(short))


def reliability(bins: Sequence[tuple[float, float, int]], error: float) -> str:
    """Accuracy over confidence, a point a bin; `bins` are mean confidence, accuracy, count."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=OLD, linestyle=(0, (3, 3)), linewidth=1, label="honest")
        total = sum(count for *_, count in bins) or 1
        for confidence, accuracy, count in bins:
            strong = count >= FEWEST_IN_BIN
            axes.scatter([confidence], [accuracy], s=20 + 400 * count / total, color=NEW if strong else OLD, alpha=0.75)
        firm = [(confidence, accuracy) for confidence, accuracy, count in bins if count >= FEWEST_IN_BIN]
        axes.plot([x for x, _ in firm], [y for _, y in firm], color=NEW, linewidth=1.5)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.05), xlabel="confidence", ylabel="accuracy", title=f"ECE {error:.3f}")
        axes.legend(loc="lower right")

    return _svg(draw, 4.6, 4.0)


def coverage(curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> str:
    """Accuracy on the most confident share; each curve is coverage and accuracy."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for (name, (share, accuracy)), color in zip(curves.items(), (NEW, OLD), strict=False):
            axes.plot(share, accuracy, color=color, linewidth=1.8, label=name)
        axes.axvline(0.8, color=GRID, linewidth=1)
        lowest = min((float(accuracy.min()) for _, accuracy in curves.values() if len(accuracy)), default=0)
        axes.set(xlim=(0, 1), ylim=(max(0, lowest - 0.05), 1.01), xlabel="coverage", ylabel="accuracy")
        axes.legend(loc="lower left")

    return _svg(draw, 4.6, 4.0)


def learning(curve: Sequence[tuple[int, float]]) -> str:
    """Accuracy on the held-out rows over rows learnt from."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        sizes, accuracies = [size for size, _ in curve], [accuracy for _, accuracy in curve]
        axes.plot(sizes, accuracies, color=NEW, marker="o", linewidth=1.8)
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        middle, reach = (max(accuracies) + min(accuracies)) / 2, max(0.03, np.ptp(accuracies))
        axes.set(xlabel="rows learnt from", ylabel="accuracy", ylim=(middle - reach, min(1.01, middle + reach)))

    return _svg(draw, 4.6, 3.2)


def bars(groups: Mapping[str, Mapping[str, int]]) -> str:
    """Rows by label, stacked by where they come from; `groups` is label → source → rows."""
    groups = _families({_short(label): counts for label, counts in groups.items()})
    totals: Counter[str] = Counter()
    for counts in groups.values():
        totals.update(counts)
    named = sorted(name for name, _ in totals.most_common(MOST_SOURCES))
    stacks = {_short(name): [counts.get(name, 0) for counts in groups.values()] for name in named}
    if len(totals) > len(named):
        sums = [sum(n for name, n in counts.items() if name not in named) for counts in groups.values()]
        stacks[f"{len(totals) - len(named)} others"] = sums

    def draw(figure: Any) -> None:
        from matplotlib import colormaps

        axes = figure.subplots()
        left = np.zeros(len(groups))
        for index, (source, widths) in enumerate(stacks.items()):
            color = colormaps["viridis"](0.1 + 0.8 * index / max(1, len(stacks) - 1))
            axes.barh(list(groups), widths, left=left, color=color, height=0.7, label=source)
            left += np.array(widths)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("rows")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)

    room = _room(list(groups)) + _room(list(stacks))
    return _svg(draw, 6.0 + room, 1.0 + 0.28 * max(len(groups), len(stacks) * 0.8))


def _families(groups: Mapping[str, Mapping[str, int]]) -> Mapping[str, Mapping[str, int]]:
    """The same with sources summed up by the beginning of their names (`a-b-c` is of `a-b`) until they are few."""
    sources = {name for counts in groups.values() for name in counts}
    parts = max((name.count("-") for name in sources), default=0)
    while len(sources) > MOST_SOURCES and parts > 0:
        family = {name: "-".join(name.split("-")[:parts]) for name in sources}
        summed: dict[str, Counter[str]] = {label: Counter() for label in groups}
        for label, counts in groups.items():
            for name, count in counts.items():
                summed[label][family[name]] += count
        groups, sources, parts = summed, set(family.values()), parts - 1
    return groups


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _room(names: Sequence[str]) -> float:
    """Inches that the longest of these names takes."""
    return LETTER_INCHES * max(map(len, names), default=0)


def _svg(draw: Any, width: float, height: float) -> str:
    """Draw on a figure of so many inches; returns an `<svg>` element."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        content = io.StringIO()
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None})
    text = content.getvalue()
    return text[text.index("<svg") :]
