"""One suite for all agents: a safe command, and output that is understood."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runner.agents.claude import HeadlessClaude, InteractiveClaude
from runner.agents.codex import HeadlessCodex
from runner.agents.protocol import Agent, Session
from runner.agents.scripted import ScriptedAgent, play
from runner.events import Event, FileChange, Finished, Message, Retry, Started, ToolUse, Usage, line_of
from runner.tally import Tally

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
