"""Finding entries by key, by words and by meaning, in one order."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from runner.memory.entry import Entry
from runner.memory.sql import entries, vectors
from runner.memory.sql.database import Database
from runner.memory.sql.fulltext import MOST_TERMS, NEWEST
from runner.memory.view import View
from runner.memory.words import words

SPREAD = 60.0
"""Damps the first ranks in reciprocal rank fusion; 60 is what the method was published with."""
SHORTLIST = 3
"""Candidates of each kind that are read, as a multiple of what is wanted: some turn out to be hidden."""
Match = Literal["exact", "keyword", "semantic"]


@dataclass(frozen=True)
class Hit:
    """An entry that was found."""

    entry: Entry
    similarity: float
    """0 to 1: the cosine of the vectors, or the share of the words that were found, whichever is more."""
    score: float
    """What the hits are ordered by."""
    match: Match


@dataclass(frozen=True)
class Found:
    """Ids of what the three ways found."""

    exact: Collection[int]
    ranked: Sequence[int]
    """By the weight of the words they hold."""
    shares: Mapping[int, float]
    """The share of the query's words that each holds."""
    near: Mapping[int, float]
    """The cosine of each, the nearest first."""

    def match(self, one: int) -> Match:
        """How an entry was found."""
        return "exact" if one in self.exact else "keyword" if one in self.shares else "semantic"

    def similarity(self, one: int) -> float:
        """How near it is, 0 to 1."""
        best = max(self.near.get(one, 0.0), self.shares.get(one, 0.0))
        return 1.0 if one in self.exact else min(1.0, best)


def keyword_shares(
    database: Database, view: View, namespaces: Sequence[str], query: str
) -> tuple[list[int], dict[int, float]]:
    """Ids by the weight of the words they hold, and the share of the query's words each of them holds."""
    terms = words(query)[:MOST_TERMS]
    if not terms:
        return [], {}
    with database.reading() as connection:
        found = database.words.find(connection, view, namespaces, terms)
    holders = [0] * len(terms)
    for term, _ in found:
        holders[term] += 1
    weights: dict[int, float] = {}
    shares: dict[int, float] = {}
    for term, entry_id in found:
        rare = math.log1p(NEWEST / holders[term])
        weights[entry_id] = weights.get(entry_id, 0.0) + rare
        shares[entry_id] = shares.get(entry_id, 0.0) + 1 / len(terms)
    # All words together beat any of them; of equals the newest is first.
    ranked = sorted(weights, key=lambda one: (round(shares[one], 6) >= 1, weights[one], one), reverse=True)
    return ranked, shares


def cosines(database: Database, ids: Collection[int], vector: NDArray[np.float32]) -> dict[int, float]:
    """The cosine of each entry's vector with `vector`, which has length one; the nearest first."""
    with database.reading() as connection:
        rows = [row for row in vectors.read(connection, ids) if len(row[1]) == 2 * len(vector)]
    if not rows:
        return {}
    matrix = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float16).reshape(len(rows), -1)
    near = matrix.astype(np.float32) @ vector
    order = np.argsort(-near, kind="stable")
    return {rows[number][0]: float(near[number]) for number in order}


def fuse(database: Database, view: View, found: Found, limit: int, threshold: float) -> list[Hit]:
    """Put the three together: exact keys first, then by reciprocal rank; only meaning has to pass the threshold."""
    meant = [one for one, cosine in found.near.items() if cosine >= threshold]
    scores: dict[int, float] = {}
    for ranking in (found.ranked, meant):
        for rank, one in enumerate(ranking, start=1):
            scores[one] = scores.get(one, 0.0) + 1 / (SPREAD + rank)
    scores |= {one: scores.get(one, 0.0) + 1.0 for one in found.exact}
    best = sorted(scores, key=lambda one: -scores[one])[: SHORTLIST * limit]
    with database.reading() as connection:
        seen = entries.by_ids(connection, view, best)
    return [Hit(seen[one], found.similarity(one), scores[one], found.match(one)) for one in best if one in seen]
