"""The classifier over the encoder's vectors: fitted, calibrated, and taught by evidence (EM)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router.artifact import Model
from router.classifier import LinearClassifier
from router.decision import Prediction
from router.encoder import OnnxEncoder
from router.policy import Policy
from training.evaluate import Predict
from training.evidence import Evidence, as_rows
from training.rows import Row

EM_ROUNDS = 2
ENCODING_THREADS = 2

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """A fitted classifier and the rows it was fitted to."""

    classifier: LinearClassifier
    rows: list[Row]
    vectors: Vectors
    """Shape (n_rows, dimension), of `rows`."""


def fit(
    train: Sequence[Row], calibration: Sequence[Row], evidence: Sequence[Evidence], encoder: OnnxEncoder,
    labels: Sequence[str], policy: Policy, seed: int = 0,
) -> Head:  # fmt: skip
    """Fit to `train` and `evidence`, calibrate on rows that neither encoder nor classifier has seen.

    Rows and evidence that name only a platform are spread over its types by the classifier itself, in turns.
    """
    rows = [row for row in train if row.distribution()]
    vectors = encode_all(encoder, [row.text for row in rows])
    unseen = [row for row in calibration if row.distribution()]
    unseen_vectors = encode_all(encoder, [row.text for row in unseen])
    loose = [*evidence, *_platform_only(train)]
    loose_vectors = dict(zip((one.task for one in loose), encode_all(encoder, [o.task for o in loose]), strict=True))
    classifier = LinearClassifier(seed=seed)
    extra: list[Row] = []
    for _ in range(1 + EM_ROUNDS if loose else 1):
        learnt = [*rows, *extra]
        learnt_vectors = np.concatenate([vectors, *(loose_vectors[row.text][None] for row in extra)])
        weights = np.array([row.weight for row in learnt])
        classifier.fit(learnt_vectors, targets(learnt, labels), labels, weights)
        if unseen:
            classifier.calibrate(unseen_vectors, targets(unseen, labels))
        extra = as_rows(loose, _over(classifier, loose_vectors), policy)
    return Head(classifier, rows, vectors)


def predictor(encoder: OnnxEncoder, classifier: LinearClassifier) -> Predict:
    """What this encoder and classifier say of a text."""
    return lambda text: _prediction(classifier, encoder.encode(text))


def predictor_of(model: Model) -> Predict:
    """What a loaded model says of a text."""
    return predictor(model.encoder, model.classifier)


def encode_all(encoder: OnnxEncoder, texts: Sequence[str]) -> Vectors:
    """Shape (n_texts, dimension): each text on its own, as it is served, a few at a time."""
    if not texts:
        return np.zeros((0, encoder.dimension), dtype=np.float32)
    with ThreadPoolExecutor(ENCODING_THREADS) as pool:
        return np.stack(list(pool.map(encoder.encode, texts)))


def targets(rows: Sequence[Row], labels: Sequence[str]) -> NDArray[np.float64]:
    """Shape (n_rows, n_labels); rows sum to 1."""
    place = {name: index for index, name in enumerate(labels)}
    result = np.zeros((len(rows), len(labels)))
    for index, row in enumerate(rows):
        for name, probability in row.distribution().items():
            result[index, place[name]] = probability
    return result


def _over(classifier: LinearClassifier, vectors: dict[str, NDArray[np.float32]]) -> Predict:
    return lambda text: _prediction(classifier, vectors[text])


def _prediction(classifier: LinearClassifier, vector: NDArray[np.float32]) -> Prediction:
    probabilities = classifier.predict_proba(vector[None])[0]
    return Prediction.of(dict(zip(classifier.classes_, map(float, probabilities), strict=True)))


def _platform_only(rows: Sequence[Row]) -> list[Evidence]:
    return [Evidence(row.text, row.weight, platform=row.platform) for row in rows if not row.distribution()]
