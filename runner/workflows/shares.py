"""Who does which part of a design: split by role and in order, the same each time."""

import re
from collections.abc import Mapping, Sequence

from runner.workflows.model import Worker
from runner.workflows.roles import IMPLEMENTING, role_for, role_of

_ADDRESSED = re.compile(r"^[\[(*_`]*([A-Za-z][\w-]{1,39})[\])*_`]*\s*(?::|[)\]]|—|->|→)\s*\S")


def split(items: Sequence[str], workers: Sequence[Worker], roles: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Share `items` out; returns a share for every worker, empty where nothing is left for it.

    A part goes to the worker or role that it names (`tester: …`), else to the role that it is plainly for, else to
    those who implement. Within a role each worker gets neighbouring parts, for these often belong together.
    """
    piles: dict[tuple[str, ...], list[str]] = {}
    for item in items:
        piles.setdefault(_takers(item, workers, roles), []).append(item)
    shares: dict[str, list[str]] = {worker.name: [] for worker in workers}
    for takers, pile in piles.items():
        for number, item in enumerate(pile):
            shares[takers[number * len(takers) // len(pile) if len(pile) >= len(takers) else number]].append(item)
    return {name: tuple(share) for name, share in shares.items()}


def _takers(item: str, workers: Sequence[Worker], roles: Mapping[str, str]) -> tuple[str, ...]:
    addressed = _ADDRESSED.match(item)
    if addressed:
        named = tuple(worker.name for worker in workers if worker.name == addressed[1])
        role = role_of(addressed[1], roles)
        if takers := named or tuple(worker.name for worker in workers if worker.role == role):
            return takers
    role = role_for(item)
    plain = tuple(worker.name for worker in workers if worker.role == role)
    implementing = tuple(worker.name for worker in workers if worker.role in IMPLEMENTING)
    return plain or implementing or tuple(worker.name for worker in workers)
