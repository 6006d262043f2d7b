"""Claude Code: headless by `claude -p`, and interactive in the user's terminal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.agents.jsonl import number, objects, part, read_object, text
from runner.agents.protocol import Session
from runner.agents.tools import NAME, claude_config
from runner.events import Event, FileChange, Finished, Message, Retry, Started, ToolUse, Usage
from runner.process import Command

ALLOWED = (
    *(f"git {verb}" for verb in ("status", "diff", "log", "show", "add", "commit", "mv", "rm", "restore")),
    *("pytest", "python -m pytest", "tox", "nox", "uv run pytest", "ruff", "mypy"),
    *("npm test", "npm run test", "pnpm test", "yarn test", "npx vitest", "npx jest", "npx tsc"),
    *("cargo test", "cargo check", "cargo build", "go test", "go build", "go vet"),
    *("make test", "make check", "make lint", "mvn test", "gradle test", "dotnet test", "bundle exec rspec"),
)
"""Commands that run unasked: reading and committing in the worktree, and the common test runners."""
_WRITING_TOOLS = {"Write": "file_path", "Edit": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path"}
_TELLING_INPUTS = ("command", "file_path", "pattern", "description", "query", "url")


@dataclass(frozen=True)
class HeadlessClaude:
    """`claude -p`: works alone, edits inside its folder and runs the commands in `ALLOWED`."""

    program: Path
    env: Mapping[str, str] = field(repr=False)
    name = "claude"
    reports_cost = True

    def command(self, session: Session) -> Command:
        """Return the command; Claude takes the task from its input and `session.id` as its own id."""
        tools = ("--mcp-config", claude_config(session)) if session.tools else ()
        own = (f"mcp__{NAME}",) if session.tools else ()
        rules = ",".join((*(f"Bash({command}:*)" for command in ALLOWED), *own))
        budget = () if session.max_cost_usd is None else ("--max-budget-usd", f"{session.max_cost_usd:g}")
        argv = (
            *(str(self.program), "-p", "--output-format", "stream-json", "--verbose"),
            *("--session-id", session.id, "--permission-mode", "acceptEdits"),
            *("--allowedTools", rules, *tools, "--strict-mcp-config", *budget),
        )
        # A command moved to the background would outlive the answer, which is then not the last one.
        env = {**self.env, **session.env, "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1"}
        return Command(argv, session.cwd, env, session.prompt)

    def parse(self, line: str) -> list[Event]:
        """Return what a line of `stream-json` tells."""
        event = read_object(line)
        match event.get("type"), event.get("subtype"):
            case "system", "init":
                return [Started(text(event.get("session_id", "")))]
            case "system", "api_retry":
                return [Retry(f"{event.get('error')} (HTTP {event.get('error_status')})")]
            case "assistant", _:
                return _blocks(objects(part(event, "message"), "content"))
            case "result", _:
                return _result(event)
            case _:
                return []


@dataclass(frozen=True)
class InteractiveClaude:
    """`claude` in the terminal, where a person sits with it."""

    program: Path
    env: Mapping[str, str] = field(repr=False)
    name = "claude"

    def command(self, session: Session) -> Command:
        """Return the command; permissions are the user's own settings, for the user is there to ask."""
        # The space: alone, a word such as `doctor` or `update` would be a subcommand, `--` or not.
        tools = ("--mcp-config", claude_config(session), "--allowedTools", f"mcp__{NAME}") if session.tools else ()
        argv = (str(self.program), "--session-id", session.id, *tools, "--", f" {session.task}")
        return Command(argv, session.cwd, {**self.env, **session.env})


def _blocks(blocks: list[dict[str, Any]]) -> list[Event]:
    events: list[Event] = []
    for block in blocks:
        if block.get("type") == "text":
            events.append(Message(text(block.get("text", ""))))
        elif block.get("type") == "tool_use":
            events.append(_tool(text(block.get("name")), part(block, "input")))
    return events


def _tool(name: str, given: dict[str, Any]) -> Event:
    if name in _WRITING_TOOLS:
        return FileChange(text(given.get(_WRITING_TOOLS[name], "")))
    return ToolUse(name, next((text(given[key]) for key in _TELLING_INPUTS if key in given), ""))


def _result(event: dict[str, Any]) -> list[Event]:
    """Judge by `is_error`, never by `subtype`: a failed request comes as `success` with `is_error`."""
    usage = part(event, "usage")
    counts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    tokens = int(sum(number(usage, count) or 0 for count in counts))
    turns, failed = number(event, "num_turns"), event.get("is_error") is not False
    errors = event.get("errors") or []
    reason = event.get("result") or "; ".join(map(text, errors)) or event.get("terminal_reason") or event.get("subtype")
    return [
        Usage(tokens, number(event, "total_cost_usd"), None if turns is None else int(turns)),
        Finished(not failed, text(reason) if failed else "completed"),
    ]
