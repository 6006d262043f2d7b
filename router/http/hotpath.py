"""`POST /route` without FastAPI on the way: half of what a decision over HTTP costs besides the encoder.

The endpoint in `router.http.app` says the same and is what the documentation shows; whatever is not simply right is
left to it, so that errors are made in one place.
"""

from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from router.http.body import replay
from router.http.threads import Threads
from router.schemas import RouteRequest
from router.service import Router

PATHS = frozenset({"/route", "/v1/route"})


class HotPath:
    """Answers right requests for one decision itself, and passes on all others; bodies must come whole."""

    def __init__(self, app: ASGIApp, *, router: Router, threads: Threads) -> None:
        self.app, self.router, self.threads = app, router, threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] != "http" or scope["path"] not in PATHS or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        body = (await receive())["body"]
        try:
            answer = await self.threads.route(self._decide, body)
        except ValidationError:
            await self.app(scope, replay(body, receive), send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _decide(self, body: bytes) -> bytes:
        request = RouteRequest.model_validate_json(body)
        return self.router.route(request.task, request.context, request.platform).model_dump_json().encode()
