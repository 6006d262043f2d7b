"""A session is watched, ended at its limits, and judged by what it did."""

import os
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from router.labels import Status
from runner.agents.protocol import Session
from runner.agents.scripted import ScriptedAgent
from runner.environment import headless_environment
from runner.errors import StorageUnavailable
from runner.events import Event, Message
from runner.process import marked
from runner.session import LONGEST_LINE, Limits, Tail, Verdict, work

Script = Callable[..., str]
LIMITS = Limits(wall_s=20, silence_s=20, grace_s=0.3)


def run(folder: Path, task: str, limits: Limits = LIMITS, stop: threading.Event | None = None) -> Verdict:
    """Let the scripted agent play `task` and make sure that nothing of it stays."""
    (folder / "prompt.txt").write_text(task)
    agent = ScriptedAgent(headless_environment("scripted", os.environ, "COVERAGE_*"))
    session = Session(str(uuid.uuid4()), task, folder, folder / "prompt.txt")
    heard: list[Event] = []
    try:
        return work(session, agent, limits, stop or threading.Event(), heard.append)
    finally:
        assert marked(session.id) == []


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
    with pytest.raises(StorageUnavailable, match="can't be written"):
        run(tmp_path, "hi")


def test_a_tail_gives_whole_lines_only(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "out")
    (tmp_path / "out").write_bytes(b"one\ntw")
    assert tail.read() == (["one"], True)
    assert tail.read() == ([], False)
    with (tmp_path / "out").open("ab") as file:
        file.write(b"o\xff\n")
    assert tail.read() == (["two\ufffd"], True)


def test_a_tail_gives_up_a_line_without_end(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        file.truncate(2 * LONGEST_LINE)
        file.seek(0, 2)
        file.write(b'\n{"event": "Message", "text": "after"}\n')
    tail, lines = Tail(tmp_path / "out"), list[str]()
    while (read := tail.read())[1]:
        lines += read[0]
    assert ScriptedAgent({}).parse(lines[-1]) == [Message("after")]
