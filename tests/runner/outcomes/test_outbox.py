"""What is meant for the router reaches it, now or with a later run."""

import os
from pathlib import Path

import pytest

from router.client import RouterClient, ServiceUnavailable
from router.labels import Platform, Status
from router.schemas import Feedback, Outcome
from router.service import Router
from runner.lock import locked
from runner.outcomes.outbox import Outbox

NOBODY = "http://127.0.0.1:9"


def outcome(decision_id: str) -> Outcome:
    return Outcome(decision_id=decision_id, run_id="r1", platform="codex", status=Status.SUCCEEDED)


def test_an_outcome_and_a_correction_reach_the_router(tmp_path: Path, router: Router) -> None:
    decision_id = router.route("write tests").decision_id
    outbox = Outbox(tmp_path / "outbox", router)
    outbox.record(outcome(decision_id))
    outbox.correct(Feedback(decision_id=decision_id, platform=Platform.HYBRID))
    ((_, outcomes, corrections),) = router.journal.history()
    assert outcomes == [outcome(decision_id)]
    assert corrections[0].platform is Platform.HYBRID
    assert outbox.flush() == 0


def test_what_cannot_be_sent_is_sent_by_the_next_run(tmp_path: Path, router: Router) -> None:
    decision_id = router.route("write tests").decision_id
    cut_off = Outbox(tmp_path / "outbox", RouterClient.at(NOBODY))
    cut_off.record(outcome(decision_id))
    assert cut_off.flush() == 1
    assert Outbox(tmp_path / "outbox", router).flush() == 0
    assert router.journal.history()[0][1] == [outcome(decision_id)]


def test_what_one_router_does_not_know_does_not_hold_up_the_rest(tmp_path: Path, router: Router) -> None:
    (tmp_path / "0-broken.json").write_text("{")
    outbox = Outbox(tmp_path, router)
    outbox.record(outcome("unknown"))
    outbox.record(outcome(router.route("write tests").decision_id))
    assert outbox.flush() == 2
    assert len(router.journal.history()[0][1]) == 1


def test_what_no_router_knew_for_a_month_is_given_up(tmp_path: Path, router: Router) -> None:
    outbox = Outbox(tmp_path, router)
    outbox.record(outcome("unknown"))
    (letter,) = outbox.waiting()
    os.utime(letter, (0, 0))
    assert outbox.flush() == 0


def test_while_another_runner_sends_ours_waits(tmp_path: Path, router: Router) -> None:
    outbox = Outbox(tmp_path, router)
    with locked(tmp_path / "lock", wait_s=0):
        outbox.record(outcome(router.route("write tests").decision_id))
        assert outbox.flush() == 1
    assert outbox.flush() == 0


def test_without_a_disk_an_outcome_is_sent_at_once_or_never(tmp_path: Path, router: Router) -> None:
    (tmp_path / "file").touch()
    decision_id = router.route("write tests").decision_id
    Outbox(tmp_path / "file", router).record(outcome(decision_id))
    assert router.journal.history()[0][1] == [outcome(decision_id)]
    with pytest.raises(ServiceUnavailable):
        Outbox(tmp_path / "file", RouterClient.at(NOBODY)).record(outcome(decision_id))
