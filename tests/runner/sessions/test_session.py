"""A session is watched, ended at its limits, and judged by what it did."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from router.labels import Status
from runner.agents.events import Event
from runner.agents.protocol import Session
from runner.agents.scripted import ScriptedAgent
from runner.census import marked
from runner.environment import headless_environment
from runner.errors import Left, StorageUnavailable
from runner.sessions.attempt import attempts, is_supervised
from runner.sessions.session import Limits, work
from runner.sessions.verdict import Again, Verdict

Script = Callable[..., str]
LIMITS = Limits(wall_s=60, silence_s=60, grace_s=0.3, backoff_s=(0.1, 0.1))


def run(
    folder: Path, task: str, limits: Limits = LIMITS, stop: threading.Event | None = None, cost: float | None = None
) -> Verdict:
    """Let the scripted agent play `task` and make sure that nothing of it stays."""
    session_id = str(uuid.uuid5(uuid.NAMESPACE_OID, str(folder)))
    try:
        return follow(folder, task, limits, stop, cost=cost)
    finally:
        assert marked(session_id) == []


def follow(
    folder: Path,
    task: str,
    limits: Limits = LIMITS,
    stop: threading.Event | None = None,
    leave: threading.Event | None = None,
    cost: float | None = None,
    heard: list[Event] | None = None,
) -> Verdict:
    """Begin or go on with the folder's session; it may go on when this returns."""
    (folder / "prompt.txt").write_text(task)
    agent = ScriptedAgent(headless_environment("scripted", os.environ, "COVERAGE_*"))
    session_id = str(uuid.uuid5(uuid.NAMESPACE_OID, str(folder)))
    session = Session(session_id, task, folder, folder / "prompt.txt", max_cost_usd=cost)
    told: list[Event] = [] if heard is None else heard
    return work(session, agent, limits, stop or threading.Event(), told.append, leave)


def steps(*steps: Mapping[str, object]) -> str:
    """A task of these steps, which may repeat."""
    return json.dumps(steps)


def pids(folder: Path) -> dict[str, int]:
    """The processes of the last attempt."""
    return dict(json.loads((attempts(folder)[-1].folder / "begun.json").read_bytes()))


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + 90
    while not path.exists():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def test_a_session_that_does_its_task_succeeds(tmp_path: Path, script: Script) -> None:
    verdict = run(tmp_path, script(say="hi", use=5, print="no json"))
    assert (verdict.status, verdict.reason, verdict.exit_code) == (Status.SUCCEEDED, "completed", 0)
    assert verdict.tally.message == "hi"
    assert verdict.wall_s > 0


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ({"fail": "no idea"}, "no idea"),
        ({"exit": 0}, "ended with code 0 and without a result"),
        ({"exit": 3}, "ended with code 3 and without a result"),
        ({"odd": 1, "write": 7}, r"ended with code 1 \(TypeError"),
    ],
)
def test_a_session_that_does_not_fails_with_the_reason(
    tmp_path: Path, script: Script, steps: dict[str, object], reason: str
) -> None:
    verdict = run(tmp_path, script(**steps))
    assert verdict.status is Status.FAILED
    assert pytest.raises(AssertionError, match=reason).matches(AssertionError(verdict.reason))


@pytest.mark.parametrize(
    ("limits", "status"),
    [(Limits(0.5, 20, 0.3), Status.TIMED_OUT), (Limits(20, 0.5, 0.3), Status.STALLED)],
)
def test_a_session_past_a_limit_is_ended(tmp_path: Path, script: Script, limits: Limits, status: Status) -> None:
    verdict = run(tmp_path, script(deaf=True, say="hi", run="setsid sleep 300 &", wait=300), limits)
    assert verdict.status is status


def test_a_stopped_session_is_cancelled(tmp_path: Path, script: Script) -> None:
    stop = threading.Event()
    stop.set()
    assert run(tmp_path, script(wait=300), stop=stop).status is Status.CANCELLED


def test_output_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "output.jsonl").mkdir()
    with pytest.raises(StorageUnavailable, match="can't be read or written"):
        run(tmp_path, "hi")


