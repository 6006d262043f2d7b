"""The way other programs reach the router: over HTTP, or in process where no service answers."""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any, Protocol, Self, TypeVar

import httpx2
from tenacity import AsyncRetrying, Retrying

from router import wire
from router.ask import DEFAULT_URL, PROBE_TIMEOUT_S
from router.errors import RouterError, ServiceUnavailable, UnknownDecision
from router.labels import Platform
from router.schemas import Choice, Decision, Feedback, Message, Outcome

__all__ = [
    "DEFAULT_URL", "LOCAL", "AsyncRouterClient", "RouterClient", "RouterError", "Routing", "ServiceUnavailable",
    "UnknownDecision", "adopt", "connect",
]  # fmt: skip

LOCAL = "local"
"""In place of a service's URL: the router in process, whatever runs on the default port."""

REQUEST_TIMEOUT_S = 10.0
_M = TypeVar("_M", bound=Message)


class Routing(Protocol):
    """What a caller needs of a router, wherever it runs."""

    def route(self, task: str, context: dict[str, Any] | None = None, platform: Platform | None = None) -> Decision:
        """Decide who should take `task`; `platform` is the user's own choice and always wins."""
        ...

    def record_outcome(self, outcome: Outcome) -> None:
        """Store durably what came of a decision."""
        ...

    def record_feedback(self, feedback: Feedback) -> None:
        """Store durably a person's correction of a decision."""
        ...

    def close(self) -> None:
        """Give back what the router holds."""
        ...


class RouterClient:
    """Talks to a router service; `http` is any httpx2 client whose base URL is the service.

    What fails in passing is tried again, three times in all.
    """

    def __init__(self, http: httpx2.Client) -> None:
        self.http = http

    @classmethod
    def at(cls, url: str, *, token: str | None = None, timeout_s: float = REQUEST_TIMEOUT_S) -> Self:
        """A client for the service at `url`."""
        return cls(httpx2.Client(base_url=_address(url), headers=_headers(token), timeout=timeout_s, trust_env=False))

    def route(self, task: str, context: dict[str, Any] | None = None, platform: Platform | None = None) -> Decision:
        """Decide who should take `task`.

        Raises:
            InvalidTask: the service refuses the task.
            ServiceUnavailable: it does not answer, or not as a router does.
        """
        return self._send(wire.route(task, context, platform))

    def record_outcome(self, outcome: Outcome) -> None:
        """Store an outcome; raises `UnknownDecision` where the service has no such decision."""
        self._send(wire.outcome(outcome))

    def record_feedback(self, feedback: Feedback) -> None:
        """Store a correction; raises `UnknownDecision` where the service has no such decision."""
        self._send(wire.feedback(feedback))

    def is_ready(self) -> bool:
        """True where a router of ours answers at this address."""
        try:
            return wire.is_router(self.http.get("/healthz"))
        except httpx2.HTTPError:
            return False

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def _send(self, call: wire.Call[_M]) -> _M:
        answer: _M = Retrying(**wire.RETRY)(self._send_once, call)
        return answer

    def _send_once(self, call: wire.Call[_M]) -> _M:
        url = str(self.http.base_url)
        try:
            reply = self.http.post(call.path, json=call.body, headers=call.headers)
        except (httpx2.HTTPError, UnicodeEncodeError) as error:
            raise wire.failed(error, url) from error
        return call.read(reply, url)


class AsyncRouterClient:
    """The same for asynchronous programs; every method is a coroutine."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    @classmethod
    def at(cls, url: str, *, token: str | None = None, timeout_s: float = REQUEST_TIMEOUT_S) -> Self:
        """A client for the service at `url`."""
        return cls(
            httpx2.AsyncClient(base_url=_address(url), headers=_headers(token), timeout=timeout_s, trust_env=False)
        )

    async def route(
        self, task: str, context: dict[str, Any] | None = None, platform: Platform | None = None
    ) -> Decision:
        """Decide who should take `task`; raises `InvalidTask`, `ServiceUnavailable`."""
        return await self._send(wire.route(task, context, platform))

    async def record_outcome(self, outcome: Outcome) -> None:
        """Store an outcome; raises `UnknownDecision` where the service has no such decision."""
        await self._send(wire.outcome(outcome))

    async def record_feedback(self, feedback: Feedback) -> None:
        """Store a correction; raises `UnknownDecision` where the service has no such decision."""
        await self._send(wire.feedback(feedback))

    async def is_ready(self) -> bool:
        """True where a router of ours answers at this address."""
        try:
            return wire.is_router(await self.http.get("/healthz"))
        except httpx2.HTTPError:
            return False

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def _send(self, call: wire.Call[_M]) -> _M:
        answer: _M = await AsyncRetrying(**wire.RETRY)(self._send_once, call)
        return answer

    async def _send_once(self, call: wire.Call[_M]) -> _M:
        url = str(self.http.base_url)
        try:
            reply = await self.http.post(call.path, json=call.body, headers=call.headers)
        except (httpx2.HTTPError, UnicodeEncodeError) as error:
            raise wire.failed(error, url) from error
        return call.read(reply, url)


def connect(url: str | None = None, *, token: str | None = None) -> Routing:
    """Return the router service at `url`, else one on the default port, else the router in process.

    `LOCAL` in place of a URL looks for no service. A service that stops answering later is stood in for by the router
    in process.

    Raises:
        ServiceUnavailable: `url` was given and nothing answers there.
    """
    if url == LOCAL:
        return _in_process()
    from router.fallback import ResilientClient

    probe = RouterClient.at(url or DEFAULT_URL, token=token, timeout_s=REQUEST_TIMEOUT_S if url else PROBE_TIMEOUT_S)
    found = probe.is_ready()
    probe.http.timeout = httpx2.Timeout(REQUEST_TIMEOUT_S)
    if found:
        return ResilientClient(probe.http, _in_process)
    probe.close()
    if url:
        raise ServiceUnavailable(url, "no router answers")
    return _in_process()


def adopt(choices: Iterable[Choice], routing: Routing) -> None:
    """Store in the local journal what users chose while no router was there, with what the model says of it.

    What is stored already stays as it is. `routing` is used where it is the router in process.

    Raises:
        InvalidTask: the router takes no such task.
        JournalError: it can't be stored now.
    """
    from router.service import Router, open_router

    with ExitStack() as closed:
        router = routing if isinstance(routing, Router) else open_router()
        if router is not routing:
            closed.callback(router.close)
        for choice in choices:
            router.route(choice.task, choice.context, choice.platform, choice.decision_id)
        router.writer.flush()


def _in_process() -> Routing:
    from router.service import open_router  # loads the model: only where it is needed

    return open_router()


def _headers(token: str | None) -> dict[bytes, bytes]:
    return {b"Authorization": b"Bearer " + token.encode()} if token else {}


def _address(url: str) -> httpx2.URL:
    try:
        return httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise ServiceUnavailable(url, f"is no address ({error})") from error
