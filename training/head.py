"""The classifier over the encoder's vectors: fitted, calibrated, and taught by evidence (EM)."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router.artifact import Model
from router.classifier import LinearClassifier
from router.decision import Prediction
from router.policy import Policy
from training.evaluate import Predict
from training.evidence import Evidence, as_rows
from training.rows import Row
from training.vectors import TextVectors, Vectors

EM_ROUNDS = 2


@dataclass(frozen=True)
class Head:
    """A fitted classifier and the rows it was fitted to."""

    classifier: LinearClassifier
    rows: list[Row]
    vectors: Vectors
    """Shape (n_rows, dimension), of `rows`."""


def fit(
    train: Sequence[Row], calibration: Sequence[Row], evidence: Sequence[Evidence], vectors: TextVectors,
    labels: Sequence[str], policy: Policy, seed: int = 0, start: LinearClassifier | None = None,
) -> Head:  # fmt: skip
    """Fit to `train` and `evidence`, calibrate on rows that neither encoder nor classifier has seen.

    Rows and evidence that name only a platform are spread over its types by the classifier itself, in turns.
    A classifier to `start` from, of the same labels, spares the first turn.
    """
    rows = [row for row in train if row.distribution()]
    row_vectors = vectors.encode_all([row.text for row in rows])
    unseen = _for_calibration(calibration)
    unseen_vectors = vectors.encode_all([row.text for row in unseen])
    loose = [*evidence, *_platform_only(train)]
    vectors.encode_all([one.task for one in loose])
    predict = predictor(vectors, start) if start else None
    classifier = copy.deepcopy(start) if start else LinearClassifier(seed=seed)
    for _ in range(EM_ROUNDS + (start is None) if loose else 1):
        extra = as_rows(loose, predict, policy) if predict else []
        learnt = [*rows, *extra]
        learnt_vectors = np.concatenate([row_vectors, vectors.encode_all([row.text for row in extra])])
        weights = np.array([row.weight for row in learnt])
        classifier.fit(learnt_vectors, targets(learnt, labels), labels, weights)
        if unseen:
            classifier.calibrate(unseen_vectors, targets(unseen, labels))
        predict = predictor(vectors, classifier)
    return Head(classifier, rows, row_vectors)


def predictor(vectors: TextVectors, classifier: LinearClassifier) -> Predict:
    """What this encoder and classifier say of a text."""

    def predict(text: str) -> Prediction:
        probabilities = classifier.predict_proba(vectors.encode(text)[None])[0]
        return Prediction.of(dict(zip(classifier.classes_, map(float, probabilities), strict=True)))

    return predict


def predictor_of(model: Model, vectors: TextVectors | None = None) -> Predict:
    """What a loaded model says of a text; `vectors` are its encoder's, where there are some already."""
    return predictor(vectors or TextVectors(model.encoder), model.classifier)


def targets(rows: Sequence[Row], labels: Sequence[str]) -> NDArray[np.float64]:
    """Shape (n_rows, n_labels); rows sum to 1."""
    place = {name: index for index, name in enumerate(labels)}
    result = np.zeros((len(rows), len(labels)))
    for index, row in enumerate(rows):
        for name, probability in row.distribution().items():
            result[index, place[name]] = probability
    return result


def _for_calibration(rows: Sequence[Row]) -> list[Row]:
    """The lifelike rows where there are any: on tidy ones every model looks surer than it may be."""
    labelled = [row for row in rows if row.distribution()]
    return [row for row in labelled if row.lifelike] or labelled


def _platform_only(rows: Sequence[Row]) -> list[Evidence]:
    return [Evidence(row.text, row.weight, platform=row.platform) for row in rows if not row.distribution()]
