"""Decisions as the journal gives them back."""

from datetime import datetime
from typing import Any

from router import samples
from router.schemas import Decision, Message, replied


class StoredDecision(Message):
    """A decision as the journal keeps it."""

    model_config = replied(samples.STORED)

    decision: Decision
    task: str
    """Secrets scrubbed; a digest when tasks are stored as hashes."""
    created_at: datetime
    context: dict[str, Any] | None = None


class Decisions(Message):
    """A page of decisions, newest first."""

    model_config = replied(samples.DECISIONS)

    decisions: list[StoredDecision]
    next: str | None
    """`before` of the next page; None on the last one."""
