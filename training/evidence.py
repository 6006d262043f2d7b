"""What the journal teaches: corrections, overrides, successes and failures as weighted rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from router.choice.decision import Prediction
from router.choice.policy import Policy
from router.journal.journal import Journal
from router.journal.stored import StoredDecision
from router.labels import Source, Status
from router.schemas import Feedback, Outcome
from training.evaluate import Predict
from training.rows import Row, normalised
from training.taxonomy import platform_of

CORRECTION_WEIGHT = 6.0
OVERRIDE_WEIGHT = 4.0
SUCCESS_WEIGHT = 3.0
FAILURE_WEIGHT = 1.0
"""How many seed rows a piece of evidence outweighs: the user's own word most, a failure least."""
MOST_EMPHASIS = 10.0
"""How much more a piece counts while there are few, up to 50; less and less of it the more there are."""
EMPHASISED_PIECES = 500
"""From so many pieces on each counts its plain weight."""
WRONG_SHARE = 0.1
"""Share of the feedback that is expected to be a slip."""
FAILURES = frozenset({Status.FAILED, Status.REJECTED, Status.STALLED})
"""How a run ends that went wrong on its platform; what the user or a clock ended says nothing."""
SOURCE = "journal"
HASHED = "sha256:"
"""How a task begins of which only a digest was stored."""


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
    propensity: float = field(default=1.0, compare=False)
    """Probability with which the platform was chosen; 1 where the user chose it."""
    decided_at: datetime | None = field(default=None, compare=False)
    told: bool = field(default=False, compare=False)
    """True where the user named what is right, so that nothing else can have been."""

    def weakened(self, strength: float) -> "Evidence":
        """The same with so much of its weight."""
        return replace(self, weight=self.weight * strength)


def collect(journal: Journal) -> list[Evidence]:
    """The evidence in a journal, the latest for each task; repeats of one task don't multiply.

    Raises:
        JournalError: the journal can't be read.
    """
    latest: dict[str, Evidence] = {}
    for stored, outcomes, feedback in journal.history():
        if stored.task.startswith(HASHED):
            continue
        found = _conclude(stored, outcomes, feedback)
        if found is None:
            continue
        key = normalised(stored.task)
        if key not in latest or found.weight >= latest[key].weight:
            latest[key] = found
    return list(latest.values())


def emphasise(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Let few pieces of evidence count for more each than many do: one correction must turn its own task's route."""
    factor = min(MOST_EMPHASIS, max(1.0, EMPHASISED_PIECES / max(1, len(evidence))))
    return [replace(one, weight=one.weight * factor) for one in evidence]


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


def honesty(one: Evidence, prediction: Prediction, policy: Policy) -> float:
    """P(this evidence is no slip), where `prediction` says what usually becomes of such tasks."""
    platforms = policy.platform_probabilities(prediction.task_types)
    right = one.platform or (platform_of(policy, one.task_type) if one.task_type else None)
    likely = platforms.get(right, 0.0) if right else 1 - platforms.get(one.not_platform or "", 0.0)
    slip = (1 - likely) / (max(1, len(platforms) - 1) if right else 1)
    honest = (1 - WRONG_SHARE) * likely
    return honest / (honest + WRONG_SHARE * slip + 1e-12)


def _conclude(stored: StoredDecision, outcomes: Sequence[Outcome], feedback: Sequence[Feedback]) -> Evidence | None:
    """The strongest thing said of a decision: a word of the user's before what merely happened."""
    said = next((f for f in reversed(feedback) if f.platform or f.task_type or f.verdict), None)
    if said is not None:
        return _from_feedback(stored, said)
    found = next((one for outcome in reversed(outcomes) if (one := _from_outcome(stored, outcome))), None)
    if stored.decision.source is Source.OVERRIDE and not (found and found.not_platform):
        return _evidence(stored, OVERRIDE_WEIGHT, platform=stored.decision.platform)
    return found


def _from_feedback(stored: StoredDecision, said: Feedback) -> Evidence:
    if said.platform or said.task_type:
        return _evidence(stored, CORRECTION_WEIGHT, platform=said.platform, task_type=said.task_type)
    if said.verdict == "good":
        return _evidence(stored, SUCCESS_WEIGHT, platform=stored.decision.platform)
    return _evidence(stored, FAILURE_WEIGHT, not_platform=stored.decision.platform)


def _from_outcome(stored: StoredDecision, outcome: Outcome) -> Evidence | None:
    if outcome.status is Status.SUCCEEDED and outcome.accepted:
        picked = outcome.platform != stored.decision.platform  # the user ran it elsewhere than they were told to
        return _evidence(stored, OVERRIDE_WEIGHT if picked else SUCCESS_WEIGHT, platform=outcome.platform)
    if outcome.accepted is False or outcome.status in FAILURES:
        return _evidence(stored, FAILURE_WEIGHT, not_platform=outcome.platform)
    return None  # a success that nobody looked at would only confirm the router's own choice


def _evidence(
    stored: StoredDecision, weight: float, platform: str | None = None, not_platform: str | None = None,
    task_type: str | None = None,
) -> Evidence:  # fmt: skip
    decision = stored.decision
    own = decision.source is not Source.OVERRIDE and (platform or not_platform) == decision.platform
    return Evidence(
        stored.task, weight, platform, not_platform, task_type,
        propensity=decision.propensity if own else 1.0, decided_at=stored.created_at, told=weight >= OVERRIDE_WEIGHT,
    )  # fmt: skip


def _spread(one: Evidence, prediction: Prediction | None, policy: Policy) -> dict[str, float]:
    types = prediction.task_types if prediction else dict.fromkeys(policy.task_types, 1.0)
    kept = {name: probability for name, probability in types.items() if _possible(one, platform_of(policy, name))}
    total = sum(kept.values())
    return {name: probability / total for name, probability in kept.items()} if total else {}


def _possible(one: Evidence, platform: str) -> bool:
    return platform == one.platform if one.platform else platform != one.not_platform
