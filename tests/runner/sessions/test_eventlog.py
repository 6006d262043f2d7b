"""Events are written once each, whatever happens to who writes them."""

import json
from pathlib import Path

import pytest

from runner.agents.events import Cause, Finished, Message, ToolUse
from runner.agents.scripted import ScriptedAgent
from runner.sessions.attempt import Attempt
from runner.sessions.eventlog import LONGEST_TEXT, EventLog, read_event

LINES: list[dict[str, object]] = [
    {"event": "Started", "session_id": "s"},
    {"event": "Message", "text": "one"},
    {"event": "ToolUse", "name": "shell", "detail": "ls"},
    {"event": "Usage", "tokens": 5, "cost_usd": 0.5, "turns": 1},
    {"event": "Message", "text": "two"},
    {"event": "Finished", "ok": False, "reason": "busy", "cause": "overloaded"},
]


def output(folder: Path, *lines: dict[str, object]) -> Path:
    """What an agent printed."""
    (folder / "attempt-1").mkdir(exist_ok=True)
    (folder / "attempt-1/order.json").write_text("{}")
    with (folder / "output.jsonl").open("a") as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def taken_up(folder: Path) -> EventLog:
    """The log as the next one who follows finds it."""
    log = EventLog(folder, ScriptedAgent({}))
    log.begin(Attempt(folder / "attempt-1"))
    return log


def written(folder: Path) -> list[str]:
    return [json.loads(line)["event"] for line in (folder / "events.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("cut", range(0, 720, 37))
def test_a_log_cut_anywhere_is_completed_without_a_gap_or_a_double(tmp_path: Path, cut: int) -> None:
    whole = taken_up(output(tmp_path, *LINES))
    whole.follow()
    text = (tmp_path / "events.jsonl").read_bytes()
    (tmp_path / "events.jsonl").write_bytes(text[:cut])
    log = taken_up(tmp_path)
    log.follow()
    assert written(tmp_path) == ["attempt", "started", "message", "tool", "usage", "message", "finished"]
    assert log.tally == whole.tally


def test_what_comes_later_follows_what_was_there(tmp_path: Path) -> None:
    taken_up(output(tmp_path, *LINES[:2])).follow()
    log = taken_up(output(tmp_path, *LINES[2:]))
    assert log.follow()[0][0] == ToolUse("shell", "ls")
    assert (log.tally.message, log.tally.steps, log.tally.cost_usd) == ("two", 3, 0.5)
    assert log.tally.finished == Finished(ok=False, reason="busy", cause=Cause.OVERLOADED)


def test_half_a_line_counts_once_nothing_more_will_come(tmp_path: Path) -> None:
    log = taken_up(output(tmp_path))
    (tmp_path / "output.jsonl").write_text('{"event": "Message", "text": "last"}')
    assert log.follow() == ([], True)
    assert log.follow(last=True) == ([Message("last")], False)


def test_a_log_that_cannot_be_written_loses_nothing(tmp_path: Path) -> None:
    log = taken_up(output(tmp_path, *LINES))
    (tmp_path / "events.jsonl").unlink()
    (tmp_path / "events.jsonl").mkdir()
    log.follow()
    assert log.tally.message == "two"
    (tmp_path / "events.jsonl").rmdir()
    taken_up(tmp_path).follow()
    assert len(written(tmp_path)) == 7


def test_what_is_said_at_great_length_is_cut(tmp_path: Path) -> None:
    long = "x" * (LONGEST_TEXT + 1)
    log = taken_up(
        output(tmp_path, {"event": "Message", "text": long}, {"event": "ToolUse", "name": "a", "detail": long})
    )
    message, tool = log.follow()[0]
    assert isinstance(message, Message)
    assert isinstance(tool, ToolUse)
    assert len(message.text) == len(tool.detail) == LONGEST_TEXT


@pytest.mark.parametrize("facts", [{}, {"event": "odd"}, {"event": "message"}, {"event": "attempt", "attempt": 1}])
def test_a_line_that_is_no_event_is_none(facts: dict[str, object]) -> None:
    assert read_event(facts) is None
