"""What Claude Code is told, and what it tells."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from runner.agents.claude import InteractiveClaude
from runner.agents.events import (
    Cause,
    Event,
    FileChange,
    Finished,
    Limited,
    Message,
    NeedsInput,
    Started,
    ToolUse,
    Usage,
    line_of,
)

from .conftest import CLAUDE, SAMPLES, TASK, events_of, session


def test_claude_gets_an_allow_list_and_no_servers(tmp_path: Path) -> None:
    argv = CLAUDE.command(session(tmp_path)).argv
    rules = argv[argv.index("--allowedTools") + 1].split(",")
    assert "Bash(git commit:*)" in rules
    assert all(rule.startswith("Bash(") and rule.endswith(":*)") for rule in rules)
    assert "--strict-mcp-config" in argv
    assert "--max-budget-usd" not in argv


def test_claude_is_told_the_most_it_may_cost(tmp_path: Path) -> None:
    argv = CLAUDE.command(session(tmp_path, max_cost_usd=0.5)).argv
    assert argv[argv.index("--max-budget-usd") + 1] == "0.5"


def test_interactive_claude_cannot_take_the_task_for_an_option_or_a_subcommand(tmp_path: Path) -> None:
    argv = InteractiveClaude(Path("/bin/claude"), {}).command(session(tmp_path)).argv
    assert argv[-2:] == ("--", f" {TASK}")


def test_a_recorded_session_of_claude_is_understood() -> None:
    events = events_of(CLAUDE, (SAMPLES / "claude.jsonl").read_text().splitlines())
    assert isinstance(events[0], Started)
    assert FileChange("/scratch/w/r1/made.txt") in events
    assert ToolUse("Bash", "git status --short") in events
    assert events[-3:] == [
        Message("All done: created made.txt, edited a.txt."),
        Usage(tokens=2694, cost_usd=0.009536, turns=5),
        Finished(ok=True, reason="completed"),
    ]


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"subtype": "success", "is_error": True, "result": "Not logged in"}, "Not logged in"),
        ({"subtype": "error_during_execution", "is_error": True, "errors": ["a", "b"]}, "a; b"),
        ({"subtype": "error_max_turns", "is_error": True, "terminal_reason": "max_turns"}, "max_turns"),
        ({"subtype": "error_odd"}, "error_odd"),
    ],
)
def test_claude_is_judged_by_is_error(result: dict[str, object], reason: str) -> None:
    events = CLAUDE.parse(json.dumps({"type": "result", **result}))
    assert isinstance(events[-1], Finished)
    assert (events[-1].ok, events[-1].reason) == (False, reason)


@pytest.mark.parametrize(
    "nothing", [{"type": "assistant", "message": {"content": [{"type": "thinking"}]}}, {"type": "user"}]
)
def test_claude_may_tell_nothing_of_interest(nothing: dict[str, object]) -> None:
    assert CLAUDE.parse(json.dumps(nothing)) == []


def test_claude_is_told_its_turns_and_a_conversation_of_its_own(tmp_path: Path) -> None:
    argv = CLAUDE.command(replace(session(tmp_path), max_turns=7, conversation="new")).argv
    assert argv[argv.index("--max-turns") + 1] == "7"
    assert argv[argv.index("--session-id") + 1] == "new"


@pytest.mark.parametrize(
    ("result", "cause"),
    [
        ({"api_error_status": 529, "terminal_reason": "api_error"}, Cause.OVERLOADED),
        ({"api_error_status": None, "terminal_reason": "api_error"}, Cause.OVERLOADED),
        ({"api_error_status": 400, "terminal_reason": "api_error"}, Cause.OTHER),
        ({"terminal_reason": "budget_exhausted"}, Cause.BUDGET),
        ({"subtype": "error_max_turns"}, Cause.BUDGET),
        ({"terminal_reason": "aborted_tools"}, Cause.ABORTED),
        ({"errors": ["No conversation found with session ID: x"]}, Cause.UNKNOWN_SESSION),
        ({"result": "Claude AI usage limit reached|1795514400"}, Cause.USAGE_LIMIT),
        ({"result": "You've hit your session limit · resets 3pm (UTC)", "api_error_status": 429}, Cause.USAGE_LIMIT),
    ],
)
def test_claude_says_why_it_gave_up(result: dict[str, object], cause: Cause) -> None:
    *_, finished = CLAUDE.parse(json.dumps({"type": "result", "is_error": True, **result}))
    assert isinstance(finished, Finished)
    assert finished.cause is cause
    assert (finished.resets_at is not None) == (cause is Cause.USAGE_LIMIT)


@pytest.mark.parametrize(
    ("told", "events"), [({"status": "rejected", "resetsAt": 7}, [Limited(7)]), ({"status": "allowed_warning"}, [])]
)
def test_claude_tells_of_an_allowance_that_is_used_up(told: dict[str, object], events: list[Event]) -> None:
    assert CLAUDE.parse(json.dumps({"type": "rate_limit_event", "rate_limit_info": told})) == events


def test_claude_tells_of_a_question_that_nobody_could_answer() -> None:
    denied = [
        {"tool_name": "AskUserQuestion", "tool_input": {"questions": [{"question": "A or B?"}]}},
        {"tool_name": "X"},
    ]
    line = {"type": "result", "is_error": False, "permission_denials": denied}
    assert NeedsInput("A or B?") in CLAUDE.parse(json.dumps(line))
    assert line_of(NeedsInput("A or B?")) == "asks: A or B?"


def test_claude_s_tokens_are_those_of_the_whole_conversation() -> None:
    models = {"m": {"inputTokens": 200, "outputTokens": 40, "cacheReadInputTokens": 1, "costUSD": 1}}
    line = {"type": "result", "is_error": False, "usage": {"input_tokens": 3}, "modelUsage": models}
    assert CLAUDE.parse(json.dumps(line))[0] == Usage(tokens=241)
