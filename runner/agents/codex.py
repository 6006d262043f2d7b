"""Codex, headless by `codex exec`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from runner.agents.events import Cause, Event, FileChange, Finished, Message, Retry, Started, ToolUse, Usage
from runner.agents.jsonl import number, objects, part, read_object, text
from runner.agents.protocol import Session
from runner.agents.resets import read_reset
from runner.agents.tools import codex_options
from runner.process import Command

_NO_ANSWER = re.compile(
    r"status:? (?:429|5\d\d)|stream disconnected|error sending request|idle timeout|timed out|connection", re.IGNORECASE
)


@dataclass(frozen=True)
class HeadlessCodex:
    """`codex exec`: works alone in a sandbox that can write its folder and make commits there, no more."""

    program: Path
    env: Mapping[str, str] = field(repr=False)
    name = "codex"
    reports_cost = False
    limits_turns = False

    def command(self, session: Session) -> Command:
        """Return the command; `-` makes Codex take the task from its input."""
        return self._command(session, "-")

    def resume(self, session: Session, vendor_id: str) -> Command:
        """Return the command that goes on with the thread `vendor_id`."""
        return self._command(session, "resume", vendor_id, "-")

    def _command(self, session: Session, *what: str) -> Command:
        writable = [word for folder in session.git_folders for word in ("--add-dir", str(folder))]
        argv = (
            *(str(self.program), "exec", "--json", "-s", "workspace-write", "-C", str(session.cwd)),
            *("--skip-git-repo-check", *writable, *codex_options(session), *what),
        )
        return Command(argv, session.cwd, {**self.env, **session.env}, session.prompt)

    def parse(self, line: str) -> list[Event]:
        """Return what a line of `--json` tells."""
        event = read_object(line)
        match event.get("type"):
            case "thread.started":
                return [Started(text(event.get("thread_id", "")))]
            case "item.started" | "item.completed" as when:
                return _item(part(event, "item"), done=when == "item.completed")
            case "error":
                return [Retry(text(event.get("message", "")))]
            case "turn.completed":
                usage = part(event, "usage")
                tokens = sum(number(usage, count) or 0 for count in ("input_tokens", "output_tokens"))
                return [Usage(int(tokens)), Finished(ok=True, reason="completed")]
            case "turn.failed":
                return [_failure(text(part(event, "error").get("message", "")))]
            case _:
                return []


def _failure(reason: str) -> Finished:
    """Codex tells causes in its sentences only; they are its own, no tool's result is among them."""
    if "usage limit" in reason:
        at = read_reset(reason, datetime.now().astimezone())
        return Finished(ok=False, reason=reason, cause=Cause.USAGE_LIMIT, resets_at=at)
    return Finished(ok=False, reason=reason, cause=Cause.OVERLOADED if _NO_ANSWER.search(reason) else Cause.OTHER)


def _item(item: dict[str, Any], *, done: bool) -> list[Event]:
    """A tool is told when it starts, for it may take long; what is said or changed, when it is complete."""
    match item.get("type"), done:
        case "agent_message", True:
            return [Message(text(item.get("text", "")))]
        case "file_change", True:
            return [FileChange(text(change.get("path"))) for change in objects(item, "changes")]
        case "command_execution", False:
            return [ToolUse("shell", text(item.get("command", "")))]
        case "mcp_tool_call", False:
            return [ToolUse(f"{item.get('server')}.{item.get('tool')}", "")]
        case _:
            return []
