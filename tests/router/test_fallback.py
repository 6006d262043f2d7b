"""Clients when the service is slow to answer, away, or back again."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from router.client import AsyncRouterClient, RouterClient
from router.errors import InvalidTask, ServiceUnavailable, UnknownDecision
from router.fallback import ResilientClient
from router.http.app import create_app
from router.journal.journal import Journal
from router.labels import Status
from router.model.registry import Registry
from router.schemas import Feedback, Outcome
from router.service import Router

Answer = Callable[[httpx2.Request], httpx2.Response]


class Service:
    """The real app behind a switch."""

    def __init__(self, app: TestClient) -> None:
        self.app, self.away, self.failures, self.keys = app, False, 0, []  # type: ignore[var-annotated]

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if self.away or self.failures:
            self.failures = max(0, self.failures - 1)
            raise httpx2.ConnectError("refused")
        self.keys.append(request.headers.get("idempotency-key"))
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        reply = self.app.request(request.method, request.url.path, content=request.content, headers=headers)
        return httpx2.Response(reply.status_code, content=reply.content, headers=dict(reply.headers))


@pytest.fixture
def service(rules_router: Router) -> Service:
    return Service(TestClient(create_app(rules_router)))


@pytest.fixture
def local(tmp_path: Path) -> Router:
    return Router(Registry(tmp_path / "none"), Journal(f"sqlite:///{tmp_path / 'local.db'}"))


def http(service: Service) -> httpx2.Client:
    return httpx2.Client(base_url="http://router", transport=httpx2.MockTransport(service))


def outcome(decision_id: str) -> Outcome:
    return Outcome(decision_id=decision_id, run_id="r", platform="codex", status=Status.SUCCEEDED)


def test_what_fails_in_passing_is_tried_again_under_the_same_key(service: Service) -> None:
    client = RouterClient(http(service))
    service.failures = 2
    decision = client.route("write tests for it")
    client.record_outcome(outcome(decision.decision_id))
    client.record_outcome(outcome(decision.decision_id))
    assert len({key for key in service.keys if key}) == 2
    service.failures = 3
    with pytest.raises(ServiceUnavailable, match="refused"):
        client.route("write tests for it")


def test_while_the_service_is_away_the_router_in_process_decides(
    service: Service, local: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = ResilientClient(http(service), lambda: local)
    kept_by_service = client.route("explain it")
    service.away = True
    here = client.route("explain it")
    asked_again = client.route("explain it")
    assert {one.decision.decision_id for one in local.decisions()} == {here.decision_id, asked_again.decision_id}
    with pytest.raises(ServiceUnavailable):
        client.record_outcome(outcome(here.decision_id))
    service.away = False
    monkeypatch.setattr(client, "_ask_again_at", 0.0)
    back = client.route("explain it")
    client.record_outcome(outcome(here.decision_id))
    client.record_feedback(Feedback(decision_id=here.decision_id, verdict="good"))
    client.record_outcome(outcome(back.decision_id))
    client.record_feedback(Feedback(decision_id=kept_by_service.decision_id, verdict="bad"))
    told = {stored.decision.decision_id: said for stored, _, said in local.journal.history()}
    assert [len(said) for said in told.values()] == [1, 0]
    with pytest.raises(UnknownDecision):
        client.record_outcome(outcome("nobody"))
    client.close()


def test_a_service_that_refuses_us_is_not_stood_in_for(rules_router: Router, local: Router) -> None:
    refusing = Service(TestClient(create_app(rules_router, token="s3cret")))
    with pytest.raises(ServiceUnavailable, match="token"):
        ResilientClient(http(refusing), lambda: local).route("x")
    local.close()


def test_the_asynchronous_client_does_the_same(service: Service) -> None:
    async def talk() -> None:
        transport = httpx2.MockTransport(service)
        client = AsyncRouterClient(httpx2.AsyncClient(base_url="http://router", transport=transport))
        assert await client.is_ready()
        service.failures = 1
        decision = await client.route("explain it", {"cwd": "/x"})
        await client.record_outcome(outcome(decision.decision_id))
        await client.record_feedback(Feedback(decision_id=decision.decision_id, verdict="good"))
        with pytest.raises(InvalidTask):
            await client.route(" ")
        with pytest.raises(UnknownDecision):
            await client.record_outcome(outcome("nobody"))
        service.away = True
        assert not await client.is_ready()
        with pytest.raises(ServiceUnavailable):
            await client.route("x")
        await client.close()

    asyncio.run(talk())
    assert isinstance(AsyncRouterClient.at("http://127.0.0.1:9", token="t").http, httpx2.AsyncClient)
