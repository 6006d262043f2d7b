"""The labelled examples a model keeps, so that a decision can show what it resembles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

SHOWN_CHARACTERS = 160


class Neighbour(NamedTuple):
    """An example near a text."""

    similarity: float
    """Cosine similarity, -1 to 1."""
    text: str
    task_type: str


@dataclass(frozen=True)
class Examples:
    """Texts, their types, and their vectors in int8 (unit vectors times 127)."""

    texts: tuple[str, ...]
    task_types: tuple[str, ...]
    vectors: NDArray[np.int8]
    """Shape (n_examples, dimension)."""

    @classmethod
    def of(cls, texts: Sequence[str], task_types: Sequence[str], vectors: NDArray[np.float32]) -> Self:
        """Keep these examples; `vectors` has shape (n_examples, dimension), rows of length one."""
        shown = tuple(text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…" for text in texts)
        return cls(shown, tuple(task_types), np.round(vectors * 127).astype(np.int8))

    def nearest(
        self, vector: NDArray[np.float32], count: int = 3, among: Iterable[str] | None = None
    ) -> list[Neighbour]:
        """Return the `count` most similar examples, best first; only those of the types `among`, where given."""
        found: list[Neighbour] = []
        kinds = self._by_type.keys() if among is None else [kind for kind in among if kind in self._by_type]
        for kind in kinds:
            texts, vectors = self._by_type[kind]
            # Row by row: a matrix product this size wakes BLAS threads, which takes longer on a busy machine.
            similarities = np.vecdot(vectors, vector)
            for _ in range(min(count, len(texts))):  # cheaper than to sort them all
                index = similarities.argmax()
                found.append(Neighbour(float(similarities[index]), texts[index], kind))
                similarities[index] = -np.inf
        return sorted(found, reverse=True)[:count]

    @cached_property
    def _by_type(self) -> dict[str, tuple[list[str], NDArray[np.float32]]]:
        rows = {kind: [row for row, own in enumerate(self.task_types) if own == kind] for kind in set(self.task_types)}
        return {
            kind: ([self.texts[row] for row in own], self.vectors[own].astype(np.float32) / np.float32(127))
            for kind, own in rows.items()
        }

    def __getstate__(self) -> dict[str, object]:
        # Without the floats: the artifact stays a quarter of the size.
        return {name: value for name, value in self.__dict__.items() if name != "_by_type"}
