"""A design as it lies in memory, and the list of tasks in it."""

import re
from typing import Any

from runner.memory.render import value_text

_ITEM = re.compile(r"^(\s*)(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?(\S.*)$")
_HEADING = re.compile(
    r"^\W*(?:the\s+)?(?:task(?:s|\s+list)?|work\s+items|steps|parts)\b[^.?!]{0,40}?\W*$", re.IGNORECASE
)
_LISTS = ("tasks", "task_list", "steps", "items", "endpoints")


def tasks_of(design: Any) -> list[str]:
    """The tasks that a design lists, in its order; empty where it lists none.

    A design that is data has them under `tasks`; one that is text, as numbered or bulleted lines, below a line such as
    `Tasks:` where there is one. Lines that belong to a point come with it, and code is left alone.
    """
    if isinstance(design, dict):
        named: list[Any] = next((design[name] for name in _LISTS if isinstance(design.get(name), list)), [])
        return [text for one in named if (text := _told(one))]
    if isinstance(design, list):
        return [text for one in design if (text := _told(one))]
    lines = value_text(design).splitlines()
    heading = next(
        (number for number, line in enumerate(lines) if _HEADING.match(line) and not _ITEM.match(line)), None
    )
    return (heading is not None and _points(lines[heading + 1 :])) or _points(lines)


def _told(item: Any) -> str:
    if isinstance(item, dict):
        item = next((item[name] for name in ("task", "title", "name", "description") if item.get(name)), item)
    return value_text(item).strip()


def _points(lines: list[str]) -> list[str]:
    points: list[str] = []
    code, outer = False, None
    for line in lines:
        if line.lstrip().startswith("```"):
            code = not code
        found = None if code else _ITEM.match(line)
        if found and (outer is None or len(found[1]) <= outer):
            outer = len(found[1])
            points.append(found[2].rstrip())
        elif points and line.startswith((" ", "\t")) and line.strip():
            points[-1] += f"\n{line.rstrip()}"  # a continuation, or a point within the point
    return points
