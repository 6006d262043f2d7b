"""One suite for all agents: a safe command, and output that is understood."""

import json
from pathlib import Path

import pytest

from runner.agents.events import Event, FileChange, Finished, Message, Retry, ToolUse, Usage, line_of
from runner.agents.protocol import Agent

from .conftest import CLAUDE, CODEX, SCRIPTED, TASK, session

every_agent = pytest.mark.parametrize("agent", [CLAUDE, CODEX, SCRIPTED], ids=lambda agent: agent.name)


@every_agent
def test_the_task_is_read_from_its_file_and_stands_nowhere_in_the_command(agent: Agent, tmp_path: Path) -> None:
    command = agent.command(session(tmp_path))
    assert command.stdin == tmp_path / "prompt.txt"
    assert command.cwd == tmp_path
    assert TASK not in command.argv


@every_agent
@pytest.mark.parametrize(
    "line",
    ["", "not json", "[]", "null", "7", '{"type": 7}', '{"event": "Message"}', "[" * 100_000, '{"type":"assistant"}'],
)
def test_a_line_that_tells_nothing_is_passed_over(agent: Agent, line: str) -> None:
    assert agent.parse(line) == []


@pytest.mark.parametrize(
    ("agent", "line"),
    [
        (CLAUDE, r'{"type": "assistant", "message": {"content": [{"type": "text", "text": "\ud83d"}]}}'),
        (CODEX, r'{"type": "item.completed", "item": {"type": "agent_message", "text": "\ud83d"}}'),
    ],
)
def test_half_an_emoji_does_not_break_what_is_written_of_it(agent: Agent, line: str) -> None:
    assert agent.parse(line) == [Message("?")]


@pytest.mark.parametrize(
    ("agent", "line", "event"),
    [
        (
            CLAUDE,
            {"type": "system", "subtype": "api_retry", "error": "overloaded", "error_status": 529},
            Retry("overloaded (HTTP 529)"),
        ),
        (
            CLAUDE,
            {"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "Task", "input": {}}]}},
            ToolUse("Task", ""),
        ),
        (CODEX, {"type": "error", "message": "Reconnecting... 1/5"}, Retry("Reconnecting... 1/5")),
        (CODEX, {"type": "turn.failed", "error": {"message": "401"}}, Finished(ok=False, reason="401")),
        (
            CODEX,
            {"type": "item.started", "item": {"type": "mcp_tool_call", "server": "m", "tool": "t"}},
            ToolUse("m.t", ""),
        ),
    ],
)
def test_what_else_the_programs_tell(agent: Agent, line: dict[str, object], event: Event) -> None:
    assert agent.parse(json.dumps(line)) == [event]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Message("two\nlines \x1b[31mred"), "two lines [31mred"),
        (ToolUse("shell", "ls"), "shell: ls"),
        (ToolUse("Task", ""), "Task"),
        (FileChange("a.txt"), "writes a.txt"),
        (Retry("busy"), "tries again: busy"),
        (Finished(ok=False, reason="no"), "failed: no"),
        (Finished(ok=True, reason="completed"), ""),
        (Usage(1), ""),
    ],
)
def test_an_event_is_told_to_people_in_one_line(event: Event, line: str) -> None:
    assert line_of(event) == line


@every_agent
def test_a_session_is_gone_on_with_under_the_program_s_own_id(agent: Agent, tmp_path: Path) -> None:
    argv, first = agent.resume(session(tmp_path), "its-own-id").argv, agent.command(session(tmp_path)).argv
    assert "its-own-id" in argv
    assert "resume" in argv or "--resume" in argv
    assert "its-own-id" not in first
    assert TASK not in argv
