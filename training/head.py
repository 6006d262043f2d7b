"""The classifier over the encoder's vectors: fitted, calibrated, and taught by evidence (EM)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from router.choice.decision import Prediction
from router.choice.policy import Policy
from router.model.artifact import Model
from router.model.classifier import LinearClassifier
from router.model.words import NO_WORDS, Words, words_in
from training.evaluate import Predict
from training.evidence import Evidence, as_rows, honesty
from training.habits import own_words, weigh
from training.rows import Row
from training.vectors import TextVectors, Vectors

EM_ROUNDS, WORD_ROUNDS = 2, 6
"""How often what names only a platform is spread over its types anew, and how often the user's words are weighed."""
PENALTIES = (1.0, 10.0)
"""Values of the classifier's `c` that are tried for labels other than the shipped ones."""
LARGEST_EVIDENCE_SHARE = 0.15
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
    c: float | None = None,
) -> Head:  # fmt: skip
    """Fit to `train` and `evidence`, calibrate on rows that neither encoder nor classifier has seen.

    Rows and evidence that name only a platform are spread over its types by the classifier itself, in turns.
    Evidence with words of the user's own is explained by these alone, so that other tasks stay where they were.
    A classifier to `start` from, of the same labels, needs one turn only. `c` is the classifier's, where it should
    not be the one that suits the shipped labels.
    """
    rows, unseen = ([row for row in part if row.distribution()] for part in (train, calibration))
    words = own_words([one.task for one in evidence], [row.text for row in rows])
    worded, rest = _parted(bounded(evidence, rows), words, rows)
    loose = [*rest, *_platform_only(train)]
    row_vectors, unseen_vectors = (vectors.encode_all([row.text for row in part]) for part in (rows, unseen))
    vectors.encode_all([one.task for one in loose])
    classifier = start.knowing(NO_WORDS) if start else LinearClassifier(seed=seed, c=c or LinearClassifier.c)
    predict = predictor(vectors, start) if start else None
    for _ in range(1 + EM_ROUNDS if loose and start is None else 1):
        extra = as_rows(loose, predict, policy) if predict else []
        learnt = [*rows, *extra]
        seen = np.concatenate([row_vectors, vectors.encode_all([row.text for row in extra])])
        classifier.fit(seen, targets(learnt, labels), labels, np.array([row.weight for row in learnt]))
        if unseen:
            classifier.calibrate(unseen_vectors, targets(unseen, labels))
        predict = predictor(vectors, classifier)
    return Head(_with_words(classifier, words, worded, vectors, policy), rows, row_vectors)


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


def bounded(evidence: Sequence[Evidence], rows: Sequence[Row]) -> list[Evidence]:
    """The evidence with at most `LARGEST_EVIDENCE_SHARE` of the rows' weight."""
    total = sum(one.weight for one in evidence)
    factor = min(1.0, LARGEST_EVIDENCE_SHARE * sum(row.weight for row in rows) / total) if total else 1.0
    return [replace(one, weight=one.weight * factor) for one in evidence]


def _parted(evidence: Sequence[Evidence], words: Words, rows: Sequence[Row]) -> tuple[list[Evidence], list[Evidence]]:
    """Evidence that the user's words can explain, and the rest: a label without a row is beyond words."""
    own, labels = set(words.known), {name for row in rows for name in row.distribution()}
    worded, rest = list[Evidence](), list[Evidence]()
    for one in evidence:
        explained = words_in(one.task) & own and one.task_type in {None, *labels}
        (worded if explained else rest).append(one)
    return worded, rest


def _with_words(
    plain: LinearClassifier, words: Words, evidence: Sequence[Evidence], vectors: TextVectors, policy: Policy
) -> LinearClassifier:
    """The classifier with words beside the vector, each weighed by what `evidence` says of its tasks.

    In turns, as before; what contradicts the rest of the evidence is more and more taken for a slip.
    """
    if not evidence:
        return plain
    classifier, dimension = plain.knowing(words), plain.coef_.shape[1]
    predict, trusted = predictor(vectors, classifier), list(evidence)
    for _ in range(WORD_ROUNDS):
        rows = as_rows(trusted, predict, policy)
        texts = [row.text for row in rows]
        logits = vectors.encode_all(texts) @ plain.coef_.T + plain.intercept_
        weights = np.array([row.weight for row in rows])
        told = targets(rows, plain.classes_)
        found = weigh(logits, words.features(texts), told, weights, classifier.coef_[:, dimension:])
        classifier.coef_ = np.hstack([plain.coef_, found])
        trusted = [one.weakened(honesty(one, predict(one.task), policy)) for one in evidence]
    return classifier


def predictor(vectors: TextVectors, classifier: LinearClassifier) -> Callable[[str], Prediction]:
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


def _platform_only(rows: Sequence[Row]) -> list[Evidence]:
    return [Evidence(row.text, row.weight, platform=row.platform) for row in rows if not row.distribution()]
