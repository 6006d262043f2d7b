"""The tasks of a run: from the command line and from a file, checked before anything else happens."""

import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from router.schemas import Task
from runner.errors import BadInput
from runner.tasks.asked import Asked
from runner.tasks.task_file import listed
from runner.tasks.task_order import Wanted, ordered

_TASK: TypeAdapter[str] = TypeAdapter(Task)


def read_wanted(arguments: Sequence[str], file: Path | None) -> tuple[Wanted, ...]:
    """Return the tasks given as arguments, then those of `file`, `-` being the standard input.

    Raises:
        BadInput: there is none, one can't be routed, one waits for what isn't there, or the file can't be read.
    """
    given = [Asked(task) for task in arguments]
    found = listed(_text(file), _source(file)) if file else []
    if not any(not asked.done for asked in (*given, *found)):
        where = f"{file} holds no task" if file else "no task given"
        raise BadInput(f'{where}; say what should be done: runner execute "write tests for the parser"')
    for number, asked in enumerate((*given, *found), start=1):
        _check(asked, asked.place or (f"task {number}" if len(given) + len(found) > 1 else None))
    return ordered((*given, *found))


def read_tasks(arguments: Sequence[str], file: Path | None) -> tuple[str, ...]:
    """The texts alone; raises as `read_wanted` does."""
    return tuple(wanted.task for wanted in read_wanted(arguments, file))


def taken_for_tasks(arguments: Iterable[str], options: Sequence[str]) -> list[tuple[str, str]]:
    """Return the arguments that look like a misspelt option, each with the option it resembles."""
    lone = [word for word in arguments if word.startswith("--") and len(word.split()) == 1]
    near = [(word, get_close_matches(word.partition("=")[0], options, n=1, cutoff=0.75)) for word in lone]
    return [(word, found[0]) for word, found in near if found]


def _source(file: Path) -> str:
    return f"--tasks-file {file}"


def _text(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BadInput(f"{_source(file)}: {error.strerror}; name a text file with tasks in it") from error
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{_source(file)}, line {line}: not UTF-8; save the file as UTF-8 text") from error


def _check(asked: Asked, place: str | None) -> None:
    try:
        _TASK.validate_python(asked.task)
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise BadInput(problem if place is None else f"{place}: {problem}") from error
