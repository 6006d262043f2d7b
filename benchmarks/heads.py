"""What else could stand on the frozen encoder? Every variant against the served kind of classifier, on the same rows.

    python -m benchmarks.heads [--data PROMPTS.jsonl]

Judged on the golden set, on its sessions alone, and on a file of your own; model alone, no abstention. Numbers are the
accuracy of platform and type, the calibration error, and in brackets the difference in platform accuracy from
`as served` in points with its 95 % interval (paired bootstrap).
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from router.labels import OUT_OF_SCOPE
from router.model.classifier import LinearClassifier
from router.model.registry import Registry
from router.settings import Settings
from training.evaluate import calibration_error
from training.head import targets
from training.request import GOLDEN_FILE, SEED_FILES, shipped_data
from training.rows import Row, read
from training.split import split
from training.taxonomy import platform_of
from training.vectors import TextVectors, VectorStore

Numbers = NDArray[np.float64]
SAMPLES = 2000
SESSIONS = "sessions"
NEIGHBOURS, SOFTNESS = 50, 0.05
MIXES = (0.2, 0.35, 0.5)


class Bench:
    """Rows, vectors and targets of every part; `say` prints a variant's line."""

    def __init__(self, data: Path | None) -> None:
        model = Registry.of(Settings()).load_current()
        golden = read([shipped_data() / GOLDEN_FILE])
        parts = split(read([shipped_data() / name for name in SEED_FILES]), golden)
        self.policy, self.labels = model.policy, model.classifier.classes_
        self.rows: dict[str, list[Row]] = {
            "train": parts.train, "calibration": parts.calibration, "golden": golden,
            "sessions": [row for row in golden if row.source.startswith(SESSIONS)],
            **({"own": read([data])} if data else {}),
        }  # fmt: skip
        vectors = TextVectors(model.encoder, VectorStore())
        self.vectors = {name: vectors.encode_all(self.texts(name)) for name in self.rows}
        self.targets = {name: targets(rows, self.labels) for name, rows in self.rows.items()}
        self.weights = np.array([row.weight for row in parts.train])
        self.tested = [name for name in self.rows if name not in {"train", "calibration"}]
        self._before: dict[str, NDArray[np.bool_]] = {}

    def texts(self, name: str) -> list[str]:
        """The texts of a part."""
        return [row.text for row in self.rows[name]]

    def all(self, predict: Callable[[str], Numbers]) -> dict[str, Numbers]:
        """What `predict` says of every part but the one to learn from."""
        return {name: predict(name) for name in ("calibration", *self.tested)}

    def linear(self, wanted: Numbers | None = None, weights: Numbers | None = None, c: float = 1.0) -> LinearClassifier:
        """The served kind of classifier."""
        learnt = LinearClassifier(c=c).fit(
            self.vectors["train"], self.targets["train"] if wanted is None else wanted, self.labels,
            self.weights if weights is None else weights,
        )  # fmt: skip
        return learnt.calibrate(self.vectors["calibration"], self.targets["calibration"])

    def say(self, title: str, said: Mapping[str, Numbers]) -> None:
        """Print how good these probabilities are."""
        cells = [self._cell(name, said[name]) for name in self.tested]
        print(f"| {title} | {' | '.join(cells)} |", flush=True)

    def _cell(self, name: str, probabilities: Numbers) -> str:
        kept = [i for i, row in enumerate(self.rows[name]) if row.task_type != OUT_OF_SCOPE]
        inside = [i for i, label in enumerate(self.labels) if label != OUT_OF_SCOPE]
        types = probabilities[np.ix_(kept, inside)]
        names = [self.labels[i] for i in inside]
        member = np.array([[platform_of(self.policy, label) == p for p in self.policy.platforms] for label in names])
        chosen = (types @ member).argmax(axis=1)
        rows = [self.rows[name][i] for i in kept]
        wanted = [list(self.policy.platforms).index(platform_of(self.policy, str(row.task_type))) for row in rows]
        right = chosen == np.array(wanted)
        error = calibration_error((types @ member).max(axis=1) / types.sum(axis=1), right)
        typed = np.mean([names[best] == row.task_type for best, row in zip(types.argmax(axis=1), rows, strict=True)])
        change = right.astype(float) - self._before.setdefault(name, right)
        draws = np.random.default_rng(0).integers(0, len(change), (SAMPLES, len(change)))
        low, high = 100 * np.quantile(change[draws].mean(axis=1), [0.025, 0.975])
        compared = f"{100 * change.mean():+.1f}, {low:+.1f} to {high:+.1f}"
        return f"{right.mean():.3f}, {typed:.3f}, {error:.3f} [{compared}]"


def expanded(bench: Bench) -> tuple[NDArray[np.intp], NDArray[np.intp], Numbers]:
    """Soft labels as weighted hard ones: rows, classes, weights."""
    wanted = bench.targets["train"]
    rows, classes = np.nonzero(wanted > 0)
    return rows, classes, wanted[rows, classes] * bench.weights[rows]