@pytest.mark.parametrize("victim", ["supervisor", "agent"])
def test_a_session_whose_process_is_killed_goes_on_where_it_stood(tmp_path: Path, victim: str) -> None:
    task = steps(
        {"run": "echo once >> first"},
        {"say": "one"},
        {"run": "touch ready; test -e second || sleep 300"},
        {"say": "two"},
    )
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(run, tmp_path, task)
        wait_for(tmp_path / "ready")
        (tmp_path / "second").touch()
        os.kill(pids(tmp_path)[victim], signal.SIGKILL)
        verdict = doing.result()
    assert (verdict.status, verdict.attempts, verdict.tally.message) == (Status.SUCCEEDED, 2, "two")
    assert (tmp_path / "first").read_text() == "once\n"
    assert "You were interrupted" in (tmp_path / "prompt-2.txt").read_text()


def test_a_session_that_was_left_is_adopted_and_each_event_written_once(tmp_path: Path) -> None:
    task, leave = (
        steps({"say": "one"}, {"run": "touch ready; while test ! -e go; do sleep 0.1; done"}, {"say": "two"}),
        threading.Event(),
    )
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(follow, tmp_path, task, leave=leave)
        wait_for(tmp_path / "ready")
        leave.set()
        with pytest.raises(Left, match="goes on without us"):
            doing.result()
    assert is_supervised(tmp_path)
    (tmp_path / "go").touch()
    heard: list[Event] = []
    verdict = follow(tmp_path, task, heard=heard)
    assert (verdict.status, verdict.attempts, verdict.tally.message) == (Status.SUCCEEDED, 1, "two")
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["attempt", "started", "message", "tool", "message", "finished"]
    again = follow(tmp_path, task)
    assert (again.status, again.tally) == (verdict.status, verdict.tally)


def test_a_session_stopped_while_nobody_followed_is_cancelled_by_the_next(tmp_path: Path) -> None:
    task, leave, stop = steps({"run": "touch ready"}, {"wait": 300}), threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(follow, tmp_path, task, leave=leave)
        wait_for(tmp_path / "ready")
        leave.set()
        with pytest.raises(Left):
            doing.result()
    stop.set()
    assert run(tmp_path, task, stop=stop).status is Status.CANCELLED


def test_a_session_that_is_killed_again_and_again_is_given_up(tmp_path: Path) -> None:
    verdict = run(tmp_path, steps({"run": "kill -9 $PPID"}))
    assert verdict.status is Status.FAILED
    assert verdict.reason == "was interrupted 8 times"


def test_a_provider_that_does_not_answer_is_tried_again(tmp_path: Path) -> None:
    verdict = run(tmp_path, steps({"overload": "529"}, {"overload": "529"}, {"say": "here"}))
    assert (verdict.status, verdict.attempts, verdict.tally.message) == (Status.SUCCEEDED, 3, "here")


def test_a_clock_that_is_set_back_prolongs_no_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.time() + 3600  # as it was when the attempt ended
    monkeypatch.setattr("runner.sessions.session.judge", lambda *_: Again("no answer", later))
    with ThreadPoolExecutor(1) as pool:
        stop = threading.Event()
        doing = pool.submit(run, tmp_path, steps({"say": "one"}), LIMITS, stop)
        wait_for(tmp_path / "attempt-2" / "ended.json")
        stop.set()
        assert doing.result().status is Status.CANCELLED


def test_a_provider_that_never_answers_is_left_alone_for_a_while(tmp_path: Path) -> None:
    verdict = run(tmp_path, steps(*[{"overload": "529"}] * 5))
    assert verdict.status is Status.RATE_LIMITED
    assert verdict.resets_at is not None
    assert verdict.resets_at > time.time() + 600


def test_a_used_up_allowance_ends_it_until_its_time_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = steps({"say": "one"}, {"limit": 3600}, {"say": "two"})
    verdict = run(tmp_path, task)
    assert (verdict.status, verdict.tally.message) == (Status.RATE_LIMITED, "one")
    resets_at = verdict.resets_at or 0.0
    assert run(tmp_path, task).resets_at == resets_at > time.time() + 3000
    monkeypatch.setattr("runner.sessions.verdict.time", SimpleNamespace(time=lambda: resets_at + 1))
    later = run(tmp_path, task)
    assert (later.status, later.attempts, later.tally.message) == (Status.SUCCEEDED, 2, "two")


