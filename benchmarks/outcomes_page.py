"""What came of the simulated users of `benchmarks.outcomes`: a page and a plot."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

STAGES = (50, 200, 1000)
"""Tasks logged before each retrain."""


@dataclass
class Course:
    """How one user fared: accuracy at every stage."""

    noise: float
    user: list[float] = field(default_factory=list)
    habits: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    golden: list[float] = field(default_factory=list)
    promoted: list[bool] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


def page(courses: Sequence[Course], users: int, intro: str) -> str:
    """The results, as Markdown; `intro` says how the users are simulated."""
    lines = [
        "# Learning from outcomes\n",
        f"Written by `python -m benchmarks.outcomes --users {users}`; means over {users} users.\n",
        intro,
        "In the table `habits` are this user's tasks that a habit rules, and `golden set` the rows that judge.\n",
        "| wrong feedback | tasks logged | this user | habits | other tasks | golden set | promoted |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for noise in sorted({one.noise for one in courses}):
        some = [one for one in courses if one.noise == noise]
        for index, stage in enumerate((0, *STAGES)):
            numbers = (
                np.mean([getattr(one, name)[index] for one in some]) for name in ("user", "habits", "others", "golden")
            )
            cells = " | ".join(f"{number:.1%}" for number in numbers)
            promoted = f"{sum(one.promoted[index - 1] for one in some)} of {len(some)}" if index else "-"
            lines.append(f"| {noise:.0%} | {stage:,} | {cells} | {promoted} |")
    lost = max(one.golden[0] - min(one.golden) for one in courses)
    lines += [
        f"\nThe golden set's largest fall for any user at any stage: {100 * max(0.0, lost):.1f} points.\n",
        "![accuracy over logged outcomes](outcomes.svg)\n",
        "What the gate said of the first user with wrong feedback:\n",
        *(f"- {line}" for line in next(one for one in courses if one.noise > 0).log),
    ]
    return "\n".join(lines) + "\n"


def plot(courses: Sequence[Course], path: Path) -> None:
    """Accuracy over logged outcomes, as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    places = range(1 + len(STAGES))
    for noise, style in ((0.0, "-"), (0.1, "--")):
        some = [one for one in courses if one.noise == noise]
        for name, color in (("user", "#4f46e5"), ("habits", "#f59e0b"), ("golden", "#9ca3af")):
            values = np.array([getattr(one, name) for one in some])
            label = f"{name}{', 10 % wrong feedback' if noise else ''}"
            axes.plot(places, values.mean(axis=0), style, color=color, marker="o", label=label)
            if not noise:
                axes.fill_between(places, values.min(axis=0), values.max(axis=0), color=color, alpha=0.12, linewidth=0)
    axes.set_xticks(places, [f"{stage:,}" for stage in (0, *STAGES)])
    axes.set(xlabel="tasks logged", ylabel="accuracy (platform)", ylim=(None, 1.02))
    axes.grid(color="#e5e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    figure.savefig(path, metadata={"Date": None})