def mixed(one: Mapping[str, Numbers], other: Mapping[str, Numbers], share: float) -> dict[str, Numbers]:
    """Two opinions averaged."""
    return {name: (1 - share) * one[name] + share * other[name] for name in one}


def lexical(bench: Bench, served: Mapping[str, Numbers]) -> None:
    """Word and character n-grams, mixed with the served kind."""
    rows, classes, weights = expanded(bench)
    for kind, sizes in (("word", (1, 2)), ("char_wb", (2, 5))):
        counts = TfidfVectorizer(analyzer=kind, ngram_range=sizes, min_df=3, sublinear_tf=True, max_features=60_000)
        learnt = counts.fit_transform(bench.texts("train"))
        model = LogisticRegression(C=2, max_iter=200, solver="saga", tol=1e-3, random_state=0)
        model.fit(learnt[rows], classes, sample_weight=weights)
        said = bench.all(lambda name, c=counts, m=model: m.predict_proba(c.transform(bench.texts(name))))
        bench.say(f"{kind} n-grams alone", said)
        for share in MIXES:
            bench.say(f"{kind} n-grams, {share:.0%}", mixed(served, said, share))


def others(bench: Bench, served: Mapping[str, Numbers]) -> None:
    """Neighbours and a small network, alone and mixed with the served kind."""
    near = bench.all(lambda name: neighbours(bench.vectors[name], bench.vectors["train"], bench.targets["train"]))
    bench.say(f"{NEIGHBOURS} neighbours alone", near)
    for share in MIXES:
        bench.say(f"{NEIGHBOURS} neighbours, {share:.0%}", mixed(served, near, share))
    rows, classes, weights = expanded(bench)
    networks = []
    for seed in range(3):
        network = MLPClassifier((128,), alpha=1e-3, batch_size=256, max_iter=12, random_state=seed)
        network.fit(8 * bench.vectors["train"][rows], classes, sample_weight=weights)
        networks.append(bench.all(lambda name, n=network: n.predict_proba(8 * bench.vectors[name])))
    mean = {name: np.mean([one[name] for one in networks], axis=0) for name in networks[0]}
    bench.say("three networks of 128 averaged", mean)
    bench.say("… with the served kind, 50%", mixed(served, mean, 0.5))


def neighbours(vectors: Numbers, known: Numbers, wanted: Numbers) -> Numbers:
    """Targets of the nearest rows, weighted by similarity."""
    result = []
    for some in np.array_split(vectors, max(1, len(vectors) // 500)):
        similar = some @ known.T
        nearest = np.argpartition(-similar, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        found = np.take_along_axis(similar, nearest, axis=1)
        weights = np.exp((found - found.max(axis=1, keepdims=True)) / SOFTNESS)
        result.append(((weights / weights.sum(axis=1, keepdims=True))[:, :, None] * wanted[nearest]).sum(axis=1))
    return np.concatenate(result)


def second_stage(bench: Bench, served: Mapping[str, Numbers], pair: Sequence[str]) -> dict[str, Numbers]:
    """A classifier of its own that divides what the first gave to two types."""
    places = [bench.labels.index(name) for name in pair]
    between = bench.targets["train"][:, places]
    kept = between.sum(axis=1) > 0.3
    model = LogisticRegression(max_iter=500)
    twice = np.concatenate([bench.vectors["train"][kept]] * 2)
    model.fit(twice, np.repeat([0, 1], kept.sum()), sample_weight=between[kept].T.ravel())
    result = {name: said.copy() for name, said in served.items()}
    for name, said in result.items():
        said[:, places] = said[:, places].sum(axis=1, keepdims=True) * model.predict_proba(bench.vectors[name])
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    bench = Bench(parser.parse_args().data)
    print(f"| platform, type, ECE | {' | '.join(bench.tested)} |\n| --- |{' --- |' * len(bench.tested)}")
    plain = bench.linear()
    served = bench.all(lambda name: plain.predict_proba(bench.vectors[name]))
    bench.say("as served", served)
    lifelike = np.array([row.source.startswith(SESSIONS) for row in bench.rows["calibration"]])
    other = bench.linear().calibrate(bench.vectors["calibration"][lifelike], bench.targets["calibration"][lifelike])
    bench.say("calibrated on session rows", bench.all(lambda name: other.predict_proba(bench.vectors[name])))
    for c in (0.1, 0.3, 10.0):
        weak = bench.linear(c=c)
        bench.say(f"C = {c:g}", bench.all(lambda name, o=weak: o.predict_proba(bench.vectors[name])))
    for factor in (2.0, 4.0):
        lifelike = np.array([row.source.startswith(SESSIONS) for row in bench.rows["train"]])
        heavy = bench.linear(weights=bench.weights * np.where(lifelike, factor, 1.0))
        bench.say(f"session rows x{factor:g}", bench.all(lambda name, o=heavy: o.predict_proba(bench.vectors[name])))
    for pair in (("implement", "feature"), ("implement", "debug")):
        bench.say(f"second stage {' or '.join(pair)}", second_stage(bench, served, pair))
    others(bench, served)
    lexical(bench, served)


if __name__ == "__main__":
    main()
