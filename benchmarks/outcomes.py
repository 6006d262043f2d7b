"""Does the router learn a user's habits from what is logged, without forgetting the rest?

    python -m benchmarks.outcomes [--users 3] [--out docs]

A simulated user works through a real router and journal; after 50, 200 and 1,000 tasks the real job retrains with the
encoder frozen, behind the real gate. Writes `outcomes.md` and `outcomes.svg`.

Where his habits differ from the seed data:
- what is of his project `payments` he always does with a person present (claude-code), whatever it is;
- what is of `storybook` he always leaves to headless sessions (codex);
- what is of `gateway` always goes through design, implementation and review (hybrid);
- `spike:` before something to build means that he wants to think it through first (claude-code);
- the other half of his tasks goes where the seed data says.

He names the project in one of three ways: `payments: …`, `in payments: …`, `… (payments)`. Of the answers that he
likes he accepts 45 %, calls 15 % good and says nothing of the rest; of those that he doesn't he corrects 35 %,
overrides 25 %, rejects 25 % and says nothing of the rest. With wrong feedback he wants another platform than his own
in a tenth of the tasks, and says so.

His prompts are golden rows of every second session, which neither encoder nor classifier has seen; a third of them is
only tested on, the others come up again and again, each time as another project's. The other golden rows show what is
forgotten.
"""

import argparse
import itertools
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.user import Wish, many, react
from router.journal import Journal
from router.labels import OUT_OF_SCOPE
from router.policy import SHIPPED as SHIPPED_POLICY
from router.policy import Policy
from router.registry import Registry
from router.service import Router
from router.settings import Settings
from training.evaluate import judge
from training.evidence import collect, emphasise
from training.findings import Findings
from training.head import predictor_of
from training.job import Job, train
from training.request import GOLDEN_FILE, SEED_FILES, shipped_data
from training.rows import Row, read
from training.vectors import TextVectors, VectorStore

STAGES = (50, 200, 1000)
TESTED = 400
TESTED_SHARE = 1 / 3
SESSIONS = "sessions-"


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


def begin(folder: Path, rows: Sequence[Row], golden: Sequence[Row]) -> None:
    """What every user starts with: the shipped encoder, and a classifier that this golden set judged."""
    registry = Registry(folder)
    served = Registry.of(Settings()).load_current()
    first = train(Job(rows=rows, golden=golden, lender=served), registry, lambda _: None, lambda *_: None)
    registry.promote(first.manifest.version)


def course(
    noise: float, seed: int, start: Path, rows: Sequence[Row], own: Sequence[Row], golden: Sequence[Row]
) -> Course:
    """One user from the first task to the last retrain; `start` is the folder that `begin` filled."""
    random = np.random.default_rng(seed)
    policy = Policy.open(SHIPPED_POLICY)
    order = [own[i] for i in random.permutation(len(own))]
    cut = int(len(own) * TESTED_SHARE)
    tested = many(order[:cut], TESTED, policy, random)
    logged = many(order[cut:], STAGES[-1], policy, random)
    found = Course(noise)
    with tempfile.TemporaryDirectory() as folder:
        registry = Registry(Path(shutil.copytree(start, Path(folder) / "models")))
        journal = Journal(f"sqlite:///{folder}/journal.db")
        router = Router(registry, journal)
        _measure(found, registry, tested, golden)
        done = 0
        for stage in STAGES:
            for wish in logged[done:stage]:
                react(router, wish, noise, random)
            done = stage
            started = time.perf_counter()
            job = Job(rows=rows, golden=golden, evidence=emphasise(collect(journal)))
            trained = train(job, registry, lambda _: None, lambda *_: None)
            _note(found, trained.findings, stage, time.perf_counter() - started)
            if trained.findings.verdict.promote:
                registry.promote(trained.manifest.version)
                router.reload()
            _measure(found, registry, tested, golden)
        router.close()
    return found


def _note(found: Course, findings: Findings, stage: int, took_s: float) -> None:
    verdict = findings.verdict
    found.promoted.append(verdict.promote)
    evidence = len(findings.question.evidence)
    found.log.append(f"after {stage}: {evidence} pieces of evidence, {took_s:.0f} s; {verdict.reason}")


def _measure(found: Course, registry: Registry, tested: Sequence[Wish], golden: Sequence[Row]) -> None:
    model = registry.load_current()
    says = predictor_of(model, TextVectors(model.encoder, VectorStore()))
    judged = judge([Row(wish.text, None, platform=wish.platform) for wish in tested], says, model.policy)
    right = np.array([one.right for one in judged])
    habit = np.array([bool(wish.habit) for wish in tested])
    found.user.append(float(right.mean()))
    found.habits.append(float(right[habit].mean()))
    found.others.append(float(right[~habit].mean()))
    on_golden = [one.right for one in judge(golden, says, model.policy) if one.platform]
    found.golden.append(float(np.mean(on_golden)))


def page(courses: Sequence[Course], users: int) -> str:
    """The results, as Markdown."""
    intro = __doc__.split("\n\n", 2)[2] if __doc__ else ""
    lines = [
        "# Learning from outcomes\n",
        f"Written by `python -m benchmarks.outcomes --users {users}`; means over {users} users.\n",
        intro,
        "In the table `his habits` are his tasks that a habit rules, and `golden set` the rows that judge.\n",
        "| wrong feedback | tasks logged | this user | his habits | his other tasks | golden set | promoted |",
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


def main() -> None:
    """Run every user, with honest feedback and with a tenth of it wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    rows = read([path for name in SEED_FILES if (path := shipped_data() / name).is_file()])
    judges = read([shipped_data() / GOLDEN_FILE])
    sessions = sorted({row.source for row in judges if row.source.startswith(SESSIONS)})[::2]
    own = [row for row in judges if row.source in sessions and row.task_type not in {None, OUT_OF_SCOPE}]
    golden = [row for row in judges if row.source not in sessions]
    courses = []
    with tempfile.TemporaryDirectory() as folder:
        begin(Path(folder), rows, golden)
        for user, noise in itertools.product(range(options.users), (0.0, 0.1)):
            found = course(noise, user, Path(folder), rows, own, golden)
            courses.append(found)
            print(f"user {user}, {noise:.0%} wrong feedback: {found.user} golden {found.golden}", flush=True)
            print("\n".join(f"  {line}" for line in found.log), flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    plot(courses, options.out / "outcomes.svg")
    (options.out / "outcomes.md").write_text(page(courses, options.users), encoding="utf-8")
    print(page(courses, options.users))


if __name__ == "__main__":
    main()
