"""What the journal keeps of a decision: one flat row, secrets scrubbed. Needs no database."""

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from router.journal.scrub import scrub, scrub_all
from router.schemas import Decision

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA = 1
"""Of the journal's tables; raised when one changes. A program leaves journals of newer schemas alone."""
StoreTasks = Literal["text", "hash"]
"""`text` keeps tasks with secrets scrubbed; `hash` keeps only a digest and the embedding."""


@dataclass(frozen=True)
class Entry:
    """A decision on its way into the journal."""

    decision: Decision
    task: str
    context: dict[str, Any] | None
    vector: "NDArray[np.float32] | None"
    """The task's, shape (dimension,), stored as float16; None where no model answered."""
    created_at: float = field(default_factory=time.time)
    """Seconds since the epoch."""

    def row(self, store_tasks: StoreTasks) -> dict[str, Any]:
        """The columns of `decisions`; `decision` and `context` are JSON values."""
        hashed = store_tasks == "hash"
        stored = self.decision.model_dump(mode="json")
        if hashed:
            stored["similar"] = []
        return {
            "id": self.decision.decision_id,
            "created_at": self.created_at,
            "task": digest(self.task) if hashed else scrub(self.task),
            "embedding": None if self.vector is None else self.vector.astype("float16").tobytes(),
            "platform": self.decision.platform,
            "source": str(self.decision.source),
            "propensity": self.decision.propensity,
            "model_version": self.decision.model_version,
            "decision": stored,
            "context": None if hashed else scrub_all(self.context),
        }


def digest(task: str) -> str:
    """What is stored of a task in hash mode."""
    return "sha256:" + hashlib.sha256(task.encode()).hexdigest()
