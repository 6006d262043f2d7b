"""`{{…}}` in the texts of a workflow: facts of the run, own variables, and entries of the memory."""

import re
from collections.abc import Callable, Iterator, Mapping

FACTS: Mapping[str, str] = {
    "task": "the task, as it was given",
    "slug": "its first words, as in the key of the design",
    "run": "the run's id",
    "phase": "the phase's name",
    "worker": "the worker's name; empty where a phase has one session",
    "role": "the worker's role",
}
"""What every workflow may use."""
MEMORY = "memory:"
"""`{{memory:NAMESPACE/KEY}}` is the entry's value; the key may hold other variables."""
_REFERENCE = re.compile(r"\{\{\s*memory:((?:[^{}]|\{\{[^{}]*\}\})*)\}\}|\{\{([^{}]*)\}\}")


def references(text: str) -> Iterator[str]:
    """The names that a text refers to; of the memory, `memory:NAMESPACE/KEY`."""
    for found in _REFERENCE.finditer(text):
        if found[1] is None:
            yield found[2].strip()
        else:
            yield from references(found[1])
            yield f"{MEMORY}{found[1].strip()}"


def problem_of(name: str, known: Mapping[str, object]) -> str | None:
    """Why a reference can't be used; None where it can."""
    if name.startswith(MEMORY):
        namespace, slash, key = name.removeprefix(MEMORY).partition("/")
        return None if namespace and slash and key else "write it as {{memory:NAMESPACE/KEY}}"
    return None if name in known or name in FACTS else f"there is no variable {name!r}"


def fill(text: str, values: Mapping[str, str], recall: Callable[[str, str], str]) -> str:
    """Put values in; what they hold themselves is left as it is. `recall` reads a namespace and a key."""

    def value(found: re.Match[str]) -> str:
        if found[1] is None:
            return values[found[2].strip()]
        namespace, _, key = fill(found[1].strip(), values, recall).partition("/")
        return recall(namespace, key)

    return _REFERENCE.sub(value, text)
