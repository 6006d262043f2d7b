"""May a candidate replace the champion? Both are judged on the same held-out rows and the same logged trials."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.evaluate import Judged, counted
from training.off_policy import OffPolicy
from training.taxonomy import Aim

SAMPLES = 4000
TOLERATED_LOSS = 0.01
"""A candidate that loses more than a point is refused even where so few rows can't prove it worse."""


@dataclass(frozen=True)
class Verdict:
    """What the comparison says."""

    promote: bool
    reason: str
    difference: float
    """Accuracy of the candidate less the champion's."""
    interval: tuple[float, float]
    """Its 95 % interval, from a paired bootstrap."""


def compare(
    candidate: Sequence[Judged], champion: Sequence[Judged] | None, seed: int = 0, aim: Aim = "platform",
    logged: OffPolicy | None = None, best: float | None = None,
) -> Verdict:  # fmt: skip
    """Judge a candidate against the champion, row by row; without a champion it is promoted.

    `best` is what the best of the champion's line scored on the same rows: small losses must not add up.
    """
    if not champion:
        return Verdict(True, "there is no model to compare it with", 0.0, (0.0, 0.0))
    new, old = ([one.outcome(aim)[0] for one in counted(side, aim)] for side in (candidate, champion))
    differences = np.array(new, dtype=float) - np.array(old, dtype=float)
    draws = np.random.default_rng(seed).integers(0, len(differences), (SAMPLES, len(differences)))
    low, high = np.quantile(differences[draws].mean(axis=1), [0.025, 0.975])
    mean = float(differences.mean())
    worse = high < 0 or mean < -TOLERATED_LOSS
    said = f"{mean:+.1%} {aim} accuracy on {len(differences)} held-out rows (95 %: {low:+.1%} to {high:+.1%})"
    if best is not None and float(np.mean(new)) < best - TOLERATED_LOSS:
        said += f"; more than a point below the best of its line ({best:.1%})"
        worse = True
    if logged is not None:
        said += f"; {logged}"
        worse = worse or logged.worse
    return Verdict(not worse, said, mean, (float(low), float(high)))


def incomparable(reason: str) -> Verdict:
    """A candidate that the served model can't be compared with is never promoted by itself."""
    return Verdict(False, reason, 0.0, (0.0, 0.0))
