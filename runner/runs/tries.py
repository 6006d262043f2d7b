"""Tries of a task: it is done again under a name of its own, in the same run."""

from collections.abc import Iterable

from runner.runs.records import Entry

TRY = "-try-"
"""Between the name of a task and the number of its try, from the second one on."""


def latest_tries(entries: Iterable[Entry]) -> list[Entry]:
    """The last try of each task, in the order of the tasks."""
    ordered = sorted(entries, key=lambda entry: try_number(entry.record.worker))
    return list({first_name(entry.record.worker): entry for entry in ordered}.values())


def first_name(worker: str) -> str:
    """What a task was called at its first try."""
    return worker.partition(TRY)[0]


def next_name(worker: str) -> str:
    """What its next try is called."""
    return f"{first_name(worker)}{TRY}{try_number(worker) + 1}"


def try_number(worker: str) -> int:
    """1 is the first try."""
    number = worker.partition(TRY)[2]
    return int(number) if number.isdecimal() else 1
