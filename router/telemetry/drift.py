"""Whether what is asked lately still looks like what the model was trained on."""

import threading

import numpy as np
from numpy.typing import NDArray

from router.choice.decision import Prediction
from router.health import DriftReport
from router.model.artifact import Model

WINDOW = 500
"""Decisions after which an old one counts a third of a new one."""
ENOUGH = 100
"""Fewer decisions say nothing."""
DRIFTING = 0.5
"""Shift of the mean embedding, in spreads of the training texts, from which on `drifting` is said."""
SAMPLE = 500


class Drift:
    """Recent means of embedding and confidence against those of the model's own examples.

    The examples are training texts: the model is surer of them than of new ones, so a confidence shift slightly
    below zero is no alarm.
    """

    def __init__(self, model: Model) -> None:
        vectors = model.examples.vectors.astype(np.float32) / np.float32(127)
        self.version = model.version
        self._centre: NDArray[np.float32] = vectors.mean(axis=0)
        self._spread = float(np.sqrt(((vectors - self._centre) ** 2).sum(axis=1).mean())) or 1.0
        self._usual = _mean_confidence(model, vectors[:: max(1, len(vectors) // SAMPLE)])
        self._mean = np.zeros_like(self._centre)
        self._confidence = 0.0
        self._observed = 0
        self._lock = threading.Lock()

    def observe(self, vector: NDArray[np.float32], confidence: float) -> None:
        """Count a decision; `vector` has shape (dimension,)."""
        with self._lock:
            self._observed += 1
            weight = 1 / min(self._observed, WINDOW)
            self._mean += weight * (vector - self._mean)
            self._confidence += weight * (confidence - self._confidence)

    def report(self) -> DriftReport:
        """How far what was observed lately is from the training texts."""
        with self._lock:
            observed = self._observed
            shift = float(np.linalg.norm(self._mean - self._centre)) / self._spread if observed else 0.0
            confidence = self._confidence - self._usual if observed else 0.0
        return DriftReport(
            observed=observed,
            embedding_shift=round(shift, 4),
            expected_shift=round(min(observed, 2 * WINDOW) ** -0.5, 4) if observed else 0.0,
            confidence_shift=round(confidence, 4),
            drifting=observed >= ENOUGH and shift > DRIFTING,
        )


def _mean_confidence(model: Model, vectors: NDArray[np.float32]) -> float:
    classes = model.classifier.classes_
    best = []
    for row in model.classifier.predict_proba(vectors).tolist():
        prediction = Prediction.of(dict(zip(classes, row, strict=True)))
        best.append(max(model.policy.platform_probabilities(prediction.task_types).values()))
    return float(np.mean(best)) if best else 0.0
