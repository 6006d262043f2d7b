"""A user's own words as features beside the encoder's vector.

The encoder was fitted to tell task types apart and hardly sees what else a text says; yet a user's habits hang on just
that: a project's name, a word of their own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEEN_CHARACTERS = 2000
"""Of a longer text so much of either end counts: the rest is most likely pasted."""
_WORD = re.compile(r"[^\W_][\w-]+")


@dataclass(frozen=True)
class Words:
    """The words that count, and how much the occurrence of one does."""

    known: tuple[str, ...] = ()
    scale: float = 2.0
    """Length of a word's feature; the encoder's whole vector has 1."""

    def features(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return shape (n_texts, n_words): `scale` where a text has the word, else 0."""
        places = {word: index for index, word in enumerate(self.known)}
        result = np.zeros((len(texts), len(self.known)), dtype=np.float32)
        for row, text in enumerate(texts):
            found = [places[word] for word in words_in(text) if word in places]
            result[row, found] = self.scale
        return result


NO_WORDS = Words()
"""Nothing but the vector counts."""


def words_in(text: str) -> frozenset[str]:
    """The different words of a text, in lower case; those of one character are left out."""
    seen = text if len(text) <= 2 * SEEN_CHARACTERS else f"{text[:SEEN_CHARACTERS]} {text[-SEEN_CHARACTERS:]}"
    return frozenset(_WORD.findall(seen.casefold()))
