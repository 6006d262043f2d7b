"""Scores of a router on labelled rows: as its users meet it, and of the model alone."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.choice.decision import Choice, Prediction, choose
from router.choice.policy import Policy
from router.labels import OUT_OF_SCOPE
from training.rows import Row
from training.taxonomy import Aim, platform_of

COVERAGE = 0.8
BINS = 10
"""Bins of equal width over the confidence, for the expected calibration error."""


@dataclass(frozen=True)
class Judged:
    """One row, what was decided, and what the model alone said."""

    row: Row
    platform: str | None
    """The right platform; None for a row that is no task."""
    defensible: frozenset[str]
    """Platforms that any reader could defend."""
    choice: Choice
    prediction: Prediction | None
    model_platform: str | None
    outside: bool = False
    """True where the model holds it for no task."""

    @property
    def right(self) -> bool:
        """True where the router chose the right platform."""
        return self.choice.platform == self.platform

    @property
    def label(self) -> str | None:
        """What the model calls it, `none` where it abstains because this is no task; None where only rules decided."""
        if self.prediction is None:
            return None
        return OUT_OF_SCOPE if self.outside else self.prediction.best

    def outcome(self, aim: Aim) -> tuple[bool, float]:
        """Whether the platform (or the label) is right, and how sure the router (or the model) was of it."""
        if aim == "platform":
            return self.right, self.choice.confidence
        if self.prediction is None:
            return False, 0.0
        outside = self.prediction.out_of_scope
        sure = outside if self.outside else (1 - outside) * self.prediction.task_types[self.prediction.best]
        return self.label == self.row.task_type, sure


Predict = Callable[[str], Prediction | None]
"""What the model says of a text; None where there is no model."""


def judge(rows: Sequence[Row], predict: Predict, policy: Policy) -> list[Judged]:
    """Route every row as a user would meet it (model, abstention, rules, default); nothing is journalled."""
    judged = []
    for row in rows:
        prediction = predict(row.text)
        alone = policy.platform_probabilities(prediction.task_types) if prediction else {}
        types = [name for name in (row.task_type, *row.also) if name and name != OUT_OF_SCOPE]
        platforms = [platform_of(policy, name) for name in types]
        right = platforms[0] if row.task_type != OUT_OF_SCOPE and platforms else row.platform
        judged.append(
            Judged(
                row, right, frozenset([*platforms, *([right] if right else [])]),
                choose(row.text, prediction, policy), prediction, policy.least_cost(alone) if alone else None,
                prediction is not None and prediction.out_of_scope > policy.out_of_scope_ceiling,
            )
        )  # fmt: skip
    return judged


def counted(judged: Sequence[Judged], aim: Aim) -> list[Judged]:
    """The rows that `aim` can judge: those with a right platform, or with a label (what is no task too)."""
    return [one for one in judged if (one.platform if aim == "platform" else one.row.task_type) is not None]


def scores(judged: Sequence[Judged], aim: Aim = "platform") -> dict[str, Any]:
    """The scores of `train-router eval --json`; its fields are described in `docs/training.md`.

    Rows that are no task count in `out_of_scope_recall` alone: the share of them that was not routed by the model.
    Calibration, coverage and the interval are of what `aim` names.
    """
    tasks = [one for one in judged if one.platform is not None]
    outcomes = [one.outcome(aim) for one in counted(judged, aim)]
    right = np.array([one for one, _ in outcomes], dtype=bool)
    confidence = np.array([sure for _, sure in outcomes])
    result: dict[str, Any] = {
        "n": len(tasks),
        "type_accuracy": _type_accuracy(tasks),
        "platform_accuracy": _mean(np.array([one.right for one in tasks], dtype=bool)),
        "platform_macro_f1": macro_f1([str(one.platform) for one in tasks], [one.choice.platform for one in tasks]),
        "ece": calibration_error(confidence, right),
        "accuracy_at_80_coverage": accuracy_at(confidence, right, COVERAGE),
        "source_mix": _shares(Counter(str(one.choice.source) for one in tasks)),
        f"{aim}_interval_95": interval(right),
        "in_scope_accuracy": _in_scope(tasks),
        "model_alone": {
            "platform_accuracy": _mean(np.array([one.model_platform == one.platform for one in tasks])),
        },
    }
    return {**result, **_where_known(judged, tasks)}


def _where_known(judged: Sequence[Judged], tasks: Sequence[Judged]) -> dict[str, float]:
    result = {}
    if any(one.row.also for one in tasks):
        result["platform_defensible"] = _mean(np.array([one.choice.platform in one.defensible for one in tasks]))
        types = [_best(one) in (one.row.task_type, *one.row.also) for one in _typed(tasks)]
        result["type_defensible"] = _mean(np.array(types))
    outside = [one for one in judged if one.row.task_type == OUT_OF_SCOPE]
    if outside:
        result["out_of_scope_recall"] = 1 - _mean(np.array([one.choice.source == "model" for one in outside]))
    return result


def accuracy_at(confidence: NDArray[np.float64], right: NDArray[np.bool_], coverage: float) -> float:
    """Accuracy on the most confident share of the rows."""
    kept = np.argsort(-confidence, kind="stable")[: max(1, int(coverage * len(right)))]
    return _mean(right[kept])


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error over `BINS` bins of equal width (Naeini et al. 2015)."""
    total = 0.0
    for mean_confidence, accuracy, count in reliability(confidence, right):
        total += abs(accuracy - mean_confidence) * count
    return total / len(right) if len(right) else float("nan")


def reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """Mean confidence, accuracy and count of every bin that is not empty."""
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = [places == index for index in range(BINS)]
    return [(float(confidence[b].mean()), float(right[b].mean()), int(b.sum())) for b in bins if b.any()]


def interval(right: NDArray[np.bool_], samples: int = 2000, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of an accuracy."""
    if not len(right):
        return (float("nan"), float("nan"))
    draws = np.random.default_rng(seed).binomial(len(right), right.mean(), samples) / len(right)
    low, high = np.quantile(draws, [0.025, 0.975])
    return (round(float(low), 4), round(float(high), 4))


def macro_f1(truth: Sequence[str], chosen: Sequence[str]) -> float:
    """Mean F1 over the classes that occur in either."""
    names = sorted({*truth, *chosen})
    values = []
    for name in names:
        hits = sum(t == c == name for t, c in zip(truth, chosen, strict=True))
        values.append(2 * hits / ((truth.count(name) + chosen.count(name)) or 1))
    return float(np.mean(values)) if values else float("nan")


def _best(one: Judged) -> str | None:
    return one.prediction.best if one.prediction else None


def _type_accuracy(tasks: Sequence[Judged]) -> float:
    typed = _typed(tasks)
    return _mean(np.array([_best(one) == one.row.task_type for one in typed], dtype=bool))


def _in_scope(tasks: Sequence[Judged]) -> float:
    typed = _typed(tasks)
    return _mean(np.array([one.label == one.row.task_type for one in typed], dtype=bool))


def _typed(tasks: Sequence[Judged]) -> list[Judged]:
    """The rows whose type is known; none where only rules decided, since those name no type."""
    return [one for one in tasks if one.row.task_type is not None and one.prediction is not None]


def _mean(values: NDArray[Any]) -> float:
    return round(float(values.mean()), 4) if len(values) else float("nan")


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = sum(counts.values()) or 1
    return {name: round(count / total, 4) for name, count in sorted(counts.items())}
