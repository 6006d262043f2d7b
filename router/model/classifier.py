"""Vectors to P(class): a calibrated linear classifier, fitted by scikit-learn and served without it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from router.model.words import NO_WORDS, Words

Vectors = NDArray[np.float32]
Probabilities = NDArray[np.float64]


@dataclass(kw_only=True)
class LinearClassifier:
    """Multinomial logistic regression over embeddings, with a temperature for calibration.

    `fit` learns; names ending in `_` are what it learnt. Serving is one matrix product, so that a cold
    start needs no scikit-learn.
    """

    c: float = 1.0
    """Inverse of the L2 penalty, as scikit-learn's `C`."""
    max_iter: int = 1000
    tol: float = 1e-6
    """Largest gradient left at the end; a looser one would stop before a few weighted rows have any effect."""
    seed: int = 0
    words: Words = NO_WORDS
    """Words of the user's that count beside the vector; their columns follow the vector's."""
    temperature: float = 1.0
    """Logits are divided by it: above 1 less sure. Set by `calibrate`."""
    classes_: tuple[str, ...] = field(default=(), init=False)
    coef_: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)), init=False)
    intercept_: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), init=False)

    def fit(self, vectors: Vectors, targets: Probabilities, classes: Sequence[str],
            weights: NDArray[np.float64] | None = None) -> Self:  # fmt: skip
        """Learn from soft labels; an earlier fit to the same classes only shortens the way to the one optimum.

        Args:
            vectors: shape (n_rows, dimension), or with words (n_rows, dimension + n_words).
            targets: shape (n_rows, n_classes); rows sum to 1, columns follow `classes`.
            classes: names of the classes.
            weights: shape (n_rows,); how much each row counts, 1 where left out.
        """
        from sklearn.linear_model import LogisticRegression  # fitting only
        from threadpoolctl import threadpool_limits

        rows, columns = np.nonzero(targets > 0)
        mass = targets[rows, columns] * (1.0 if weights is None else weights[rows])
        model = LogisticRegression(
            C=self.c, max_iter=self.max_iter, tol=self.tol, random_state=self.seed, warm_start=True
        )
        present = np.unique(columns)
        if self.classes_ == tuple(classes) and self.coef_.shape[1] == vectors.shape[1] and len(present) > 2:
            model.classes_ = present
            model.coef_, model.intercept_ = self.coef_[present], self.intercept_[present].clip(-50)
        with threadpool_limits(limits=1):  # threads that wait for busy cores make it ten times slower
            model.fit(vectors[rows], columns, sample_weight=mass)
        self.classes_ = tuple(classes)
        self.coef_ = np.zeros((len(classes), vectors.shape[1]))
        self.intercept_ = np.full(len(classes), -1e3)  # a class without a row is never predicted
        if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
            self.coef_[model.classes_] = np.stack([-model.coef_[0], model.coef_[0]]) / 2
            self.intercept_[model.classes_] = np.array([-model.intercept_[0], model.intercept_[0]]) / 2
        else:
            self.coef_[model.classes_], self.intercept_[model.classes_] = model.coef_, model.intercept_
        return self

    def calibrate(self, features: Vectors, targets: Probabilities) -> Self:
        """Set the temperature that fits rows which the classifier (and its encoder) has not seen.

        Least cross-entropy against soft labels (Guo et al. 2017, "On Calibration of Modern Neural Networks").
        """
        logits = self._logits(features)
        grid = np.geomspace(0.25, 8.0, 141)
        self.temperature = float(min(grid, key=lambda t: _cross_entropy(logits / t, targets)))
        return self

    def predict_proba(self, vectors: Vectors, texts: Sequence[str] | None = None) -> Probabilities:
        """Return shape (n_rows, n_classes); rows sum to 1, columns follow `classes_`. Without texts no word counts."""
        dimension = vectors.shape[1]
        logits = vectors @ self.coef_[:, :dimension].T + self.intercept_
        if texts is not None and self.words.known:
            logits = logits + self.words.features(texts) @ self.coef_[:, dimension:].T
        return np.exp(_log_softmax(logits / self.temperature))

    def knowing(self, words: Words) -> Self:
        """A copy to which `words` count; those that are new to it weigh nothing until it is fitted again."""
        places = {word: index for index, word in enumerate(self.words.known)}
        dimension = self.coef_.shape[1] - len(self.words.known)
        coef = np.zeros((len(self.coef_), dimension + len(words.known)))
        coef[:, :dimension] = self.coef_[:, :dimension]
        for index, word in enumerate(words.known):
            if word in places:
                coef[:, dimension + index] = self.coef_[:, dimension + places[word]]
        result = replace(self, words=words)
        result.classes_, result.coef_, result.intercept_ = self.classes_, coef, self.intercept_.copy()
        return result

    def _logits(self, features: Vectors) -> NDArray[np.float64]:
        logits: NDArray[np.float64] = features @ self.coef_.T + self.intercept_
        return logits


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def _cross_entropy(logits: NDArray[np.float64], targets: Probabilities) -> float:
    return float(-(targets * _log_softmax(logits)).sum(axis=1).mean())
