"""Claude Code: headless by `claude -p`, and interactive in the user's terminal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

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
)
from runner.agents.jsonl import number, objects, part, read_object, text
from runner.agents.protocol import Session
from runner.agents.resets import read_reset
from runner.agents.tools import NAME, claude_config
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
_CAUSES = {
    **dict.fromkeys(("budget_exhausted", "error_max_budget_usd", "max_turns", "error_max_turns"), Cause.BUDGET),
    **dict.fromkeys(("aborted_tools", "aborted_streaming"), Cause.ABORTED),
}
_USED_UP = re.compile(
    r"usage limit reached|hit your .{0,20}limit|limit reached.{0,20}resets|out of .{0,20}usage", re.IGNORECASE
)
_TELLING_INPUTS = ("command", "file_path", "pattern", "description", "query", "url")


@dataclass(frozen=True)
class HeadlessClaude:
    """`claude -p`: works alone, edits inside its folder and runs the commands in `ALLOWED`."""

    program: Path
    env: Mapping[str, str] = field(repr=False)
    name = "claude"
    reports_cost = True
    limits_turns = True

    def command(self, session: Session) -> Command:
        """Return the command; Claude takes the task from its input, and its own id from us."""
        return self._command(session, "--session-id", session.conversation or session.id)

    def resume(self, session: Session, vendor_id: str) -> Command:
        """Return the command that goes on with the conversation `vendor_id`."""
        return self._command(session, "--resume", vendor_id)

    def _command(self, session: Session, *which: str) -> Command:
        tools = ("--mcp-config", claude_config(session)) if session.tools else ()
        own = (f"mcp__{NAME}",) if session.tools else ()
        rules = ",".join((*(f"Bash({command}:*)" for command in ALLOWED), *own))
        budget = () if session.max_cost_usd is None else ("--max-budget-usd", f"{session.max_cost_usd:g}")
        turns = () if session.max_turns is None else ("--max-turns", str(session.max_turns))
        argv = (
            *(str(self.program), "-p", "--output-format", "stream-json", "--verbose"),
            *(*which, "--permission-mode", "acceptEdits"),
            *("--allowedTools", rules, *tools, "--strict-mcp-config", *budget, *turns),
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
            case "rate_limit_event", _:
                return _limit(event)
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
        brief = ("--append-system-prompt-file", str(session.brief)) if session.brief else ()
        argv = (str(self.program), "--session-id", session.id, *brief, *tools, "--", f" {session.task}")
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
    turns, failed = number(event, "num_turns"), event.get("is_error") is not False
    errors = event.get("errors") or []
    reason = event.get("result") or "; ".join(map(text, errors)) or event.get("terminal_reason") or event.get("subtype")
    used = Usage(_tokens(event), number(event, "total_cost_usd"), None if turns is None else int(turns))
    if not failed:
        return [used, *_questions(event), Finished(ok=True, reason="completed")]
    cause = _cause(event, text(reason))
    resets_at = read_reset(text(reason), datetime.now().astimezone()) if cause is Cause.USAGE_LIMIT else None
    return [used, Finished(ok=False, reason=text(reason), cause=cause, resets_at=resets_at)]


def _tokens(event: dict[str, Any]) -> int:
    """All tokens of the conversation: `modelUsage` counts from its beginning, `usage` since it was resumed."""
    models = [one for one in part(event, "modelUsage").values() if isinstance(one, dict)]
    counts = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "outputTokens")
    if models:
        return int(sum(number(one, count) or 0 for one in models for count in counts))
    counts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    return int(sum(number(part(event, "usage"), count) or 0 for count in counts))


def _questions(event: dict[str, Any]) -> list[Event]:
    """Questions that could not be asked, for nobody was there."""
    denied = objects(event, "permission_denials")
    asked = [part(one, "tool_input") for one in denied if one.get("tool_name") == "AskUserQuestion"]
    return [NeedsInput(text(one.get("question", ""))) for given in asked for one in objects(given, "questions")]


def _cause(event: dict[str, Any], reason: str) -> Cause:
    status, ending = number(event, "api_error_status"), text(event.get("terminal_reason") or event.get("subtype"))
    cause = _CAUSES.get(ending) or _CAUSES.get(text(event.get("subtype"))) or Cause.OTHER
    if "No conversation found" in reason:
        cause = Cause.UNKNOWN_SESSION
    elif _USED_UP.search(reason):
        cause = Cause.USAGE_LIMIT
    elif ending == "api_error" and (status is None or status == 429 or status >= 500):
        cause = Cause.OVERLOADED
    return cause


def _limit(event: dict[str, Any]) -> list[Event]:
    told = part(event, "rate_limit_info")
    return [Limited(number(told, "resetsAt"))] if told.get("status") == "rejected" else []
