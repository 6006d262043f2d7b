"""The router in a process of its own, as its asker sees it."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from router.labels import Platform, Status
from router.schemas import Feedback, Outcome
from runner.errors import RouterFailed
from runner.orders import router_apart
from runner.orders.router_apart import RoutingApart, is_served


def test_a_router_that_ends_without_an_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/true")
    with (
        closing(RoutingApart(tmp_path)) as apart,
        pytest.raises(RouterFailed, match=r"does not answer; see .*log\.txt") as failed,
    ):
        apart.route("write tests")
    assert failed.value.exit_code == 6


def test_what_came_of_a_task_is_for_the_outbox(tmp_path: Path) -> None:
    apart = RoutingApart(tmp_path)
    decision = apart.route("write tests", platform=Platform.CODEX)
    outcome = Outcome(decision_id=decision.decision_id, run_id="r", platform="codex", status=Status.SUCCEEDED)
    with pytest.raises(RouterFailed, match="for the outbox"):
        apart.record_outcome(outcome)
    with pytest.raises(RouterFailed, match="for the outbox"):
        apart.record_feedback(Feedback(decision_id=decision.decision_id, verdict="good"))
    assert [choice.decision_id for choice in apart.choices] == [decision.decision_id]


def test_a_service_is_asked_where_one_is_named_or_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_served("http://127.0.0.1:9")
    assert not is_served("local")
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(router_apart, "SERVICE", server.getsockname())
        assert is_served(None)
    assert not is_served(None)
