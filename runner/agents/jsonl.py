"""Reading a line of JSON from a program that may print other things too."""

import json
from typing import Any


def read_object(line: str) -> dict[str, Any]:
    """Return the JSON object of a line; an empty one where the line holds none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def part(value: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the object under `name`; an empty one where there is none."""
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def objects(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects in the list under `name`."""
    found = value.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def number(value: dict[str, Any], name: str) -> int | float | None:
    """Return the count or amount under `name`; None where there is none."""
    found = value.get(name)
    return found if isinstance(found, int | float) and found >= 0 else None


def text(value: Any) -> str:
    """Return a value as text that can be written: half of a cut emoji, as JSON may hold it, becomes `?`."""
    return str(value).encode(errors="replace").decode()
