"""Labelled rows: read from JSONL, checked, grouped so that near copies stay on one side of a split."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from training.errors import DataError
from training.taxonomy import SHIPPED, Taxonomy

LABELS: tuple[str, ...] = SHIPPED.names
"""The labels of the shipped taxonomy."""
ALSO_SHARE = 0.3
"""Probability that the other defensible types of a row share; the rest is the row's own type's."""
LARGEST_WEIGHT = 100.0
"""Most that one row of a file may count, 1 being usual."""
MOST_NAMES = 20
"""So many labels are named at most in one message."""
BLOCK_ROWS = 20
"""Neighbouring rows of one writer are often contrast sets on one topic; so many are kept together."""


@dataclass(frozen=True)
class Row:
    """A text and what it was labelled."""

    text: str
    task_type: str | None
    """None where only the platform is known."""
    also: tuple[str, ...] = ()
    """Other types that a careful reader could defend."""
    second_reading: str | None = None
    """The label of a second, blind reader."""
    platform: str | None = None
    source: str = ""
    group: str = ""
    """Rows of one group are never on both sides of a split."""
    weight: float = 1.0
    target: Mapping[str, float] = field(default_factory=dict)
    """P(label), where it is known better than by type and `also`."""

    def distribution(self) -> dict[str, float]:
        """P(label) of this row; sums to 1. Empty where only the platform is known.

        Both readers count alike; what they called defensible besides shares `ALSO_SHARE`.
        """
        if self.target or self.task_type is None:
            return dict(self.target)
        shared = ALSO_SHARE if self.also else 0.0
        shares = dict.fromkeys((*self.also, self.task_type), 0.0)
        for name in self.also:
            shares[name] += shared / len(self.also)
        for reading in (self.task_type, self.second_reading or self.task_type):
            shares[reading] = shares.get(reading, 0.0) + (1 - shared) / 2
        return shares


def read(paths: Sequence[Path], taxonomy: Taxonomy = SHIPPED) -> list[Row]:
    """Read JSONL files of `{"text", "task_type"}` or `{"text", "platform"}`; extra keys are ignored.

    `label` is read where there is no `task_type`; a row with `"skip": true` is left out.

    Raises:
        DataError: a file or a row is wrong; nothing is skipped silently.
    """
    rows: list[Row] = []
    seen: dict[str, tuple[str, str]] = {}
    for path in paths:
        counts: Counter[str] = Counter()
        for number, line in enumerate(_lines(path), start=1):
            if not line.strip():
                continue
            item = _item(path, number, line)
            if item.get("skip") is True:
                continue
            row = _row(path, number, item, taxonomy)
            counts[row.source] += 1
            rows.append(_grouped(row, counts[row.source]))
            _check_contradiction(rows[-1], path, number, seen)
    return rows


def normalised(text: str) -> str:
    """The text without case, digits, punctuation and spacing: near copies become equal."""
    return " ".join(re.sub(r"[\W\d_]+", " ", text.casefold()).split()) or text.strip()


def digest(rows: Iterable[Row]) -> str:
    """SHA-256 over texts, labels and weights, in order."""
    state = hashlib.sha256()
    for row in rows:
        fields = [row.text, row.platform, sorted(row.distribution().items()), round(row.weight, 6)]
        state.update(json.dumps(fields).encode())
    return state.hexdigest()


def share(group: str) -> float:
    """A number in [0, 1) that depends on the group's name alone; splits compare it with their size."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") / 2**64


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split("\n")  # splitlines() would also split inside JSON strings
    except UnicodeDecodeError as error:
        raise DataError(path, 0, "is not UTF-8 text") from error
    except OSError as error:
        raise DataError(path, 0, f"can't be read ({error.strerror})") from error


def _item(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(path, number, f"is not JSON ({error.msg})") from error
    if not isinstance(item, dict) or not isinstance(item.get("text"), str) or not item["text"].strip():
        raise DataError(path, number, 'needs a "text" that is not blank')
    try:
        item["text"].encode()
    except UnicodeEncodeError as error:
        raise DataError(path, number, "holds half a character (a lone surrogate)") from error
    return item


def _row(path: Path, number: int, item: dict[str, Any], taxonomy: Taxonomy) -> Row:
    task_type = taxonomy.name(item.get("task_type", item.get("label")))
    platform, also = item.get("platform"), [taxonomy.name(name) for name in _also(path, number, item)]
    if task_type is None and not isinstance(platform, str):
        raise DataError(path, number, 'needs a "task_type" (or a "platform")')
    second = taxonomy.name(item.get("second_reading"))
    for name in (*also, *(label for label in (task_type, second) if label is not None)):
        if not isinstance(name, str) or name not in taxonomy.names:
            raise DataError(path, number, _unknown(name, taxonomy))
    others = tuple(name for name in also if name != task_type)
    return Row(
        item["text"],
        task_type,
        others,
        second,
        platform,
        source=str(item.get("source", "")),
        weight=_weight(path, number, item),
    )


def _unknown(name: object, taxonomy: Taxonomy) -> str:
    known = [taxonomy.shown(label) for label in taxonomy.names]
    shown = known if len(known) <= MOST_NAMES else get_close_matches(str(name), known, MOST_NAMES) or known[:MOST_NAMES]
    return f"{name!r} is no label; known are {', '.join(sorted(shown))}{', …' if len(shown) < len(known) else ''}"


def _also(path: Path, number: int, item: dict[str, Any]) -> list[Any]:
    also = item.get("also") or []
    if not isinstance(also, list):
        raise DataError(path, number, '"also" must be a list of types')
    return also


def _weight(path: Path, number: int, item: dict[str, Any]) -> float:
    weight = item.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= LARGEST_WEIGHT:
        raise DataError(path, number, f'"weight" must be a number above 0, at most {LARGEST_WEIGHT:g}')
    return float(weight)


def _grouped(row: Row, position: int) -> Row:
    block = f"{row.source}:{(position - 1) // BLOCK_ROWS}" if row.source else normalised(row.text)
    return replace(row, group=block)


def _check_contradiction(row: Row, path: Path, number: int, seen: dict[str, tuple[str, str]]) -> None:
    """Two labels for one text are refused; `seen` is text → its first label and where that stands."""
    if row.task_type is None:
        return
    other, place = seen.setdefault(row.text.strip(), (row.task_type, f"{path}:{number}"))
    if other != row.task_type and other not in row.also:
        raise DataError(path, number, f"{row.text[:60]!r} is labelled {row.task_type}, but {other} in {place}")
