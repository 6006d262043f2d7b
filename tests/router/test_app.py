"""The HTTP service, over the real router."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from router.client import RouterClient
from router.errors import InvalidTask, ServiceUnavailable, UnknownDecision
from router.http.app import create_app
from router.journal.journal import Journal
from router.labels import Platform, Source, Status
from router.model.registry import Registry
from router.schemas import Feedback, Outcome
from router.service import Router

QUESTION = "why does the login test fail only in CI?"


@pytest.fixture
def http(router: Router) -> Iterator[TestClient]:
    with TestClient(create_app(router), raise_server_exceptions=False) as client:
        yield client


def test_a_task_is_answered_with_all_that_the_contract_names(http: TestClient) -> None:
    answer = http.post("/route", json={"task": QUESTION, "context": {"cwd": "/x"}}).json()
    assert (answer["platform"], answer["mode"], answer["task_type"]) == ("claude-code", "interactive", "debug")
    assert answer["source"] == "model"
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert sum(answer["task_types"].values()) == pytest.approx(1, abs=1e-4)
    assert answer["reason"]
    assert len(answer["similar"]) == 3
    assert answer["model_version"]
    assert answer["latency_ms"] > 0
    assert answer["needs_confirmation"] is False
    assert http.get("/decisions").json()["decisions"][0]["decision"]["decision_id"] == answer["decision_id"]


def test_a_batch_gets_the_answers_that_single_calls_get(http: TestClient) -> None:
    tasks = [QUESTION, "x", "implement GET /users " * 30, "write tests for parser.py"]
    batch = http.post("/route/batch", json={"tasks": [{"task": task} for task in tasks]}).json()["decisions"]
    for task, one in zip(tasks, batch, strict=True):
        alone = http.post("/route", json={"task": task}).json()
        assert one["probabilities"] == alone["probabilities"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"tasks": []}', b'{"tasks": [{"task": " "}]}', b'{"tasks": [\xff]}'])
def test_a_batch_that_is_wrong_gets_a_problem_document(http: TestClient, body: bytes) -> None:
    reply = http.post("/route/batch", content=body, headers={"content-type": "application/json"})
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")


def test_an_outcome_under_a_used_key_is_acknowledged_once_and_refused_when_it_differs(http: TestClient) -> None:
    known = http.post("/route", json={"task": QUESTION}).json()["decision_id"]
    outcome = {"decision_id": known, "run_id": "r", "platform": "codex", "status": "succeeded"}
    key = {"Idempotency-Key": "k1"}
    assert [http.post("/outcomes", json=outcome, headers=key).status_code for _ in range(2)] == [200, 200]
    reply = http.post("/outcomes", json={**outcome, "status": "failed"}, headers=key)
    assert reply.status_code == 422
    assert "'k1'" in reply.json()["detail"]


def test_the_user_s_platform_wins_and_is_logged_as_an_override(http: TestClient) -> None:
    answer = http.post("/route", json={"task": QUESTION, "platform": "codex"}).json()
    assert (answer["platform"], answer["source"]) == ("codex", "override")


@pytest.mark.parametrize(
    ("content", "kind", "status", "said"),
    [
        (b'{"task": ""}', "application/json", 422, "blank"),
        (b'{"task": "   "}', "application/json", 422, "blank"),
        (b'{"task": 3}', "application/json", 422, "task: "),
        (b"{}", "application/json", 422, "task: "),
        (b"[]", "application/json", 422, ""),
        (b"{", "application/json", 422, "JSON"),
        (b'{"task": "\xff\xfe"}', "application/json", 400, ""),
        (b'{"task": "\\ud800"}', "application/json", 422, ""),
        (b'{"task": "x", "context": {"a": NaN}}', "application/json", 422, "context"),
        (b'{"task": "x", "platform": "moon"}', "application/json", 422, "platform"),
        (b'{"task": "' + b"x" * 40_000 + b'"}', "application/json", 422, "32768"),
        (b'{"task": "' + b"x" * 1_100_000 + b'"}', "application/json", 413, "bytes"),
        (b"task=x", "application/x-www-form-urlencoded", 415, "application/json"),
    ],
)
def test_bad_input_gets_a_problem_document_and_never_a_500(
    http: TestClient, content: bytes, kind: str, status: int, said: str
) -> None:
    reply = http.post("/route", content=content, headers={"content-type": kind})
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    body = reply.json()
    assert set(body) == {"type", "title", "status", "detail"}
    assert said in body["detail"]


def test_a_body_that_declares_no_length_is_bounded_as_well(http: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(1200):
            yield b"x" * 1024

    reply = http.post("/route", content=chunks(), headers={"content-type": "application/json"})
    assert reply.status_code == 413


def test_outcomes_and_feedback_need_a_decision(http: TestClient) -> None:
    outcome = {"decision_id": "none", "run_id": "r", "platform": "codex", "status": "succeeded"}
    assert http.post("/outcomes", json=outcome).status_code == 404
    assert http.post("/feedback", json={"decision_id": "none", "verdict": "bad"}).status_code == 404
    assert http.get("/decisions", params={"before": "none"}).status_code == 404
    known = http.post("/route", json={"task": QUESTION}).json()["decision_id"]
    assert http.post("/outcomes", json={**outcome, "decision_id": known}).json() == {"stored": True}
    assert http.post("/feedback", json={"decision_id": known, "platform": "hybrid"}).json() == {"stored": True}


def test_decisions_are_paged(http: TestClient) -> None:
    for number in range(5):
        http.post("/route", json={"task": f"task {number}"})
    first = http.get("/decisions", params={"limit": 3}).json()
    second = http.get("/decisions", params={"limit": 3, "before": first["next"]}).json()
    assert [one["task"] for one in first["decisions"] + second["decisions"]] == [f"task {n}" for n in (4, 3, 2, 1, 0)]
    assert second["next"] is None
    assert http.get("/decisions", params={"limit": 0}).status_code == 422


def test_health_readiness_and_the_model_are_shown(http: TestClient, router: Router) -> None:
    assert router.model is not None
    assert http.get("/healthz").json() == {"status": "ok", "service": "router"}
    assert http.get("/readyz").json() == {"status": "ready", "model_version": router.model.version, "problem": None}
    model = http.get("/model").json()
    assert model["manifest"]["files"]["encoder.onnx"]
    assert model["policy"]["default"] == "claude-code"
    assert http.post("/model/reload").json()["status"] == "ready"


def test_without_a_model_the_service_answers_from_the_rules_and_says_degraded(rules_router: Router) -> None:
    with TestClient(create_app(rules_router)) as http:
        answer = http.post("/route", json={"task": QUESTION}).json()
        assert (answer["platform"], answer["source"], answer["model_version"]) == ("claude-code", "regex", None)
        assert http.get("/readyz").json()["status"] == "degraded"
        assert http.get("/model").json()["manifest"] is None


def test_a_token_is_asked_for_except_for_health(router: Router) -> None:
    with TestClient(create_app(router, token="s3cret")) as http:
        assert http.get("/healthz").status_code == 200
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}):
            reply = http.post("/route", json={"task": "x"}, headers=headers)
            assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
        assert http.post("/route", json={"task": "x"}, headers={"Authorization": "Bearer s3cret"}).status_code == 200


def test_too_much_at_once_is_answered_503_with_retry_after(router: Router) -> None:
    with TestClient(create_app(router, max_in_flight=0)) as http:
        reply = http.post("/route", json={"task": "x"})
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
        assert http.get("/healthz").status_code == 200


def test_a_journal_that_can_t_be_written_never_fails_a_route(shipped_models: Path) -> None:
    router = Router(Registry(shipped_models), Journal("sqlite:////proc/none/journal.db"))
    with TestClient(create_app(router)) as http:
        assert http.post("/route", json={"task": QUESTION}).status_code == 200
        reply = http.post("/feedback", json={"decision_id": "x", "verdict": "bad"})
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
        assert router.counts["journal_errors"] > 0


def test_an_unknown_path_and_a_wrong_method_are_problems_too(http: TestClient) -> None:
    assert http.get("/nowhere").headers["content-type"] == "application/problem+json"
    assert http.get("/route").status_code == 405


def test_a_failure_of_ours_is_a_500_problem_without_inner_words(router: Router) -> None:
    class Broken(Router):
        def route(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("inner words")

    broken = Broken(router.registry, router.journal)
    with TestClient(create_app(broken), raise_server_exceptions=False) as http:
        reply = http.post("/route", json={"task": "x"})
        assert reply.status_code == 500
        assert "inner words" not in reply.text


def test_the_client_of_ours_talks_to_the_service(http: TestClient) -> None:
    client = RouterClient(http)
    assert client.is_ready()
    decision = client.route(QUESTION, {"cwd": "/x"}, Platform.HYBRID)
    assert decision.source is Source.OVERRIDE
    client.record_outcome(
        Outcome(decision_id=decision.decision_id, run_id="r", platform="hybrid", status=Status.FAILED)
    )
    client.record_feedback(Feedback(decision_id=decision.decision_id, verdict="bad"))
    with pytest.raises(InvalidTask, match="blank"):
        client.route(" ")
    with pytest.raises(UnknownDecision):
        client.record_feedback(Feedback(decision_id="nobody", verdict="bad"))


def test_the_client_says_what_a_service_that_refuses_it_says(router: Router) -> None:
    with TestClient(create_app(router, token="s3cret")) as http, pytest.raises(ServiceUnavailable, match="token"):
        RouterClient(http).route("x")
