"""The way other programs reach the router: over HTTP, or in process where no service answers."""

from http import HTTPStatus
from typing import Any, Protocol, Self, TypeVar

import httpx2

from router.errors import InvalidTask, RouterError, ServiceUnavailable, UnknownDecision
from router.labels import Platform
from router.schemas import Acknowledged, Decision, Feedback, Outcome

__all__ = ["DEFAULT_URL", "RouterClient", "RouterError", "Routing", "ServiceUnavailable", "connect"]

DEFAULT_URL = "http://127.0.0.1:8787"
"""Where `router serve` listens unless told otherwise."""
PROBE_TIMEOUT_S = 0.3
"""Longest wait for a service nobody named: a closed port answers at once, a foreign one may not."""
REQUEST_TIMEOUT_S = 10.0
_M = TypeVar("_M", Decision, Acknowledged)


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
    """Talks to a router service; `http` is any httpx2 client whose base URL is the service."""

    def __init__(self, http: httpx2.Client) -> None:
        self.http = http

    @classmethod
    def at(cls, url: str, *, token: str | None = None, timeout_s: float = REQUEST_TIMEOUT_S) -> Self:
        """A client for the service at `url`."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return cls(httpx2.Client(base_url=url, headers=headers, timeout=timeout_s, trust_env=False))

    def route(self, task: str, context: dict[str, Any] | None = None, platform: Platform | None = None) -> Decision:
        """Decide who should take `task`.

        Raises:
            InvalidTask: the service refuses the task.
            ServiceUnavailable: it does not answer, or not as a router does.
        """
        body = {"task": task, "context": context, "platform": platform}
        return self._post("/route", {k: v for k, v in body.items() if v is not None}, Decision)

    def record_outcome(self, outcome: Outcome) -> None:
        """Store an outcome; raises `UnknownDecision` where the service has no such decision."""
        self._post("/outcomes", outcome.model_dump(mode="json"), Acknowledged, outcome.decision_id)

    def record_feedback(self, feedback: Feedback) -> None:
        """Store a correction; raises `UnknownDecision` where the service has no such decision."""
        self._post("/feedback", feedback.model_dump(mode="json"), Acknowledged, feedback.decision_id)

    def is_ready(self) -> bool:
        """True where a router of ours answers at this address."""
        try:
            reply = self.http.get("/healthz")
            return reply.status_code == HTTPStatus.OK and reply.json().get("service") == "router"
        except (httpx2.HTTPError, ValueError, AttributeError):
            return False

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def _post(self, path: str, body: dict[str, Any], reply_type: type[_M], decision_id: str = "") -> _M:
        url = str(self.http.base_url)
        try:
            reply = self.http.post(path, json=body)
        except (httpx2.HTTPError, UnicodeEncodeError) as error:
            raise ServiceUnavailable(url, str(error) or type(error).__name__) from error
        if reply.status_code == HTTPStatus.NOT_FOUND and decision_id:
            raise UnknownDecision(decision_id)
        if reply.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise InvalidTask(_problem(reply))
        if reply.status_code >= HTTPStatus.BAD_REQUEST:
            raise ServiceUnavailable(url, _problem(reply))
        try:
            return reply_type.model_validate_json(reply.content)
        except ValueError as error:
            raise ServiceUnavailable(url, "answers, but not as a router does") from error


def connect(url: str | None = None, *, token: str | None = None) -> Routing:
    """Return the router service at `url`, else one on the default port, else the router in process.

    Raises:
        ServiceUnavailable: `url` was given and nothing answers there.
    """
    if url:
        client = RouterClient.at(url, token=token)
        if not client.is_ready():
            client.close()
            raise ServiceUnavailable(url, "no router answers")
        return client
    probe = RouterClient.at(DEFAULT_URL, token=token, timeout_s=PROBE_TIMEOUT_S)
    found = probe.is_ready()
    probe.close()
    if found:
        return RouterClient.at(DEFAULT_URL, token=token)
    from router.service import open_router  # loads the model: only where it is needed

    return open_router()


def _problem(reply: httpx2.Response) -> str:
    try:
        body = reply.json()
    except ValueError:
        body = None
    detail = body.get("detail") if isinstance(body, dict) else None
    return str(detail or f"HTTP {reply.status_code}")
