"""A client with a circuit breaker: while the service does not answer, the router in process decides."""

import time
from collections.abc import Callable
from typing import Any

import httpx2

from router.client import RouterClient, Routing
from router.errors import UnknownDecision
from router.labels import Platform
from router.schemas import Decision, Feedback, Outcome
from router.wire import PassingFailure

OPEN_S = 10.0
"""How long a service that failed is not asked for decisions again."""


class ResilientClient(RouterClient):
    """Routes by the service; once it fails, by what `open_local` returns, until `OPEN_S` later.

    Outcomes and corrections belong where the decision was made: to the service, or, if that doesn't know the
    decision, to the local journal. With the service away they fail with `ServiceUnavailable`, for the caller to keep.
    """

    def __init__(self, http: httpx2.Client, open_local: Callable[[], Routing]) -> None:
        super().__init__(http)
        self._open_local = open_local
        self._local: Routing | None = None
        self._ask_again_at = float("-inf")

    def route(self, task: str, context: dict[str, Any] | None = None, platform: Platform | None = None) -> Decision:
        """Decide who should take `task`; raises `InvalidTask`, and `ServiceUnavailable` where it refuses us."""
        if time.monotonic() >= self._ask_again_at:
            try:
                return super().route(task, context, platform)
            except PassingFailure:
                self._ask_again_at = time.monotonic() + OPEN_S
        return self._in_process().route(task, context, platform)

    def record_outcome(self, outcome: Outcome) -> None:
        """Store what came of a decision; raises `UnknownDecision`, `ServiceUnavailable`."""
        try:
            super().record_outcome(outcome)
        except UnknownDecision:
            self._in_process().record_outcome(outcome)

    def record_feedback(self, feedback: Feedback) -> None:
        """Store a correction; raises `UnknownDecision`, `ServiceUnavailable`."""
        try:
            super().record_feedback(feedback)
        except UnknownDecision:
            self._in_process().record_feedback(feedback)

    def close(self) -> None:
        """Give back what both hold."""
        super().close()
        if self._local is not None:
            self._local.close()

    def _in_process(self) -> Routing:
        self._local = self._local or self._open_local()
        return self._local
