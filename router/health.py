"""What the service says about itself."""

from typing import Any, Literal

from router import samples
from router.schemas import Message, replied


class Health(Message):
    """The process lives."""

    model_config = replied(samples.HEALTH)

    status: Literal["ok"] = "ok"
    service: Literal["router"] = "router"
    """Tells our service from a foreign one on the same port."""


class Readiness(Message):
    """Whether a model is served."""

    model_config = replied(samples.READINESS)

    status: Literal["ready", "degraded"]
    """`degraded` where the seed's rules decide alone; they answer all the same."""
    model_version: str | None
    problem: str | None
    """Why there is no model."""


class DriftReport(Message):
    """How far recent tasks are from the training texts."""

    model_config = replied(samples.DRIFT)

    observed: int
    """Decisions since the model was loaded."""
    embedding_shift: float
    """Distance of the recent mean embedding from the training texts' mean, in their spreads."""
    expected_shift: float
    """What chance alone explains of it."""
    confidence_shift: float
    """Recent mean confidence less that on the training texts."""
    drifting: bool


class Served(Message):
    """The model served, and how it fares."""

    model_config = replied(samples.SERVED)

    version: str | None
    problem: str | None
    manifest: dict[str, Any] | None
    policy: dict[str, Any] | None
    counts: dict[str, int]
    drift: DriftReport | None
