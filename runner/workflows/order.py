"""The order of phases: each after those that it needs, otherwise as the file has them."""

from collections.abc import Callable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from runner.workflows.errors import did_you_mean
from runner.workflows.marked import Path
from runner.workflows.steps import Draft

Objection = Callable[[Path, str], None]


def in_order(drafts: Sequence[Draft], objection: Objection) -> Iterator[tuple[Draft, tuple[str, ...]]]:
    """Yield each phase with the names of those that it needs; nothing where names or cycles are wrong."""
    needs, wrong = {}, False

    def object_to(path: Path, what: str) -> None:
        nonlocal wrong
        wrong = True
        objection(path, what)

    for number, draft in enumerate(drafts):
        if draft.form.phase in needs:
            object_to((*draft.path, "phase"), f"there is a phase {draft.form.phase!r} already; names are given once")
        needs[draft.form.phase] = _needs(drafts, number)
    for draft in drafts:
        for name in needs[draft.form.phase]:
            if name not in needs:
                hint = did_you_mean(name, list(needs)) or f"; there are {', '.join(needs)}"
                object_to((*draft.path, "after"), f"there is no phase {name!r}{hint}")
    if not wrong:
        yield from _sorted(drafts, needs, objection)


def _needs(drafts: Sequence[Draft], number: int) -> tuple[str, ...]:
    after = drafts[number].form.after
    if after is None:
        return (drafts[number - 1].form.phase,) if number else ()
    return (after,) if isinstance(after, str) else tuple(after)


def _sorted(
    drafts: Sequence[Draft], needs: dict[str, tuple[str, ...]], objection: Objection
) -> Iterator[tuple[Draft, tuple[str, ...]]]:
    by_name = {draft.form.phase: draft for draft in drafts}
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        first = min(circle, key=list(by_name).index)
        told = " needs ".join(circle)
        objection((*by_name[first].path, "after"), f"the phases wait for each other: {told}")
        return
    ready: list[str] = []
    while sorter.is_active():
        name, *ready = sorted((*ready, *sorter.get_ready()), key=list(by_name).index)
        yield by_name[name], needs[name]
        sorter.done(name)
