"""The tasks of a run: from the command line and from a file, checked before anything else happens."""

import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from router.schemas import Task
from runner.errors import BadInput

_TASK: TypeAdapter[str] = TypeAdapter(Task)


def read_tasks(arguments: Sequence[str], file: Path | None) -> tuple[str, ...]:
    """Return the tasks given as arguments, then those of `file`: one a line, `-` being the standard input.

    Raises:
        BadInput: there is none, one can't be routed, or the file can't be read.
    """
    tasks = (*arguments, *(_lines(file) if file else ()))
    if not tasks:
        where = f"{file} holds no task" if file else "no task given"
        raise BadInput(f'{where}; say what should be done: runner execute "write tests for the parser"')
    for number, task in enumerate(tasks, start=1):
        _check(task, number if len(tasks) > 1 else None)
    return tasks


def taken_for_tasks(arguments: Iterable[str], options: Sequence[str]) -> list[tuple[str, str]]:
    """Return the arguments that look like a misspelt option, each with the option it resembles."""
    lone = [word for word in arguments if word.startswith("--") and len(word.split()) == 1]
    near = [(word, get_close_matches(word.partition("=")[0], options, n=1, cutoff=0.75)) for word in lone]
    return [(word, found[0]) for word, found in near if found]


def _lines(file: Path) -> list[str]:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BadInput(f"--tasks-file {file}: {error.strerror}; name a text file with one task a line") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"--tasks-file {file}, line {line}: not UTF-8; save the file as UTF-8 text") from error
    return [line.removesuffix("\r") for line in text.split("\n") if line.strip()]


def _check(task: str, number: int | None) -> None:
    try:
        _TASK.validate_python(task)
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise BadInput(problem if number is None else f"task {number}: {problem}") from error
