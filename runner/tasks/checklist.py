"""Markdown checklists as tasks: `- [ ] task`, with indented text that belongs to it; `- [x]` is done."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from textwrap import dedent

from router.labels import Platform
from runner.errors import BadInput
from runner.tasks.asked import NAME, Asked

_BOX = re.compile(r"(?P<indent>[ \t]*)(?:[-*+]|\d{1,9}[.)])[ \t]+\[(?P<mark>[ xX])\](?P<text>[ \t].*|)$")
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_OTHER = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]|[ ]{0,3}(?:#{1,6}(?:[ \t]|$)|>|<|\||-{3}|\*{3}|_{3})")
"""Beginnings of lines that end a paragraph: lists, headings, quotes, HTML, tables, rules."""
_KEY = r"(?:after|name|platform)"
_IN_BRACKETS = re.compile(rf"\s*\((?P<facts>{_KEY}:[^()]*)\)\s*$")
_AT_END = re.compile(r"\s(?P<facts>after:[^()]*)$")


@dataclass
class _Item:
    line: int
    indent: int
    done: bool
    title: str
    below: list[str] = field(default_factory=list)


def is_checklist(text: str) -> bool:
    """True where the first line that is no heading is a box."""
    lines = (line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#"))
    return bool(_BOX.match(next(lines, "")))


def items(text: str, source: str) -> list[Asked]:
    """Return the boxes that don't lie within another one, the ticked ones too.

    Raises:
        BadInput: what stands behind a task can't be read; names the line.
    """
    return [_asked(item, f"{source}, line {item.line}") for item in _boxes(text.split("\n"))]


def _boxes(lines: list[str]) -> Iterator[_Item]:
    item: _Item | None = None
    fence = ""
    for number, line in enumerate(lines, start=1):
        inside = item is not None and _belongs(item, line, fenced=bool(fence))
        if item is not None and not inside:
            yield item
            item = None
        was, fence = fence, _fence(line, fence)
        if item is not None:
            item.below.append(line)
        elif not was and not fence and (box := _BOX.match(line)):
            indent = len(box["indent"].expandtabs(4))
            item = _Item(number, indent, box["mark"] != " ", box["text"].strip())
    if item is not None:
        yield item


def _belongs(item: _Item, line: str, *, fenced: bool) -> bool:
    """Blank and deeper lines do; so does a paragraph that just goes on at the margin."""
    if not line.strip():
        return True
    deeper = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip()) > item.indent
    goes_on = all(below.strip() for below in item.below[-1:]) and not _OTHER.match(line)
    return deeper or (goes_on and not fenced and not _FENCE.match(line))


def _fence(line: str, opened: str) -> str:
    """The fence that is open after this line; code in it is no list."""
    stripped = line.strip()
    if opened:
        return "" if stripped and set(stripped) == {opened[0]} and len(stripped) >= len(opened) else opened
    found = re.match(r"`{3,}|~{3,}", stripped)
    return found[0] if found else ""


def _asked(item: _Item, place: str) -> Asked:
    lines = [item.title, *dedent("\n".join(item.below)).rstrip().split("\n")]
    end = next((n for n, line in enumerate(lines[1:], start=1) if not line.strip() or _OTHER.match(line)), len(lines))
    told = ""
    for number in (0, end - 1):  # at the end of the line, or of the paragraph that it begins
        if found := not told and (_IN_BRACKETS.search(lines[number]) or _AT_END.search(lines[number])):
            lines[number], told = lines[number][: found.start()].rstrip(), found["facts"]
    facts = _facts(told, place)
    platform = facts.get("platform")
    return Asked(
        "\n".join(lines).strip(), place, facts.get("name"),
        tuple(filter(None, re.split(r"[,\s]+", facts.get("after", "")))),
        Platform(platform) if platform else None, item.done,
    )  # fmt: skip


def _facts(told: str, place: str) -> dict[str, str]:
    facts: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in re.split(rf"[;,]\s*(?={_KEY}:)|;", told))):
        key, _, value = (word.strip() for word in part.partition(":"))
        _check(key, value, place)
        facts[key] = value
    return facts


def _check(key: str, value: str, place: str) -> None:
    if key == "name" and not re.fullmatch(NAME, value):
        raise BadInput(f"{place}: name: {value!r}: a name is letters, digits, - and _, 40 at most")
    if key == "platform" and value not in list(Platform):
        raise BadInput(f"{place}: platform: {value!r} is none of {', '.join(Platform)}")
    if key not in {"name", "platform", "after"} or not value:
        raise BadInput(f"{place}: {key}: write (name: parser; after: 1, types; platform: codex) behind the task")
