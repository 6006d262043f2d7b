"""What the service refuses before it looks: no token, too much at once, too large or slow a body. Plain ASGI."""

import hmac
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.http.body import MAX_BATCH_BODY_BYTES, MAX_BODY_BYTES, Bodies, Gone, replay
from router.http.head import check_head, check_local, single
from router.http.problems import RETRY_AFTER_S, problem

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""Answered without a token and however busy the service is."""
MOST_BATCHES, MOST_JOURNAL_CALLS = 4, 16
"""Served or waiting at once; a journal that hangs must not take the places of routes."""
Observe = Callable[[str, int, float], None]
"""Told path, status and seconds of every request."""


@dataclass
class Bucket:
    """A token's allowance: `rate_per_s` requests a second, and as many saved up."""

    rate_per_s: float
    filled: float
    at: float

    def take(self, now: float) -> bool:
        """Use one up; False where none is left."""
        self.filled = min(max(1.0, self.rate_per_s), self.filled + (now - self.at) * self.rate_per_s)
        self.at = now
        if self.filled < 1:
            return False
        self.filled -= 1
        return True


class Limits:
    """Checks token, rate, content type and body, and counts requests in flight.

    A request takes a place only once its body is complete: who sends slowly keeps nobody out.
    """

    def __init__(
        self, app: ASGIApp, *, max_in_flight: int, tokens: Sequence[str] = (), rate_per_s: float | None = None,
        observe: Observe | None = None, local_only: bool = False,
    ) -> None:  # fmt: skip
        self.app, self.observe, self.rate_per_s, self.local_only = app, observe, rate_per_s, local_only
        self.tokens = [token.encode() for token in tokens]
        self.places = {
            "route": max_in_flight,
            "batch": min(MOST_BATCHES, max_in_flight),
            "journal": min(MOST_JOURNAL_CALLS, max_in_flight),
        }
        self.in_flight: Counter[str] = Counter()
        self.bodies = Bodies()
        self._buckets: dict[bytes, Bucket] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix("/v1")
        started, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._serve(path, scope, receive, noted)
        except Gone:
            status = 499  # nobody is left to be answered; the number is nginx's
        finally:
            if self.observe is not None:
                self.observe(path, status, time.perf_counter() - started)

    async def _serve(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        limit = MAX_BATCH_BODY_BYTES if path == "/route/batch" else MAX_BODY_BYTES
        try:
            headers = single(scope["headers"])
            if path in OPEN_PATHS:
                await self.app(scope, receive, send)
                return
            self._admit(headers, limit)
            body = await self.bodies.read(receive, limit)
        except HTTPException as refused:
            await problem(refused.status_code, refused.detail, dict(refused.headers or {}))(scope, receive, send)
            return
        try:
            await self._take_place(_kind(path), scope, replay(body, receive), send)
        finally:
            self.bodies.release(len(body))

    async def _take_place(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        if self.in_flight[kind] >= self.places[kind]:
            busy = f"{self.places[kind]} requests are in flight; try again in {RETRY_AFTER_S} s"
            refusal = problem(HTTPStatus.SERVICE_UNAVAILABLE, busy, {"Retry-After": str(RETRY_AFTER_S)})
            await refusal(scope, receive, send)
            return
        self.in_flight[kind] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.in_flight[kind] -= 1

    def _admit(self, headers: dict[bytes, bytes], limit: int) -> None:
        """Raise `HTTPException` where the head alone is reason to refuse."""
        if self.local_only:
            check_local(headers)
        token = self._known_token(headers.get(b"authorization", b"").removeprefix(b"Bearer "))
        if self.rate_per_s is not None and not self._bucket(token).take(time.monotonic()):
            said = f"more than {self.rate_per_s:g} requests a second with this token; slow down"
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, said, {"Retry-After": str(RETRY_AFTER_S)})
        check_head(headers, limit)

    def _known_token(self, sent: bytes) -> bytes:
        # Every token is compared, in constant time, whichever fits.
        fitting = [token for token in self.tokens if hmac.compare_digest(sent, token)]
        if self.tokens and not fitting:
            said = "send the router's token as `Authorization: Bearer …`"
            raise HTTPException(HTTPStatus.UNAUTHORIZED, said, {"WWW-Authenticate": "Bearer"})
        return fitting[0] if fitting else b""

    def _bucket(self, token: bytes) -> Bucket:
        rate = self.rate_per_s or 0.0
        return self._buckets.setdefault(token, Bucket(rate, max(1.0, rate), time.monotonic()))


def _kind(path: str) -> str:
    return {"/route": "route", "/route/batch": "batch"}.get(path, "journal")
