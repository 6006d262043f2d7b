"""Does the router learn a user's habits from what is logged, without forgetting the rest?

    python -m benchmarks.outcomes [--users 3] [--out docs]

A simulated user works through a real router and journal; after 50, 200 and 1,000 tasks the real job retrains with the
encoder frozen, behind the real gate. Writes `outcomes.md` and `outcomes.svg`.

Where their habits differ from the seed data:
- what is of the project `payments` is always done with a person present (claude-code), whatever it is;
- what is of `storybook` is always left to headless sessions (codex);
- what is of `gateway` always goes through design, implementation and review (hybrid);
- `spike:` before something to build means that they want to think it through first (claude-code);
- the other half of their tasks goes where the seed data says.

They name the project in one of three ways: `payments: …`, `in payments: …`, `… (payments)`. Of the answers that they
like they accept 45 %, call 15 % good and say nothing of the rest; of the others they correct 35 %, override 25 %,
reject 25 % and say nothing of the rest. With wrong feedback they want another platform than their own in a tenth of
the tasks, and say so.

Their prompts are golden rows of every second session, which neither encoder nor classifier has seen; a third of them is
only tested on, the others come up again and again, each time as another project's. The other golden rows show what is
forgotten.
"""

import argparse
import itertools
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.outcomes_page import STAGES, Course, page, plot
from benchmarks.user import Wish, many, react
from router.choice.policy import SHIPPED as SHIPPED_POLICY
from router.choice.policy import Policy
from router.journal.journal import Journal
from router.labels import OUT_OF_SCOPE
from router.model.registry import Registry
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

TESTED = 400
TESTED_SHARE = 1 / 3
SESSIONS = "sessions-"


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
    written = page(courses, options.users, intro=str(__doc__).split("\n\n", 2)[2])
    (options.out / "outcomes.md").write_text(written, encoding="utf-8")
    print(written)


if __name__ == "__main__":
    main()
