"""Files of tasks in three forms: one task a line, JSON Lines, or a Markdown checklist."""

import json
from pathlib import PurePath
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from router.labels import Platform
from runner.errors import BadInput
from runner.tasks.asked import NAME, Asked
from runner.tasks.checklist import is_checklist, items

Form = Literal["lines", "jsonl", "markdown"]


def listed(text: str, source: str) -> list[Asked]:
    """Return the tasks in `text`; `source` names the file, and its ending the form; without one it is looked at.

    Raises:
        BadInput: a line can't be read; names it.
    """
    form = _form(text, PurePath(source).suffix.lower())
    if form == "jsonl":
        return [_object(line, f"{source}, line {number}") for number, line in _lines(text)]
    if form == "markdown":
        return items(text, source)
    return [Asked(line, f"{source}, line {number}") for number, line in _lines(text)]


def _form(text: str, suffix: str) -> Form:
    known: dict[str, Form] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".md": "markdown", ".markdown": "markdown"}
    if suffix in known:
        return known[suffix]
    if is_checklist(text):
        return "markdown"
    return "jsonl" if _is_task(next((line for _, line in _lines(text)), "")) else "lines"


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _is_task(line: str) -> bool:
    try:
        value = json.loads(line)
    except ValueError:
        return False
    return isinstance(value, dict) and "task" in value


def _as_tuple(value: object) -> object:
    values = value if isinstance(value, (list, tuple)) else (value,)
    return tuple(str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in values)


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    name: str | None = Field(default=None, pattern=f"^{NAME}$")
    after: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    platform: Platform | None = None
    done: bool = False


def _object(line: str, place: str) -> Asked:
    try:
        read = _Line.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"][:1])
        shown = f"{key}: {first['msg']}" if key else first["msg"]
        raise BadInput(f'{place}: {shown}; a line is {{"task": …}}, with "name", "after", "platform"') from error
    return Asked(read.task, place, read.name, read.after, read.platform, read.done)
