"""What clients send to the service and how they read its answers, whatever carries them."""

import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import httpx2
from tenacity import retry_if_exception, stop_after_attempt, wait_random_exponential

from router.errors import InvalidTask, ServiceUnavailable, UnknownDecision
from router.labels import Platform
from router.schemas import Acknowledged, Decision, Feedback, Message, Outcome

M = TypeVar("M", bound=Message)


class PassingFailure(ServiceUnavailable):
    """The service did not answer now; the same request may well be answered in a moment."""


RETRY: dict[str, Any] = {
    "retry": retry_if_exception(lambda error: isinstance(error, PassingFailure)),
    "stop": stop_after_attempt(3),
    "wait": wait_random_exponential(multiplier=0.1, max=1.0),
    "reraise": True,
}
"""Three tries with growing, random pauses (seconds), so that clients that failed together don't come back together."""


@dataclass(frozen=True)
class Call(Generic[M]):
    """One request. Every one may be sent again: a route changes nothing, an outcome carries a key."""

    path: str
    body: dict[str, Any]
    reply: type[M]
    decision_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def read(self, reply: httpx2.Response, url: str) -> M:
        """The answer; raises `UnknownDecision`, `InvalidTask`, `ServiceUnavailable`."""
        if reply.status_code == HTTPStatus.NOT_FOUND and self.decision_id:
            raise UnknownDecision(self.decision_id)
        if reply.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise InvalidTask(problem(reply))
        if reply.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise PassingFailure(url, problem(reply))
        if reply.status_code >= HTTPStatus.BAD_REQUEST:
            raise ServiceUnavailable(url, problem(reply))
        try:
            return self.reply.model_validate_json(reply.content)
        except ValueError as error:
            raise ServiceUnavailable(url, "answers, but not as a router does") from error


def route(task: str, context: dict[str, Any] | None, platform: Platform | None) -> Call[Decision]:
    """Ask for a decision."""
    body = {"task": task, "context": context, "platform": platform}
    return Call("/route", {name: value for name, value in body.items() if value is not None}, Decision)


def outcome(outcome: Outcome) -> Call[Acknowledged]:
    """Report an outcome, under a key that stays the same however often it is sent."""
    key = {"Idempotency-Key": uuid.uuid4().hex}
    return Call("/outcomes", outcome.model_dump(mode="json"), Acknowledged, outcome.decision_id, key)


def feedback(feedback: Feedback) -> Call[Acknowledged]:
    """Report a correction."""
    return Call("/feedback", feedback.model_dump(mode="json"), Acknowledged, feedback.decision_id)


def failed(error: Exception, url: str) -> ServiceUnavailable:
    """What a request that got no answer means."""
    return PassingFailure(url, str(error) or type(error).__name__)


def problem(reply: httpx2.Response) -> str:
    """What the service says is wrong."""
    try:
        body = reply.json()
    except ValueError:
        body = None
    detail = body.get("detail") if isinstance(body, dict) else None
    return str(detail or f"HTTP {reply.status_code}")


def is_router(reply: httpx2.Response) -> bool:
    """True where this answer to `GET /healthz` is one of ours."""
    try:
        return reply.status_code == HTTPStatus.OK and reply.json().get("service") == "router"
    except (ValueError, AttributeError):
        return False
