"""A fitted classifier as it is served: one vector at a time, in a few steps."""

import math

import numpy as np

from router.model.classifier import LinearClassifier, Vectors
from router.model.words import words_in


class Scorer:
    """What `LinearClassifier.predict_proba` says, for one text.

    After a run of the encoder nothing is in the processor's caches: few calls of numpy cost least, and row by row
    no BLAS is woken.
    """

    def __init__(self, classifier: LinearClassifier) -> None:
        words, temperature = classifier.words, classifier.temperature
        dimension = classifier.coef_.shape[1] - len(words.known)
        self.classes = classifier.classes_
        self._weights = np.ascontiguousarray(classifier.coef_[:, :dimension] / temperature, dtype=np.float32)
        self._intercept: list[float] = (classifier.intercept_ / temperature).tolist()
        columns = (classifier.coef_[:, dimension:] * (words.scale / temperature)).T.tolist()
        self._words: dict[str, list[float]] = dict(zip(words.known, columns, strict=True))

    def probabilities(self, vector: Vectors, text: str) -> list[float]:
        """P(class) in the order of `classes`, summing to 1; `vector` has shape (dimension,)."""
        logits = _sum(self._intercept, np.vecdot(self._weights, vector).tolist())
        for word in words_in(text) & self._words.keys() if self._words else ():
            logits = _sum(logits, self._words[word])
        highest = max(logits)
        powers = [math.exp(logit - highest) for logit in logits]
        total = sum(powers)
        return [power / total for power in powers]


def _sum(one: list[float], other: list[float]) -> list[float]:
    return [a + b for a, b in zip(one, other, strict=True)]
