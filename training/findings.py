"""What a training run found out about its candidate: judged rows, comparisons, the learning curve."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from router.choice.decision import choose
from router.choice.policy import Policy
from router.model.artifact import Model
from router.model.classifier import LinearClassifier
from training.evaluate import Judged, Predict, counted, judge, scores
from training.evidence import Evidence
from training.gate import Verdict, compare, incomparable
from training.head import Head, bounded, fit, predictor, predictor_of, targets
from training.off_policy import FEWEST_EFFECTIVE, OffPolicy, estimate, since, too_few
from training.rows import Row, normalised, share
from training.split import Split
from training.taxonomy import Aim, Taxonomy
from training.vectors import TextVectors, VectorStore

CURVE = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Shares of the training rows that the learning curve shows."""
FOLDS = 3
"""Turns in which the logged trials are judged: each by a classifier that has not learnt from it."""


@dataclass(frozen=True)
class Question:
    """What a candidate is asked on, and what it learnt from."""

    rows: Sequence[Row]
    evidence: Sequence[Evidence]
    parts: Split
    taxonomy: Taxonomy
    policy: Policy
    seed: int
    best: float | None = None
    """Best platform accuracy of the served model's line on the same golden set; None where that is not known."""

    @property
    def aim(self) -> Aim:
        """What is judged."""
        return self.taxonomy.aim(self.policy)

    def weakened(self, strength: float) -> "Question":
        """The same with so much of the weight that the evidence may have."""
        evidence = bounded(self.evidence, self.parts.train)
        return replace(self, evidence=[one.weakened(strength) for one in evidence])


@dataclass(frozen=True)
class Findings:
    """Everything that the report shows."""

    question: Question
    judged: list[Judged]
    champion: list[Judged] | None
    """The served model on the same rows; None where there is none, or it knows other labels."""
    rules: list[Judged]
    """The seed's rules alone on the same rows."""
    logged: OffPolicy | None
    verdict: Verdict
    curve: list[tuple[int, float]] = field(default_factory=list)
    """Rows learnt from, accuracy on the held-out rows."""

    def scores(self) -> dict[str, Any]:
        """For the manifest."""
        found = scores(self.judged, self.question.aim)
        found["predictions_digest"] = _digest(self.judged)
        return {**found, **({"off_policy": self.logged.scores()} if self.logged else {})}


def find(question: Question, vectors: TextVectors, head: Head, champion: Model | None) -> Findings:
    """Judge a fitted head against the champion and the seed's rules."""
    parts, policy, aim = question.parts, question.policy, question.aim
    judged = judge(parts.held_out, predictor(vectors, head.classifier), policy)
    against, logged = None, None
    if champion and champion.manifest.labels == question.taxonomy.names:
        same = champion.encoder is vectors.encoder
        predict = predictor_of(champion, vectors if same else TextVectors(champion.encoder, VectorStore()))
        against = judge(parts.held_out, predict, champion.policy)
        logged = _on_the_log(question, vectors, head, champion, predict)
    if champion and against is None:
        verdict = incomparable("the served model knows other labels; `train-router promote` serves this one instead")
    else:
        best = question.best if aim == "platform" else None
        verdict = compare(judged, against, question.seed, aim, logged, best)
    rules = judge(parts.held_out, lambda _: None, policy)
    return Findings(question, judged, against, rules, logged, verdict)


def _digest(judged: Sequence[Judged]) -> str:
    """SHA-256 over what was said of every held-out row: the same for the same data and seed."""
    said = [[one.row.text, one.choice.platform, one.label, round(one.choice.confidence, 6)] for one in judged]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _on_the_log(
    question: Question, vectors: TextVectors, head: Head, champion: Model, champion_says: Predict
) -> OffPolicy | None:
    """Candidate and champion on what was logged since the champion was made.

    The candidate has learnt from those trials, so each is judged by a classifier fitted without its third of them.
    """
    trials = since(question.evidence, champion.manifest.created_at)
    if len(trials) < FEWEST_EFFECTIVE:
        return too_few(len(trials)) if trials else None
    folds = [int(share(normalised(one.task)) * FOLDS) for one in trials]
    chosen = [""] * len(trials)
    for fold in sorted(set(folds)):
        says = _without(
            question, vectors, head, {one.task for one, own in zip(trials, folds, strict=True) if own == fold}
        )
        for index, one in enumerate(trials):
            if folds[index] == fold:
                chosen[index] = choose(one.task, says(one.task), question.policy).platform
    before = [choose(one.task, champion_says(one.task), champion.policy).platform for one in trials]
    return estimate(trials, chosen, before, question.policy, question.seed)


def _without(question: Question, vectors: TextVectors, head: Head, unseen: set[str]) -> Predict:
    """What a classifier says that has learnt all but the evidence of some tasks."""
    others = [one for one in question.evidence if one.task not in unseen]
    parts, names = question.parts, question.taxonomy.names
    fitted = fit(
        parts.train, parts.calibration, others, vectors, names, question.policy, question.seed, start=head.classifier
    )
    return predictor(vectors, fitted.classifier)


def learning_curve(question: Question, vectors: TextVectors, c: float) -> list[tuple[int, float]]:
    """Accuracy over the number of rows; the encoder is the same all along, so it shows what the head gains."""
    names = question.taxonomy.names
    rows = [row for row in question.parts.train if row.distribution()]
    order = np.random.default_rng(question.seed).permutation(len(rows))
    found, classifier = [], LinearClassifier(seed=question.seed, c=c)
    for size in sorted({max(2, int(portion * len(rows))) for portion in CURVE}):
        some = [rows[i] for i in order[:size]]
        if len({row.task_type for row in some}) < 2:
            continue
        wanted = targets(some, names)
        classifier.fit(vectors.encode_all([r.text for r in some]), wanted, names, np.array([r.weight for r in some]))
        judged = judge(question.parts.held_out, predictor(vectors, classifier), question.policy)
        right = [one.outcome(question.aim)[0] for one in counted(judged, question.aim)]
        found.append((size, float(np.mean(right)) if right else float("nan")))
    return found
