"""From a file to a workflow; whatever is wrong is said with line, column and what was probably meant."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from runner.workflows.errors import Problem, WorkflowInvalid, did_you_mean
from runner.workflows.forms import PhasesFile
from runner.workflows.marked import Document, load
from runner.workflows.marked import Path as Place
from runner.workflows.meaning import understand
from runner.workflows.model import Workflow
from runner.workflows.step_forms import ACTIONS, STEPS, WORDS, StepsFile

_QUOTE = "; a text with `: ` in it has to be quoted"


def read_file(path: Path, name: str | None = None) -> Workflow:
    """Read a workflow file.

    Raises:
        WorkflowInvalid: it can't be read or carried out.
    """
    try:
        with path.open("rb") as file:
            data = file.read(2**20)
    except OSError as error:
        raise WorkflowInvalid(str(path), [Problem(1, 1, f"can't be read ({error.strerror})")]) from error
    return read(data, str(path), name or path.stem)


def read(data: bytes, source: str, name: str = "workflow") -> Workflow:
    """Read a workflow; `name` is its name where the file gives none. Raises `WorkflowInvalid`."""
    document = load(data, source)
    return understand(_form(document), document, name)


def _form(document: Document) -> PhasesFile | StepsFile:
    kind = _kind(document)
    try:
        return kind.model_validate(document.data)
    except ValidationError as error:
        problems = {_problem(document, kind, one) for one in _nearest(document, error.errors())}
        raise WorkflowInvalid(document.source, sorted(problems, key=lambda one: (one.line, one.column))) from error


def _nearest(document: Document, errors: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Leave out what is said of a whole where something is said of its parts: both spellings were tried."""
    paths = [_path(document, error["loc"]) for error in errors]
    for path, error in zip(paths, errors, strict=True):
        if not (error["type"] == "string_type" and _has_parts(path, paths)):
            yield error


def _has_parts(path: Place, paths: list[Place]) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in paths)


def _kind(document: Document) -> type[PhasesFile | StepsFile]:
    data = document.data
    if not isinstance(data, dict):
        what = "a workflow is a mapping with `phases:` or `steps:`"
        raise WorkflowInvalid(document.source, [document.problem((), what)])
    if ("phases" in data) == ("steps" in data):
        both = "phases" in data
        what = "has both `phases:` and `steps:`; keep one" if both else "needs `phases:` or `steps:`"
        hint = "" if both else next(filter(None, (did_you_mean(key, ("phases", "steps")) for key in data)), "")
        raise WorkflowInvalid(document.source, [document.problem((), f"the workflow {what}{hint}")])
    return PhasesFile if "phases" in data else StepsFile


def _problem(document: Document, kind: type[Any], error: ErrorDetails) -> Problem:
    path = _path(document, error["loc"])
    unknown = error["type"] == "extra_forbidden"
    what = _unknown_key(kind, error["loc"]) if unknown else _sentence(error)
    where = ".".join(str(part) for part in path) or "the file"
    place = path[:-1] if error["type"] == "missing" else path
    return document.problem(place, f"{where}: {what}", at_key=unknown)


def _sentence(error: ErrorDetails) -> str:
    given = error["input"]
    match error["type"]:
        case "literal_error" | "enum":
            known = [word.strip(" '") for word in str(error.get("ctx", {})["expected"]).replace(" or ", ",").split(",")]
            return f"{str(given)[:60]!r} is unknown" + (
                did_you_mean(str(given), known) or f"; there are {', '.join(known)}"
            )
        case "step":
            return _unknown_step(given)
        case "missing":
            return "is missing"
        case "string_type":
            return f"a text is wanted{_QUOTE if isinstance(given, dict) else ''}"
        case "string_pattern_mismatch":
            return f"{str(given)[:60]!r} is no name; letters and digits, with single - or _ between"
        case _:
            return error["msg"].removeprefix("Value error, ")


def _unknown_key(kind: type[Any], loc: Place) -> str:
    return f"there is no {loc[-1]!r} here{did_you_mean(str(loc[-1]), _siblings(kind, loc))}"


def _unknown_step(given: Any) -> str:
    if isinstance(given, dict) and "action" in given:
        word, known = str(given["action"]), list(ACTIONS)
    elif isinstance(given, dict):
        word, known = str(next(iter(given), "")), [*STEPS, "action"]
    else:
        word, known = str(given), list(WORDS)
    return f"{word[:60]!r} is no step" + (did_you_mean(word, known) or f"; there are {', '.join(known)}")


def _path(document: Document, loc: Place) -> Place:
    """The place in the file: pydantic's has the chosen spelling and the tried types in it."""
    path: Place = ()
    for part in loc:
        known = (*path, part) in document.marks or (*path, part, "\0key") in document.marks
        if known or (part == loc[-1] and _holds(document, path)):
            path = (*path, part)
    return path


def _holds(document: Document, path: Place) -> bool:
    data = document.data
    for part in path:
        data = data[part]
    return isinstance(data, dict)


def _siblings(kind: type[Any], loc: Place) -> list[str]:
    """The keys that may stand where an unknown one does."""
    found: Any = kind
    for part in loc[:-1]:
        found = _inside(found, part)
    return list(getattr(found, "model_fields", ()))


def _inside(found: Any, part: int | str) -> Any:
    if isinstance(part, int):
        return next((one for one in get_args(found) if one is not type(None)), None)
    if part in getattr(found, "model_fields", {}):
        return found.model_fields[part].annotation
    word = str(part).partition(" ")
    return {"action": ACTIONS, "step": STEPS}.get(word[0], {}).get(word[2], found)
