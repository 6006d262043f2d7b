"""What a review decided: read from what it said or stored."""

import re
from typing import Any

from runner.memory.render import value_text
from runner.workflows.state import Verdict

_LINE = re.compile(r"(?im)^\W*verdict\W+(accept|rework|reject)(?:ed)?\b.*$")
KEYS: dict[str, Verdict] = {"a": "accept", "r": "rework", "x": "reject"}
"""The keys by which a person gives it."""


def verdict_in(said: Any) -> tuple[Verdict | None, str]:
    """The verdict and the notes beside it; None where there is none. The last one said counts."""
    if isinstance(said, dict):
        given = str(said.get("verdict", "")).lower()
        known = next((one for one in KEYS.values() if one == given), None)
        return known, value_text(said.get("notes") or "")
    text = value_text(said)
    found = _LINE.findall(text)
    return (found[-1].lower() if found else None), _LINE.sub("", text).strip()
