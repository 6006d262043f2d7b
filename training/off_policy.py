"""Would the candidate have done better on what really happened? Self-normalised inverse propensity scoring.

A logged trial tells the worth of the platform that was used, nothing about the others; so a policy is judged on the
trials where it would have used the same one, each weighted by one over the probability with which it was used
(Swaminathan and Joachims 2015, "The Self-Normalized Estimator for Counterfactual Learning"). Where the user named the
right platform, every choice can be judged, and the trial counts once.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.choice.policy import Policy
from training.evidence import Evidence
from training.taxonomy import platform_of

SAMPLES = 2000
FEWEST_EFFECTIVE = 30.0
"""With fewer effective trials there is no verdict: an interval over them says nothing."""
LARGEST_WEIGHT = 20.0
"""One rare exploration must not outvote everything else."""


@dataclass(frozen=True)
class OffPolicy:
    """Candidate and champion on the same trials."""

    trials: int
    candidate: float
    """Estimated share of tasks that go right with it; NaN where it agrees with no trial."""
    champion: float
    effective: float
    """Effective sample size, the smaller of the two."""
    difference: float
    interval: tuple[float, float]
    """95 % interval of the difference, from a paired bootstrap."""

    @property
    def enough(self) -> bool:
        """False where the evidence is too small for a verdict."""
        return self.effective >= FEWEST_EFFECTIVE

    @property
    def worse(self) -> bool:
        """True where the candidate is worse beyond chance."""
        return self.enough and self.interval[1] < 0

    def __str__(self) -> str:
        if not self.enough:
            return f"off-policy: no verdict, {self.effective:.0f} effective trials of {FEWEST_EFFECTIVE:.0f} needed"
        low, high = self.interval
        return (
            f"off-policy {self.difference:+.1%} on {self.trials} logged trials, {self.effective:.0f} effective "
            f"(95 %: {low:+.1%} to {high:+.1%})"
        )

    def scores(self) -> dict[str, Any]:
        """For the manifest."""
        return {**{name: _rounded(value) for name, value in asdict(self).items()}, "enough": self.enough}


def since(evidence: Sequence[Evidence], moment: datetime) -> list[Evidence]:
    """What the journal learnt after `moment`: a model that has seen a trial's end can't be judged on it."""
    return [one for one in evidence if one.decided_at is not None and one.decided_at > moment]


def too_few(trials: int) -> OffPolicy:
    """No estimate: there are not even enough trials to begin with."""
    unknown = float("nan")
    return OffPolicy(trials, unknown, unknown, float(trials), unknown, (unknown, unknown))


def estimate(
    trials: Sequence[Evidence], candidate: Sequence[str], champion: Sequence[str], policy: Policy, seed: int = 0
) -> OffPolicy:
    """Compare two policies by the platform that each would choose for every trial."""
    (w_new, r_new), (w_old, r_old) = _weighted(trials, candidate, policy), _weighted(trials, champion, policy)
    if not trials:
        return too_few(0)
    new, old = _value(w_new, r_new), _value(w_old, r_old)
    draws = np.random.default_rng(seed).integers(0, len(trials), (SAMPLES, len(trials)))
    differences = _value(w_new[draws], r_new[draws]) - _value(w_old[draws], r_old[draws])
    known = differences[~np.isnan(differences)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (float("nan"), float("nan"))
    effective = min(_effective(w_new), _effective(w_old))
    return OffPolicy(len(trials), float(new), float(old), effective, float(new - old), (float(low), float(high)))


def _weighted(
    trials: Sequence[Evidence], chosen: Sequence[str], policy: Policy
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    weights, rewards = np.zeros(len(trials)), np.zeros(len(trials))
    for index, (trial, platform) in enumerate(zip(trials, chosen, strict=True)):
        right = trial.platform or (platform_of(policy, trial.task_type) if trial.task_type else None)
        if trial.told:
            weights[index], rewards[index] = 1.0, float(platform == right)
        elif platform == (right or trial.not_platform):
            weights[index] = min(1 / max(trial.propensity, 1e-9), LARGEST_WEIGHT)
            rewards[index] = float(right is not None)
    return weights, rewards


def _value(weights: NDArray[np.float64], rewards: NDArray[np.float64]) -> NDArray[np.float64]:
    total = weights.sum(axis=-1)
    worth = (weights * rewards).sum(axis=-1)
    result: NDArray[np.float64] = np.divide(worth, total, out=np.full_like(total, np.nan), where=total > 0)
    return result


def _effective(weights: NDArray[np.float64]) -> float:
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 4)
    return [_rounded(one) for one in value] if isinstance(value, tuple) else value
