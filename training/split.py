"""Which rows are learnt from, which calibrate, which judge. Decided by each row's group, never by chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.rows import Row, share

CALIBRATION_SHARE = 0.08
HELD_OUT_SHARE = 0.08


@dataclass(frozen=True)
class Split:
    """Three parts; no group is in two of them."""

    train: list[Row]
    calibration: list[Row]
    """Unseen by encoder and classifier: the temperature is fitted on them."""
    held_out: list[Row]
    """Unseen by everything: scores come from them."""


def split(rows: Sequence[Row], golden: Sequence[Row] = ()) -> Split:
    """Split by group; where there are golden rows they are what is held out, and no near copy of one is learnt."""
    if golden:
        judged = {row.text.strip() for row in golden}
        parts = Split([], [], list(golden))
        rows = [row for row in rows if row.text.strip() not in judged]
    else:
        parts = Split([], [], [])
    for row in rows:
        place = share(row.group)
        if place < CALIBRATION_SHARE:
            parts.calibration.append(row)
        elif place < CALIBRATION_SHARE + HELD_OUT_SHARE and not golden:
            parts.held_out.append(row)
        else:
            parts.train.append(row)
    return parts
