"""How a session ended is judged by its last attempt and by what its agent told."""

import json
import time
from pathlib import Path

import pytest

from router.labels import Status
from runner.agents.events import Cause, Event, Finished, Limited, Message, Started
from runner.sessions.attempt import Attempt, attempts, reopen
from runner.sessions.tally import Tally
from runner.sessions.verdict import Again, Verdict, judge, spent_s

OK = Finished(ok=True, reason="completed")
SOON, LATE = 1.0, 4_000_000_000.0


def begun(folder: Path, *ends: dict[str, object] | None) -> list[Attempt]:
    """Attempts that ended so; None is one whose supervisor was killed."""
    for number, end in enumerate(ends, start=1):
        attempt = folder / f"attempt-{number}"
        attempt.mkdir()
        (attempt / "order.json").write_text(json.dumps({"resumed": number > 1}))
        if end is not None:
            facts = {"code": 0, "cause": "", "problem": "", "running_s": 1.5, "at": time.time(), **end}
            (attempt / "ended.json").write_text(json.dumps(facts))
    return attempts(folder)


def judged(folder: Path, ends: list[dict[str, object] | None], *events: Event) -> Verdict | Again:
    tally = Tally()
    for event in events:
        tally.add(event)
    return judge(begun(folder, *ends), tally, folder / "stderr.txt", (5.0,))


@pytest.mark.parametrize(
    ("end", "events", "status"),
    [
        ({}, [OK], Status.SUCCEEDED),
        ({"code": 1}, [OK], Status.FAILED),
        ({"code": -9}, [OK], Status.SUCCEEDED),
        ({}, [], Status.FAILED),
        ({"cause": "cancelled"}, [OK], Status.CANCELLED),
        ({"cause": "timed_out"}, [OK], Status.SUCCEEDED),
        ({"cause": "timed_out", "code": -9}, [], Status.TIMED_OUT),
        ({"cause": "stalled", "code": -9}, [], Status.STALLED),
        ({"cause": "overflowed", "code": -9}, [], Status.FAILED),
        ({"cause": "unstartable", "code": None, "problem": "no"}, [], Status.FAILED),
        ({"code": 120, "problem": "the disk is full"}, [], Status.FAILED),
        ({"code": 1}, [Finished(ok=False, reason="x", cause=Cause.BUDGET)], Status.BUDGET_EXHAUSTED),
        ({"code": 1}, [Finished(ok=False, reason="x", cause=Cause.USAGE_LIMIT)], Status.RATE_LIMITED),
        ({"code": 1}, [Limited(LATE), Finished(ok=False, reason="x")], Status.RATE_LIMITED),
        ({"code": 1}, [Finished(ok=False, reason="x", cause=Cause.UNKNOWN_SESSION)], Status.FAILED),
    ],
)
def test_a_session_that_has_ended_gets_its_status(
    tmp_path: Path, end: dict[str, object], events: list[Event], status: Status
) -> None:
    verdict = judged(tmp_path, [end], *events)
    assert isinstance(verdict, Verdict)
    assert verdict.status is status
    assert (verdict.resets_at is not None) == (status is Status.RATE_LIMITED)


@pytest.mark.parametrize(
    ("ends", "events", "fresh"),
    [
        ([None], [Message("a")], False),
        ([None], [Started("s")], False),
        ([{"code": -9}], [Message("a")], False),
        ([{"cause": "interrupted"}], [Message("a"), OK], False),
        ([{}], [Message("a"), Finished(ok=False, reason="x", cause=Cause.ABORTED)], False),
        ([{"code": 1}], [Finished(ok=False, reason="x", cause=Cause.USAGE_LIMIT, resets_at=SOON)], False),
        ([None, {"code": 1}], [], True),
        ([None, {"code": 1}], [Finished(ok=False, reason="x", cause=Cause.UNKNOWN_SESSION)], True),
    ],
)
def test_a_session_that_was_interrupted_goes_on(
    tmp_path: Path, ends: list[dict[str, object] | None], events: list[Event], fresh: bool
) -> None:
    again = judged(tmp_path, ends, *events)
    assert isinstance(again, Again)
    assert again.fresh is fresh
    assert again.not_before <= time.time()


def test_a_provider_that_did_not_answer_is_given_time(tmp_path: Path) -> None:
    again = judged(tmp_path, [{"code": 1}], Started("s"), Finished(ok=False, reason="x", cause=Cause.OVERLOADED))
    assert isinstance(again, Again)
    assert 3 < again.not_before - time.time() <= 5


def test_the_last_line_of_errors_says_why_there_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "stderr.txt").write_text("one\nthe reason\n")
    verdict = judged(tmp_path, [{"code": 3}])
    assert isinstance(verdict, Verdict)
    assert verdict.reason == "ended with code 3 (the reason)"


def test_there_is_an_end_to_attempts(tmp_path: Path) -> None:
    ends: list[dict[str, object] | None] = [{"code": 1}] * 20
    verdict = judged(tmp_path, ends, Finished(ok=False, reason="x", cause=Cause.OVERLOADED))
    assert isinstance(verdict, Verdict)
    assert (verdict.status, verdict.attempts) == (Status.FAILED, 20)
    assert verdict.reason == "given up after 20 attempts; the last one: x"


def test_the_time_of_a_killed_attempt_counts_as_long_as_it_was_heard_of(tmp_path: Path) -> None:
    tries = begun(tmp_path, None, {})
    assert spent_s(tries) == 1.5
    (tmp_path / "output.jsonl").write_text("x")
    assert 1.5 <= spent_s(tries) < 30


def test_a_session_that_was_ended_may_be_opened_again(tmp_path: Path) -> None:
    tries = begun(tmp_path, {"cause": "cancelled"})
    (tmp_path / "stop").write_text("cancelled")
    reopen(tmp_path)
    assert not (tmp_path / "stop").exists()
    assert isinstance(judge(tries, Tally(), tmp_path / "stderr.txt", ()), Again)
