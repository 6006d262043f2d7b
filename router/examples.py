"""The labelled examples a model keeps, so that a decision can show what it resembles."""

from collections.abc import Sequence
from dataclasses import dataclass
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

    def nearest(self, vector: NDArray[np.float32], count: int = 3) -> list[Similar]:
        """Return the `count` most similar examples, best first."""
        # Row by row: a matrix product this size wakes BLAS threads, which takes longer than the work on a busy machine.
        similarities = np.vecdot(self._floats(), vector) / 127
        best = (
            np.argpartition(similarities, -count)[-count:] if count < len(similarities) else np.arange(len(self.texts))
        )
        best = best[np.argsort(-similarities[best])]
        return [
            Similar(text=self.texts[i], task_type=self.task_types[i], similarity=round(float(similarities[i]), 4))
            for i in best
        ]

    def _floats(self) -> NDArray[np.float32]:
        # Kept beside the object, not in it: the artifact stays a quarter of the size.
        cached: NDArray[np.float32] | None = self.__dict__.get("_cache")
        if cached is None:
            cached = self.vectors.astype(np.float32)
            object.__setattr__(self, "_cache", cached)
        return cached

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_cache"}
