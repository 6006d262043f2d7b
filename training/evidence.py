"""What the journal teaches: corrections, overrides, successes and failures as weighted rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from router.decision import Prediction
from router.journal import Journal
from router.labels import Source, Status
from router.policy import Policy
from router.schemas import Feedback, Outcome, StoredDecision
from training.evaluate import Predict
from training.rows import Row, normalised

CORRECTION_WEIGHT = 12.0
OVERRIDE_WEIGHT = 5.0
SUCCESS_WEIGHT = 2.0
FAILURE_WEIGHT = 1.0
"""How many seed rows a piece of evidence outweighs: the user's own word most, a failure least."""
SOURCE = "journal"


@dataclass(frozen=True)
class Evidence:
    """One decision and the most that can be concluded from it."""

    task: str
    weight: float
    platform: str | None = None
    """The platform that was right."""
    not_platform: str | None = None
    """A platform that went wrong: evidence against it, no label."""
    task_type: str | None = None


def collect(journal: Journal) -> list[Evidence]:
    """The evidence in a journal, the latest for each task; repeats of one task don't multiply.

    Raises:
        JournalError: the journal can't be read.
    """
    latest: dict[str, Evidence] = {}
    for stored, outcomes, feedback in journal.history():
        if stored.task.startswith("sha256:"):
            continue
        found = _conclude(stored, outcomes, feedback)
        if found is None:
            continue
        key = normalised(stored.task)
        if key not in latest or found.weight >= latest[key].weight:
            latest[key] = found
    return list(latest.values())


def as_rows(evidence: Sequence[Evidence], predict: Predict, policy: Policy) -> list[Row]:
    """Turn evidence into rows; what names only a platform is spread over its types as `predict` sees them.

    That is the expectation step of EM; training on the rows is the maximisation.
    """
    rows = []
    for one in evidence:
        target = {one.task_type: 1.0} if one.task_type else _spread(one, predict(one.task), policy)
        if target:
            best = max(target, key=lambda name: target[name])
            rows.append(
                Row(one.task, best, source=SOURCE, group=normalised(one.task), weight=one.weight, target=target)
            )
    return rows


def _conclude(stored: StoredDecision, outcomes: Sequence[Outcome], feedback: Sequence[Feedback]) -> Evidence | None:
    """The strongest thing said of a decision: a word of the user's before what merely happened."""
    said = next((f for f in reversed(feedback) if f.platform or f.task_type or f.verdict), None)
    if said is not None:
        return _from_feedback(stored, said)
    if stored.decision.source is Source.OVERRIDE:
        return Evidence(stored.task, OVERRIDE_WEIGHT, platform=stored.decision.platform)
    found = (_from_outcome(stored, outcome) for outcome in reversed(outcomes))
    return next((evidence for evidence in found if evidence), None)


def _from_feedback(stored: StoredDecision, said: Feedback) -> Evidence:
    if said.platform or said.task_type:
        return Evidence(stored.task, CORRECTION_WEIGHT, platform=said.platform, task_type=said.task_type)
    if said.verdict == "good":
        return Evidence(stored.task, SUCCESS_WEIGHT, platform=stored.decision.platform)
    return Evidence(stored.task, FAILURE_WEIGHT, not_platform=stored.decision.platform)


def _from_outcome(stored: StoredDecision, outcome: Outcome) -> Evidence | None:
    if outcome.accepted and outcome.status is Status.SUCCEEDED:
        return Evidence(stored.task, SUCCESS_WEIGHT, platform=outcome.platform)
    if outcome.accepted is False or outcome.status in {Status.FAILED, Status.REJECTED, Status.STALLED}:
        return Evidence(stored.task, FAILURE_WEIGHT, not_platform=outcome.platform)
    return None


def _spread(one: Evidence, prediction: Prediction | None, policy: Policy) -> dict[str, float]:
    types = prediction.task_types if prediction else dict.fromkeys(policy.task_types, 1.0)
    kept = {
        name: probability
        for name, probability in types.items()
        if (platform := policy.task_types[name].platform if name in policy.task_types else policy.default)
        and (platform == one.platform if one.platform else platform != one.not_platform)
    }
    total = sum(kept.values())
    return {name: probability / total for name, probability in kept.items()} if total else {}
