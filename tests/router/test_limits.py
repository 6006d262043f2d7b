"""What is refused before it is looked at."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from router.http import body
from router.http.app import create_app
from router.http.body import Bodies, Gone
from router.http.limits import Bucket
from router.service import Router

JSON = {"content-type": "application/json"}


def chunks(*parts: bytes | None) -> Callable[[], Awaitable[Any]]:
    """A client that sends these parts; None: it leaves, and after the last it stalls."""
    waiting = list(parts)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()
        part = waiting.pop(0)
        return (
            {"type": "http.disconnect"} if part is None else {"type": "http.request", "body": part, "more_body": True}
        )

    return receive


def test_a_body_that_stalls_is_given_up_and_no_longer_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_TIMEOUT_S", 0.01)
    bodies = Bodies()
    with pytest.raises(HTTPException) as refused:
        asyncio.run(bodies.read(chunks(b"{"), 100))
    assert (refused.value.status_code, bodies.held) == (408, 0)


def test_a_client_that_leaves_is_noticed() -> None:
    bodies = Bodies()
    with pytest.raises(Gone):
        asyncio.run(bodies.read(chunks(b"{", None), 100))
    assert bodies.held == 0


def test_all_bodies_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "MAX_BUFFERED_BYTES", 10)
    bodies = Bodies(held=8)
    with pytest.raises(HTTPException) as refused:
        asyncio.run(bodies.read(chunks(b"{}{}"), 100))
    assert (refused.value.status_code, bodies.held) == (503, 8)


def test_a_bucket_refills_with_time() -> None:
    bucket = Bucket(rate_per_s=2, filled=2, at=0.0)
    assert [bucket.take(0.0), bucket.take(0.0), bucket.take(0.0)] == [True, True, False]
    assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]


def test_each_token_has_a_rate_of_its_own(rules_router: Router) -> None:
    with TestClient(create_app(rules_router, tokens=("a", "b"), rate_limit=0.001)) as http:
        answers = [
            http.get("/model", headers={"Authorization": f"Bearer {token}"}).status_code for token in ("a", "a", "b")
        ]
        assert answers == [200, 429, 200]
        assert http.get("/model", headers={"Authorization": "Bearer c"}).status_code == 401


@pytest.mark.parametrize("kind", [None, "text/plain", "application/xml", "application/jsonp"])
def test_a_body_that_is_not_said_to_be_json_is_refused(rules_router: Router, kind: str | None) -> None:
    with TestClient(create_app(rules_router)) as http:
        headers = {"content-type": kind} if kind else {}
        reply = http.post("/route", content=b'{"task": "x"}', headers=headers)
        assert reply.status_code == 415
        assert "application/json" in reply.json()["detail"]
        with_charset = {"content-type": "Application/JSON; charset=utf-8"}
        assert http.post("/route", content=b'{"task": "x"}', headers=with_charset).status_code == 200


def test_no_other_site_may_read_the_answers(rules_router: Router) -> None:
    with TestClient(create_app(rules_router)) as http:
        reply = http.post("/route", json={"task": "x"}, headers={"Origin": "https://elsewhere.example"})
        assert not [name for name in reply.headers if name.startswith("access-control")]
        assert http.options("/route", headers={"Origin": "https://elsewhere.example"}).status_code == 405


def test_a_full_journal_queue_takes_no_place_of_a_route(rules_router: Router) -> None:
    with TestClient(create_app(rules_router, max_in_flight=1)) as http:
        assert http.get("/decisions").status_code == 200
        assert http.post("/route", json={"task": "x"}).status_code == 200
