"""What the served model says of a task; a task seen before is not computed twice."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from router.artifact import Model
from router.decision import Choice, Prediction
from router.schemas import Decision, Similar
from router.scorer import Scorer

LIKELY = 0.95
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


def as_decision(choice: Choice, answer: Answer | None, model_version: str | None, seconds: float) -> Decision:
    """The decision that travels: what was chosen, what the model said of it, and how long it took."""
    return Decision(
        decision_id=secrets.token_hex(8),
        platform=choice.platform,
        mode=choice.mode,
        workflow=choice.workflow,
        task_type=choice.task_type,
        confidence=round(choice.confidence, 6),
        probabilities={name: round(p, 6) for name, p in choice.probabilities.items()},
        task_types={name: round(p, 6) for name, p in answer.prediction.task_types.items()} if answer else {},
        source=choice.source,
        reason=choice.reason,
        needs_confirmation=choice.needs_confirmation,
        similar=list(answer.similar) if answer else [],
        model_version=model_version,
        latency_ms=round(seconds * 1000, 3),
    )


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
        similar = tuple(self.model.examples.nearest(vector, among=_likely(classes, probabilities)))
        ended = time.perf_counter()
        stages = {"encode": encoded - began, "classify": classified - encoded, "similar": ended - classified}
        return Answer(prediction, vector, similar, began, stages)


def _likely(classes: Sequence[str], probabilities: Sequence[float]) -> list[str]:
    ordered = sorted(zip(probabilities, classes, strict=True), reverse=True)
    together = list(accumulate(probability for probability, _ in ordered))
    return [name for (_, name), before in zip(ordered, [0.0, *together], strict=False) if before < LIKELY]
