"""The user's own words: which they are, and what each says about where their tasks go."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from router.model.words import NO_WORDS, Words, words_in
from training.vectors import Vectors

FEWEST_TASKS, FEWEST_SHARE = 3, 0.02
"""In so many of the user's tasks, and in such a share of them, a word must come up before it counts by itself."""
LIFT = 8.0
"""So much oftener than in the data it must come up there."""
MOST_WORDS = 300
Numbers = NDArray[np.float64]


def own_words(mine: Sequence[str], others: Sequence[str]) -> Words:
    """The words that come up in the user's tasks, and much oftener there than in the data everybody learns from."""
    if not mine:
        return NO_WORDS
    here = Counter(word for text in mine for word in words_in(text))
    there = Counter(word for text in others for word in words_in(text) if word in here)
    rate = len(others) / len(mine)
    fewest = max(FEWEST_TASKS, FEWEST_SHARE * len(mine))
    own = [w for w, count in here.most_common() if count >= fewest and count * rate >= LIFT * (there[w] + 1)]
    return Words(tuple(own[:MOST_WORDS]))


def weigh(logits: Numbers, features: Vectors, targets: Numbers, weights: Numbers, start: Numbers) -> Numbers:
    """What each word adds to the logits of the classes: logistic regression over words alone, the rest as it is.

    Args:
        logits: shape (n_tasks, n_classes), without words.
        features: shape (n_tasks, n_words).
        targets: shape (n_tasks, n_classes); rows sum to 1.
        weights: shape (n_tasks,).
        start: shape (n_classes, n_words).

    Returns:
        Shape (n_classes, n_words).
    """
    from scipy.optimize import minimize

    def loss(flat: Numbers) -> tuple[float, Numbers]:
        coef = flat.reshape(start.shape)
        scores = logits + features @ coef.T
        scores -= scores.max(axis=1, keepdims=True)
        log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        wrong = (np.exp(log_p) - targets) * weights[:, None]
        lost = -float((weights[:, None] * targets * log_p).sum()) + 0.5 * float(flat @ flat)
        return lost, (wrong.T @ features + coef).ravel()

    found: Numbers = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B").x
    return found.reshape(start.shape)