def test_a_session_ends_before_it_costs_more_than_it_may(tmp_path: Path) -> None:
    dear: list[dict[str, object]] = [{"use": 400_000}, {"use": 800_000}, {"run": "touch kept"}, {"wait": 300}]
    verdict = run(tmp_path, steps(*dear), cost=1.0)
    assert verdict.status is Status.BUDGET_EXHAUSTED
    assert verdict.tally.cost_usd <= 1.0
    assert (tmp_path / "kept").exists() or verdict.tally.cost_usd == 0.8


def test_a_session_ends_at_its_turns(tmp_path: Path) -> None:
    limits = Limits(60, 60, 0.3, turns=3)
    verdict = run(tmp_path, steps(*[{"say": "again"}] * 3, {"wait": 300}), limits)
    assert (verdict.status, verdict.tally.steps) == (Status.BUDGET_EXHAUSTED, 3)


def test_a_lost_conversation_begins_anew(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(run, tmp_path, steps({"run": "touch ready; test -e go || sleep 300"}, {"say": "done"}))
        wait_for(tmp_path / "ready")
        (tmp_path / "go").touch()
        for kept in tmp_path.glob("scripted-*.json"):
            kept.unlink()
        os.kill(pids(tmp_path)["agent"], signal.SIGKILL)
        verdict = doing.result()
    assert (verdict.status, verdict.attempts, verdict.tally.message) == (Status.SUCCEEDED, 3, "done")
    assert [attempt.resumed for attempt in attempts(tmp_path)] == [False, True, False]


def test_the_time_limit_counts_all_attempts(tmp_path: Path) -> None:
    limits = Limits(4, 60, 0.3)
    once = "test -e killed || { touch killed; kill -9 $PPID; }"
    verdict = run(tmp_path, steps({"run": once}, {"wait": 300}), limits)
    assert verdict.status is Status.TIMED_OUT
    assert verdict.attempts > 1


def test_much_output_long_lines_and_other_bytes_do_no_harm(tmp_path: Path) -> None:
    noise = "import sys; o = sys.stdout.buffer; o.write(b'\\xff\\xfe' * 9 + b'\\n' + b'x' * 70_000 + b'\\n')"
    flood = f"{noise}; [o.write(b'y' * 1_000_000 + b'\\n') for _ in range(100)]; o.flush()"
    (tmp_path / "flood.py").write_text(flood)
    # The shell's output is not the agent's; it writes to the agent's own file, as a chatty program would.
    command = f"{sys.executable} flood.py >> /proc/$PPID/fd/1"
    verdict = run(tmp_path, steps({"say": "one"}, {"run": command}, {"say": "two"}))
    assert (verdict.status, verdict.tally.message) == (Status.SUCCEEDED, "two")
    assert (tmp_path / "output.jsonl").stat().st_size > 100_000_000
    assert (tmp_path / "events.jsonl").stat().st_size < 10_000


def test_a_supervisor_that_hangs_is_killed_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.sessions.session.PATIENCE_S", 0.5)
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(run, tmp_path, steps({"run": "touch ready"}, {"wait": 300}), LIMITS, stop)
        wait_for(tmp_path / "ready")
        os.kill(pids(tmp_path)["supervisor"], signal.SIGSTOP)
        stop.set()
        verdict = doing.result()
    assert verdict.status is Status.CANCELLED


def test_on_a_full_disk_the_end_is_still_written_down(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", small], check=False, capture_output=True
    ).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        verdict = run(
            small, steps({"say": "one"}, {"run": f"head -c 9000000 /dev/zero > {small}/fill"}, {"say": "two"})
        )
    finally:
        subprocess.run(["umount", small], check=True)
    assert (verdict.status, verdict.tally.message) == (Status.FAILED, "one")
    assert "the disk is full" in verdict.reason
