"""The scripted agent, which plays its task."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from runner.agents.events import Cause, FileChange, Finished, Message, ToolUse, Usage
from runner.agents.scripted import main, play

from .conftest import SCRIPTED, events_of, session


def test_the_scripted_agent_plays_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    steps = [
        {"say": "hi"},
        {"write": ["new/a.txt", "x"]},
        {"run": "touch b.txt"},
        {"wait": 0},
        {"print": "?"},
        {"use": 9},
    ]
    assert play(json.dumps(steps)) == 0
    events = events_of(SCRIPTED, capsys.readouterr().out.splitlines())
    assert (tmp_path / "new/a.txt").read_text() == "x"
    assert (tmp_path / "b.txt").exists()
    assert events[1:] == [
        Message("hi"), FileChange("new/a.txt"), ToolUse("shell", "touch b.txt"),
        Usage(9, cost_usd=9e-6, turns=1), Finished(ok=True, reason="completed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "code"), [('[{"fail": "no"}]', 1), ('[{"exit": 3}]', 3), ("just words", 0), ("7", 0)]
)
def test_the_scripted_agent_ends_as_told(script: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(script) == code
    assert capsys.readouterr().out


def test_the_scripted_agent_is_a_program_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runner").mkdir()  # a package of this name in the worktree must not be taken for ours
    (tmp_path / "runner/__init__.py").write_text("raise SystemExit('wrong runner')")
    (tmp_path / "prompt.txt").write_text('[{"deaf": true}, {"say": "hi"}]')
    command = SCRIPTED.command(session(tmp_path))
    assert command.argv[0] == sys.executable
    with (tmp_path / "prompt.txt").open("rb") as prompt:
        done = subprocess.run(command.argv, cwd=tmp_path, stdin=prompt, capture_output=True, text=True, check=True)
    assert Message("hi") in events_of(SCRIPTED, done.stdout.splitlines())


@pytest.mark.parametrize(
    ("steps", "cause"), [('[{"limit": 9}]', "usage_limit"), ('[{"overload": "busy"}]', "overloaded")]
)
def test_the_scripted_agent_has_trouble_with_its_provider_where_told(
    steps: str, cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(steps) == 1
    finished = events_of(SCRIPTED, capsys.readouterr().out.splitlines())[-1]
    assert isinstance(finished, Finished)
    assert finished.cause is Cause(cause)


def test_the_scripted_agent_remembers_what_it_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sys.stdin", io.StringIO('[{"say": "one"}, {"overload": "busy"}, {"say": "two"}] and more words')
    )
    assert main([str(tmp_path), "own"]) == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("go on"))
    assert main([str(tmp_path), "--resume", "own"]) == 0
    assert main([str(tmp_path), "--resume", "lost"]) == 1
    events = events_of(SCRIPTED, capsys.readouterr().out.splitlines())
    assert [event.text for event in events if isinstance(event, Message)] == ["one", "two"]
    assert events[-1] == Finished(ok=False, reason="no conversation lost", cause=Cause.UNKNOWN_SESSION)
