"""What the service refuses before it looks: too much at once, too large a body, no token. Plain ASGI."""

import hmac
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.problems import RETRY_AFTER_S, problem

MAX_BODY_BYTES = 1024 * 1024
MAX_BATCH_BODY_BYTES = 34 * 1024 * 1024
"""A thousand tasks of the greatest length, and their wrapping."""
_TOO_LARGE = "the body has more than {} bytes; send the ask alone"
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""Answered without a token and however busy the service is."""


class Limits:
    """Counts requests in flight, checks the token, and bounds bodies."""

    def __init__(self, app: ASGIApp, *, max_in_flight: int, token: str | None) -> None:
        self.app, self.max_in_flight = app, max_in_flight
        self.token = token.encode() if token else None
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        limit = MAX_BATCH_BODY_BYTES if scope["path"].endswith("/batch") else MAX_BODY_BYTES
        refusal = self._refusal(headers, limit)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        self.in_flight += 1
        try:
            await self.app(scope, _bounded(receive, limit), send)
        finally:
            self.in_flight -= 1

    def _refusal(self, headers: dict[bytes, bytes], limit: int) -> ASGIApp | None:
        if self.token is not None:
            sent = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
            if not hmac.compare_digest(sent, self.token):
                return problem(
                    HTTPStatus.UNAUTHORIZED,
                    "send the router's token as `Authorization: Bearer …`",
                    {"WWW-Authenticate": "Bearer"},
                )
        if self.in_flight >= self.max_in_flight:
            busy = f"{self.max_in_flight} requests are in flight; try again in {RETRY_AFTER_S} s"
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, busy, {"Retry-After": str(RETRY_AFTER_S)})
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > limit:
            return _too_large(limit)
        return None


def _bounded(receive: Receive, limit: int) -> Receive:
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE.format(limit))
        return message

    return bounded


def _too_large(limit: int) -> ASGIApp:
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE.format(limit))
