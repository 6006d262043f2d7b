"""What the served model says of a task; a task seen before is not computed twice."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from router.artifact import Model
from router.decision import Prediction
from router.schemas import Similar

LIKELY = 0.98
"""Examples are looked for among the types that together have this probability, which spares most of the work."""
KEPT_ANSWERS = 1024
LONGEST_KEPT = 4096
"""Characters; a longer task is a paste that hardly comes twice, and would fill memory."""


@dataclass(frozen=True)
class Answer:
    """A prediction and what it rests on; never changed, since later calls share it."""

    prediction: Prediction
    vector: NDArray[np.float32]
    """Shape (dimension,), L2 norm 1."""
    similar: tuple[Similar, ...]
    began: float
    """On the clock of `time.perf_counter`, in seconds."""
    stages: dict[str, float]
    """Seconds that each stage took: `encode`, `classify`, `similar`."""


class Predictor:
    """A model and the answers it gave lately. A new model is a new predictor: no answer outlives its model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._kept = lru_cache(KEPT_ANSWERS)(self._compute)

    def predict(self, task: str) -> Answer:
        """Say what `task` is; raises `ArtifactError` where the encoder fails at it."""
        return self._kept(task) if len(task) <= LONGEST_KEPT else self._compute(task)

    def _compute(self, task: str) -> Answer:
        began = time.perf_counter()
        vector = self.model.encoder.encode(task)
        encoded = time.perf_counter()
        classifier = self.model.classifier
        probabilities = classifier.predict_proba(vector[None], [task])[0].tolist()
        prediction = Prediction.of(dict(zip(classifier.classes_, probabilities, strict=True)))
        classified = time.perf_counter()
        similar = tuple(self.model.examples.nearest(vector, among=_likely(classifier.classes_, probabilities)))
        ended = time.perf_counter()
        stages = {"encode": encoded - began, "classify": classified - encoded, "similar": ended - classified}
        return Answer(prediction, vector, similar, began, stages)


def _likely(classes: Sequence[str], probabilities: Sequence[float]) -> list[str]:
    ordered = sorted(zip(probabilities, classes, strict=True), reverse=True)
    together = list(accumulate(probability for probability, _ in ordered))
    return [name for (_, name), before in zip(ordered, [0.0, *together], strict=False) if before < LIKELY]
