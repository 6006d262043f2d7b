"""The rule: from what model, seed and user say of a task to one answer. Pure; `router.service` feeds it."""

from collections.abc import Mapping
from typing import NamedTuple

from router.choice import rules
from router.choice.policy import Policy
from router.labels import OUT_OF_SCOPE, Mode, Platform, Source

NOTHING_KNOWN = 1 / 3
"""Confidence where nothing is known about a task: three platforms, one guess."""


class Prediction(NamedTuple):
    """What the model says of a task."""

    task_types: dict[str, float]
    """P(task type | it is a task); sums to 1."""
    out_of_scope: float
    """P(it is no routable task)."""

    @classmethod
    def of(cls, probabilities: Mapping[str, float]) -> "Prediction":
        """Split the class for what is no task from the task types."""
        inside = dict(probabilities)
        outside = inside.pop(OUT_OF_SCOPE, 0.0)
        total = sum(inside.values()) or 1.0
        return cls({name: p / total for name, p in inside.items()}, outside)

    @property
    def best(self) -> str:
        """The most probable task type."""
        return max(self.task_types, key=self.task_types.__getitem__)


class Choice(NamedTuple):
    """A platform and why."""

    platform: str
    mode: Mode
    workflow: str | None
    task_type: str | None
    confidence: float
    probabilities: dict[str, float]
    source: Source
    reason: str
    needs_confirmation: bool


def choose(task: str, prediction: Prediction | None, policy: Policy, override: Platform | None = None) -> Choice:
    """Decide. In this order: the user's own word, the model, the seed's rules, the policy's default.

    `prediction` is None where no model can answer; then the seed's programs decide alone, down to their
    last branch ("everything else goes to Codex").
    """
    probabilities = policy.platform_probabilities(prediction.task_types) if prediction else {}
    if override is not None:
        return _choice(policy, override, prediction, probabilities, Source.OVERRIDE, "you said so", confident=1.0)
    if prediction and (why := _abstains(prediction, probabilities, policy)) is None:
        return _by_model(policy, prediction, probabilities)
    rule = rules.match(task)
    lead = f"the model abstains ({why}); " if prediction else "no model; "
    if rule is None and prediction is None:
        rule = rules.ELSE
    if rule is None:
        reason = f"{lead}no rule of the seed speaks for it either: please confirm"
        return _choice(policy, policy.default, prediction, probabilities, Source.DEFAULT, reason)
    reason = f"{lead}the seed's rule {rule.source} {rule.name!r}: {rule.reason}"
    return _choice(policy, rule.platform, prediction, probabilities, Source.REGEX, reason)


def _abstains(prediction: Prediction, probabilities: dict[str, float], policy: Policy) -> str | None:
    if prediction.out_of_scope > policy.out_of_scope_ceiling:
        return f"{prediction.out_of_scope:.0%} sure that this is no task"
    best = max(probabilities.values())
    if best < policy.confidence_floor:
        return f"no platform above {policy.confidence_floor:.0%}"
    return None


def _by_model(policy: Policy, prediction: Prediction, probabilities: dict[str, float]) -> Choice:
    platform = policy.least_cost(probabilities)
    own = [name for name in prediction.task_types if policy.platform(name) == platform]
    best = max(own or prediction.task_types, key=prediction.task_types.__getitem__)
    row = policy.task_types.get(best)
    why = f": {row.reason}" if row and row.reason else ""
    sure = [round(100 * p) for p in (prediction.task_types[best], probabilities[platform])]
    reason = f"{best} ({sure[0]}%) → {platform} ({sure[1]}%){why}"
    if platform != max(probabilities, key=probabilities.__getitem__):
        reason += "; misrouting it there costs least"
    return _choice(policy, platform, prediction, probabilities, Source.MODEL, reason)


def _choice(
    policy: Policy, platform: str, prediction: Prediction | None, probabilities: dict[str, float],
    source: Source, reason: str, confident: float | None = None,
) -> Choice:  # fmt: skip
    confidence = confident if confident is not None else probabilities.get(platform, NOTHING_KNOWN)
    task_type = prediction.best if prediction else None
    unsure = source in {Source.MODEL, Source.REGEX} and confidence < policy.confirm_below
    return Choice(
        platform=platform,
        mode=policy.platforms[platform].mode,
        workflow=policy.workflow(platform, task_type),
        task_type=task_type,
        confidence=min(1.0, confidence),
        probabilities=probabilities,
        source=source,
        reason=reason,
        needs_confirmation=source is Source.DEFAULT or unsure,
    )
