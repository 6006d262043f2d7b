"""The labelled examples a model keeps, so that a decision can show what it resembles."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from router.schemas import Similar

SHOWN_CHARACTERS = 160


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
        self, vector: NDArray[np.float32], count: int = 3, among: Collection[str] | None = None
    ) -> list[Similar]:
        """Return the `count` most similar examples, best first; only those of the types `among`, where given."""
        kinds = [self._by_type[kind] for kind in (self._by_type if among is None else among) if kind in self._by_type]
        if not kinds:
            return []
        rows = np.concatenate([rows for rows, _ in kinds])
        # Row by row: a matrix product this size wakes BLAS threads, which takes longer than the work on a busy machine.
        similarities = np.concatenate([np.vecdot(vectors, vector) for _, vectors in kinds])
        return [self._similar(rows[i], similarity / 127) for i, similarity in _largest(similarities, count)]

    def _similar(self, row: int, similarity: float) -> Similar:
        return Similar(text=self.texts[row], task_type=self.task_types[row], similarity=round(similarity, 4))

    @cached_property
    def _by_type(self) -> dict[str, tuple[NDArray[np.intp], NDArray[np.float32]]]:
        kinds = np.array(self.task_types)
        found = {str(kind): np.nonzero(kinds == kind)[0] for kind in np.unique(kinds)}
        return {kind: (rows, self.vectors[rows].astype(np.float32)) for kind, rows in found.items()}

    def __getstate__(self) -> dict[str, object]:
        # Without the floats: the artifact stays a quarter of the size.
        return {name: value for name, value in self.__dict__.items() if name != "_by_type"}


def _largest(values: NDArray[np.float32], count: int) -> list[tuple[int, float]]:
    """Index and value of the `count` largest, the largest first; `values` is used up. Cheaper than to sort them all."""
    found = []
    for _ in range(min(count, len(values))):
        index = int(values.argmax())
        found.append((index, float(values[index])))
        values[index] = -np.inf
    return found
