"""Which task waits for which: names resolved, circles refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from router.labels import Platform
from runner.errors import BadInput, some
from runner.tasks.asked import Asked
from runner.tasks.plan import slug


@dataclass(frozen=True)
class Wanted:
    """A task as the user asked for it."""

    task: str
    name: str | None = None
    """What the user calls it; good for a branch name."""
    after: tuple[int, ...] = ()
    """Places, in the whole list and from 0, of the tasks that must have succeeded before."""
    platform: Platform | None = None
    """The user's choice for this one; None: as for all."""


def ordered(asked: Sequence[Asked]) -> tuple[Wanted, ...]:
    """Resolve what tasks wait for; the ones that are done are left out, and not waited for.

    Raises:
        BadInput: a name is unknown or used twice, or tasks wait for each other.
    """
    names = _names(asked)
    waits = {
        place: tuple(dict.fromkeys(_find(name, one, names, asked) for name in one.after))
        for place, one in enumerate(asked) if not one.done
    }  # fmt: skip
    _refuse_circles(asked, waits)
    left = {place: number for number, place in enumerate(waits)}
    return tuple(
        Wanted(
            asked[place].task, asked[place].name, tuple(left[one] for one in others if one in left),
            asked[place].platform,
        )
        for place, others in waits.items()
    )  # fmt: skip


def _names(asked: Sequence[Asked]) -> Mapping[str, int]:
    """All that a task of a file answers to: its number there, its name, its first words where no other has them."""
    in_file = [place for place, one in enumerate(asked) if one.place]
    names: dict[str, int] = {}
    for place in in_file:
        name = asked[place].name
        if name in names:
            raise BadInput(f"{asked[place].place}: a task before it is called {name!r} already; choose another name")
        if name:
            names[name] = place
    words = [slug(asked[place].task) for place in in_file]
    own = {word: place for word, place in zip(words, in_file, strict=True) if words.count(word) == 1}
    return {str(number): place for number, place in enumerate(in_file, start=1)} | own | names


def _find(name: str, one: Asked, names: Mapping[str, int], asked: Sequence[Asked]) -> int:
    if name in names:
        return names[name]
    known = [other.name for other in asked if other.name]
    there = f"; there are {some(known, shown=8)}" if known else ""
    raise BadInput(f"{one.place}: after: {name}: no task of the file has this name or number{there}")


def _refuse_circles(asked: Sequence[Asked], waits: Mapping[int, tuple[int, ...]]) -> None:
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        circle = [asked[place] for place in reversed(error.args[1])]
        told = " → ".join(one.name or slug(one.task) for one in circle)
        raise BadInput(f"{circle[0].place}: tasks wait for each other: {told}") from error
