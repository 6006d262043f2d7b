"""The classifier over the encoder's vectors: fitted, calibrated, and taught by evidence (EM)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from router.artifact import Model
from router.classifier import LinearClassifier
from router.decision import Prediction
from router.policy import Policy
from router.words import NO_WORDS, Words, words_in
from training.evaluate import Predict
from training.evidence import Evidence, as_rows
from training.rows import Row
from training.vectors import TextVectors, Vectors

EM_ROUNDS = 2
PENALTIES = (1.0, 10.0)
"""Values of the classifier's `c` that are tried for labels other than the shipped ones."""
FEWEST_TASKS = 3
"""In so many of the user's tasks a word must come up before it counts by itself."""
LIFT = 8.0
"""So much oftener than in the data it must come up there."""
MOST_WORDS = 300
MOST_OF_ALL = 0.15
"""So much of the rows' weight the evidence may have in all; with more of it each piece counts less."""


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
    rounds: int = EM_ROUNDS, c: float | None = None,
) -> Head:  # fmt: skip
    """Fit to `train` and `evidence`, calibrate on rows that neither encoder nor classifier has seen.

    Rows and evidence that name only a platform are spread over its types by the classifier itself, in turns.
    A classifier to `start` from, of the same labels, spares the first turn. `c` is the classifier's, where it should
    not be the one that suits the shipped labels.
    """
    rows, unseen = ([row for row in part if row.distribution()] for part in (train, calibration))
    loose = [*_bounded(evidence, rows), *_platform_only(train)]
    words = own_words([one.task for one in evidence], [row.text for row in rows])
    classifier = start.knowing(words) if start else LinearClassifier(seed=seed, words=words, c=c or LinearClassifier.c)
    row_features, unseen_features = _features(classifier, vectors, rows), _features(classifier, vectors, unseen)
    vectors.encode_all([one.task for one in loose])
    predict = predictor(vectors, start) if start else None
    for _ in range(rounds + (start is None) if loose else 1):
        extra = as_rows(loose, predict, policy) if predict else []
        learnt = [*rows, *extra]
        features = np.concatenate([row_features, _features(classifier, vectors, extra)])
        classifier.fit(features, targets(learnt, labels), labels, np.array([row.weight for row in learnt]))
        if unseen:
            classifier.calibrate(unseen_features, targets(unseen, labels))
        predict = predictor(vectors, classifier)
    return Head(classifier, rows, vectors.encode_all([row.text for row in rows]))


def fittest_c(
    train: Sequence[Row], calibration: Sequence[Row], vectors: TextVectors, labels: Sequence[str], seed: int
) -> float:
    """The classifier's `c`, of `PENALTIES`, that fits the rows for calibration best: more labels want a larger one."""
    rows, unseen = ([row for row in part if row.distribution()] for part in (train, calibration))
    if not unseen:
        return LinearClassifier.c
    learnt, seen = (vectors.encode_all([row.text for row in part]) for part in (rows, unseen))
    classifier, loss = LinearClassifier(seed=seed), {}
    for c in PENALTIES:
        classifier.c = c
        classifier.fit(learnt, targets(rows, labels), labels, np.array([row.weight for row in rows]))
        said = classifier.calibrate(seen, targets(unseen, labels)).predict_proba(seen)
        loss[c] = -float((targets(unseen, labels) * np.log(said.clip(1e-12))).sum())
    return min(loss, key=lambda c: loss[c])


def _bounded(evidence: Sequence[Evidence], rows: Sequence[Row]) -> list[Evidence]:
    total = sum(one.weight for one in evidence)
    factor = min(1.0, MOST_OF_ALL * sum(row.weight for row in rows) / total) if total else 1.0
    return [replace(one, weight=one.weight * factor) for one in evidence]


def own_words(mine: Sequence[str], others: Sequence[str]) -> Words:
    """The words that come up in the user's tasks, and much oftener there than in the data everybody learns from."""
    if not mine:
        return NO_WORDS
    here = Counter(word for text in mine for word in words_in(text))
    there = Counter(word for text in others for word in words_in(text) if word in here)
    rate = len(others) / len(mine)
    told = [w for w, count in here.most_common() if count >= FEWEST_TASKS and count * rate >= LIFT * (there[w] + 1)]
    return Words(tuple(told[:MOST_WORDS]))


def _features(classifier: LinearClassifier, vectors: TextVectors, rows: Sequence[Row]) -> Vectors:
    texts = [row.text for row in rows]
    return classifier.features(vectors.encode_all(texts), texts)


def predictor(vectors: TextVectors, classifier: LinearClassifier) -> Predict:
    """What this encoder and classifier say of a text."""

    def predict(text: str) -> Prediction:
        probabilities = classifier.predict_proba(vectors.encode(text)[None], [text])[0]
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
