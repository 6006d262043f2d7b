"""What the served model says of a task; a task seen before is not computed twice."""

import os
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from router.choice.decision import Choice, Prediction
from router.model.artifact import Model
from router.model.examples import Neighbour
from router.model.scorer import Scorer
from router.schemas import Decision

LIKELY = 0.8
"""Examples are looked for among the types that together have this probability, which spares most of the work."""
KEPT_ANSWERS = 1024
LONGEST_KEPT = 4096
"""Characters; a longer task is a paste that hardly comes twice, and would fill memory."""


class Answer(NamedTuple):
    """A prediction and what it rests on; never changed, since later calls share it."""

    prediction: Prediction
    vector: NDArray[np.float32]
    """Shape (dimension,), L2 norm 1."""
    similar: list[Neighbour]
    began: float
    """On the clock of `time.perf_counter`, in seconds."""
    stages: dict[str, float]
    """Seconds that each stage took: `encode`, `classify`, `similar`."""


def as_decision(choice: Choice, answer: Answer | None, model_version: str | None, seconds: float) -> Decision:
    """The decision that travels: what was chosen, what the model said of it, and how long it took."""
    # One validation for all: a `Similar` made for itself costs as much as the decision.
    return Decision.model_validate({
        **choice._asdict(),
        "decision_id": os.urandom(8).hex(),
        "confidence": _short(choice.confidence),
        "probabilities": {name: _short(p) for name, p in choice.probabilities.items()},
        "task_types": {name: _short(p) for name, p in answer.prediction.task_types.items()} if answer else {},
        "similar": [
            {"text": text, "task_type": task_type, "similarity": _short(similarity)}
            for similarity, text, task_type in answer.similar
        ] if answer else [],
        "model_version": model_version,
        "latency_ms": _short(seconds * 1000),
    })  # fmt: skip


class Predictor:
    """A model and the answers it gave lately. A new model is a new predictor: no answer outlives its model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._scorer = Scorer(model.classifier)
        self._kept = lru_cache(KEPT_ANSWERS)(self._compute)

    def predict(self, task: str) -> Answer:
        """Say what `task` is; raises `ArtifactError` where the encoder fails at it."""
        return self._kept(task) if len(task) <= LONGEST_KEPT else self._compute(task)

    def _compute(self, task: str) -> Answer:
        began = time.perf_counter()
        vector = self.model.encoder.encode(task)
        encoded = time.perf_counter()
        classes, probabilities = self._scorer.classes, self._scorer.probabilities(vector, task)
        prediction = Prediction.of(dict(zip(classes, probabilities, strict=True)))
        classified = time.perf_counter()
        similar = self.model.examples.nearest(vector, among=_likely(classes, probabilities))
        ended = time.perf_counter()
        stages = {"encode": encoded - began, "classify": classified - encoded, "similar": ended - classified}
        return Answer(prediction, vector, similar, began, stages)


def _short(value: float) -> float:
    return round(value * 1e6) / 1e6  # to digits, `round` takes the way over text


def _likely(classes: Sequence[str], probabilities: Sequence[float]) -> list[str]:
    likely, together = [], 0.0
    for probability, name in sorted(zip(probabilities, classes, strict=True), reverse=True):
        likely.append(name)
        together += probability
        if together >= LIKELY:
            break
    return likely
