"""One suite for all agents: a safe command, and output that is understood."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from runner.agents.claude import HeadlessClaude, InteractiveClaude
from runner.agents.codex import HeadlessCodex
from runner.agents.events import (
    Cause,
    Event,
    FileChange,
    Finished,
    Limited,
    Message,
    NeedsInput,
    Retry,
    Started,
    ToolUse,
    Usage,
    line_of,
)  # fmt: skip
from runner.agents.protocol import Agent, Session
from runner.agents.scripted import ScriptedAgent, main, play
from runner.sessions.tally import Tally

SAMPLES = Path(__file__).parent / "samples"
AGENTS: list[Agent] = [
    HeadlessClaude(Path("/bin/claude"), {}),
    HeadlessCodex(Path("/bin/codex"), {}),
    ScriptedAgent({}),
]
TASK = "--dangerously-skip-permissions"
every_agent = pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.name)


def session(tmp_path: Path, max_cost_usd: float | None = None) -> Session:
    folders = (Path("/git/worktrees/x"), Path("/git/objects"))
    return Session(
        "11111111-2222-4333-8444-555555555555", TASK, tmp_path, tmp_path / "prompt.txt", folders, max_cost_usd
    )


def events_of(agent: Agent, lines: list[str]) -> list[Event]:
    return [event for line in lines for event in agent.parse(line)]


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
        (0, r'{"type": "assistant", "message": {"content": [{"type": "text", "text": "\ud83d"}]}}'),
        (1, r'{"type": "item.completed", "item": {"type": "agent_message", "text": "\ud83d"}}'),
    ],
)
def test_half_an_emoji_does_not_break_what_is_written_of_it(agent: int, line: str) -> None:
    assert AGENTS[agent].parse(line) == [Message("?")]


def test_claude_gets_an_allow_list_and_no_servers(tmp_path: Path) -> None:
    argv = AGENTS[0].command(session(tmp_path)).argv
    rules = argv[argv.index("--allowedTools") + 1].split(",")
    assert "Bash(git commit:*)" in rules
    assert all(rule.startswith("Bash(") and rule.endswith(":*)") for rule in rules)
    assert "--strict-mcp-config" in argv
    assert "--max-budget-usd" not in argv


def test_claude_is_told_the_most_it_may_cost(tmp_path: Path) -> None:
    argv = AGENTS[0].command(session(tmp_path, max_cost_usd=0.5)).argv
    assert argv[argv.index("--max-budget-usd") + 1] == "0.5"


def test_codex_may_write_its_worktree_and_the_folders_of_a_commit(tmp_path: Path) -> None:
    argv = AGENTS[1].command(session(tmp_path)).argv
    assert argv[argv.index("-C") + 1] == str(tmp_path)
    assert argv[-5:] == ("--add-dir", "/git/worktrees/x", "--add-dir", "/git/objects", "-")


def test_interactive_claude_cannot_take_the_task_for_an_option_or_a_subcommand(tmp_path: Path) -> None:
    argv = InteractiveClaude(Path("/bin/claude"), {}).command(session(tmp_path)).argv
    assert argv[-2:] == ("--", f" {TASK}")


def test_a_recorded_session_of_claude_is_understood() -> None:
    events = events_of(AGENTS[0], (SAMPLES / "claude.jsonl").read_text().splitlines())
    assert isinstance(events[0], Started)
    assert FileChange("/scratch/w/r1/made.txt") in events
    assert ToolUse("Bash", "git status --short") in events
    assert events[-3:] == [
        Message("All done: created made.txt, edited a.txt."),
        Usage(tokens=2694, cost_usd=0.009536, turns=5),
        Finished(ok=True, reason="completed"),
    ]


def test_a_recorded_session_of_codex_is_understood() -> None:
    events = events_of(AGENTS[1], (SAMPLES / "codex.jsonl").read_text().splitlines())
    assert events == [
        Started("01a202f5-d6a7-7ce1-83ea-06d494237600"),
        Message("I will patch."),
        FileChange("/scratch/w/r2/a.txt"),
        FileChange("/scratch/w/r2/made.txt"),
        Message("Run git."),
        ToolUse("shell", "/bin/bash -lc 'git status --short'"),
        Message("All done: created made.txt, edited a.txt."),
        Usage(tokens=1542),
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
    events = AGENTS[0].parse(json.dumps({"type": "result", **result}))
    assert isinstance(events[-1], Finished)
    assert (events[-1].ok, events[-1].reason) == (False, reason)


@pytest.mark.parametrize(
    ("agent", "line", "event"),
    [
        (
            0,
            {"type": "system", "subtype": "api_retry", "error": "overloaded", "error_status": 529},
            Retry("overloaded (HTTP 529)"),
        ),
        (
            0,
            {"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "Task", "input": {}}]}},
            ToolUse("Task", ""),
        ),
        (1, {"type": "error", "message": "Reconnecting... 1/5"}, Retry("Reconnecting... 1/5")),
        (1, {"type": "turn.failed", "error": {"message": "401"}}, Finished(ok=False, reason="401")),
        (
            1,
            {"type": "item.started", "item": {"type": "mcp_tool_call", "server": "m", "tool": "t"}},
            ToolUse("m.t", ""),
        ),
    ],
)
def test_what_else_the_programs_tell(agent: int, line: dict[str, object], event: Event) -> None:
    assert AGENTS[agent].parse(json.dumps(line)) == [event]


@pytest.mark.parametrize(
    "nothing", [{"type": "assistant", "message": {"content": [{"type": "thinking"}]}}, {"type": "user"}]
)
def test_claude_may_tell_nothing_of_interest(nothing: dict[str, object]) -> None:
    assert AGENTS[0].parse(json.dumps(nothing)) == []


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
    events = events_of(AGENTS[2], capsys.readouterr().out.splitlines())
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
    command = AGENTS[2].command(session(tmp_path))
    assert command.argv[0] == sys.executable
    with (tmp_path / "prompt.txt").open("rb") as prompt:
        done = subprocess.run(command.argv, cwd=tmp_path, stdin=prompt, capture_output=True, text=True, check=True)
    assert Message("hi") in events_of(AGENTS[2], done.stdout.splitlines())


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


def test_a_tally_keeps_the_last_of_everything() -> None:
    tally = Tally()
    for event in (
        Started("s"),
        Message("a"),
        Retry("x"),
        Usage(1),
        Finished(ok=False, reason="no"),
        Message("b"),
        Usage(2),
    ):
        tally.add(event)
    tally.add(Finished(ok=True, reason="completed"))
    assert (tally.session_id, tally.message, tally.usage, tally.retries) == ("s", "b", Usage(2), 1)
    assert tally.finished == Finished(ok=True, reason="completed")


@every_agent
def test_a_session_is_gone_on_with_under_the_program_s_own_id(agent: Agent, tmp_path: Path) -> None:
    argv, first = agent.resume(session(tmp_path), "its-own-id").argv, agent.command(session(tmp_path)).argv
    assert "its-own-id" in argv
    assert "resume" in argv or "--resume" in argv
    assert "its-own-id" not in first
    assert TASK not in argv


def test_claude_is_told_its_turns_and_a_conversation_of_its_own(tmp_path: Path) -> None:
    argv = AGENTS[0].command(replace(session(tmp_path), max_turns=7, conversation="new")).argv
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
    *_, finished = AGENTS[0].parse(json.dumps({"type": "result", "is_error": True, **result}))
    assert isinstance(finished, Finished)
    assert finished.cause is cause
    assert (finished.resets_at is not None) == (cause is Cause.USAGE_LIMIT)


@pytest.mark.parametrize(
    ("told", "events"), [({"status": "rejected", "resetsAt": 7}, [Limited(7)]), ({"status": "allowed_warning"}, [])]
)
def test_claude_tells_of_an_allowance_that_is_used_up(told: dict[str, object], events: list[Event]) -> None:
    assert AGENTS[0].parse(json.dumps({"type": "rate_limit_event", "rate_limit_info": told})) == events


def test_claude_tells_of_a_question_that_nobody_could_answer() -> None:
    denied = [
        {"tool_name": "AskUserQuestion", "tool_input": {"questions": [{"question": "A or B?"}]}},
        {"tool_name": "X"},
    ]
    line = {"type": "result", "is_error": False, "permission_denials": denied}
    assert NeedsInput("A or B?") in AGENTS[0].parse(json.dumps(line))
    assert line_of(NeedsInput("A or B?")) == "asks: A or B?"


def test_claude_s_tokens_are_those_of_the_whole_conversation() -> None:
    models = {"m": {"inputTokens": 200, "outputTokens": 40, "cacheReadInputTokens": 1, "costUSD": 1}}
    line = {"type": "result", "is_error": False, "usage": {"input_tokens": 3}, "modelUsage": models}
    assert AGENTS[0].parse(json.dumps(line))[0] == Usage(tokens=241)


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("You\u2019ve hit your usage limit. Upgrade to Pro or try again at 11:54 AM.", Cause.USAGE_LIMIT),
        ("exceeded retry limit, last status: 429 Too Many Requests", Cause.OVERLOADED),
        ("unexpected status 529 <unknown status code>: busy, url: http://x", Cause.OVERLOADED),
        ("stream disconnected before completion", Cause.OVERLOADED),
        ("unexpected status 400 Bad Request", Cause.OTHER),
    ],
)
def test_codex_says_why_it_gave_up(message: str, cause: Cause) -> None:
    (finished,) = AGENTS[1].parse(json.dumps({"type": "turn.failed", "error": {"message": message}}))
    assert isinstance(finished, Finished)
    assert (finished.cause, finished.resets_at is not None) == (cause, cause is Cause.USAGE_LIMIT)


@pytest.mark.parametrize(
    ("steps", "cause"), [('[{"limit": 9}]', "usage_limit"), ('[{"overload": "busy"}]', "overloaded")]
)
def test_the_scripted_agent_has_trouble_with_its_provider_where_told(
    steps: str, cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(steps) == 1
    finished = events_of(AGENTS[2], capsys.readouterr().out.splitlines())[-1]
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
    events = events_of(AGENTS[2], capsys.readouterr().out.splitlines())
    assert [event.text for event in events if isinstance(event, Message)] == ["one", "two"]
    assert events[-1] == Finished(ok=False, reason="no conversation lost", cause=Cause.UNKNOWN_SESSION)


def test_a_tally_adds_conversations_and_replaces_within_one() -> None:
    tally = Tally()
    for event in (
        Usage(5, 0.5, 1),
        Usage(7, 0.7, 2),
        Finished(ok=False, reason="x", cause=Cause.OVERLOADED),
        Limited(9),
    ):
        tally.add(event)
    tally.begin(resumed=False)
    assert (tally.finished, tally.limited, tally.overloads) == (None, None, 1)
    tally.add(Usage(1, 0.25, 1))
    tally.add(NeedsInput("?"))
    assert (tally.usage, tally.turns, tally.question) == (Usage(8, 0.95, 3), 3, "?")
    tally.add(FileChange("a"))
    assert (tally.steps, tally.overloads) == (1, 0)
    tally.begin(resumed=False)
    tally.add(Usage(1))
    assert tally.usage == Usage(9)
