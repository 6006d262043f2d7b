"""Codex, headless by `codex exec`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.agents.jsonl import number, objects, part, read_object, text
from runner.agents.protocol import Session
from runner.agents.tools import codex_options
from runner.events import Event, FileChange, Finished, Message, Retry, Started, ToolUse, Usage
from runner.process import Command


@dataclass(frozen=True)
class HeadlessCodex:
    """`codex exec`: works alone in a sandbox that can write its folder and make commits there, no more."""

    program: Path
    env: Mapping[str, str] = field(repr=False)
    name = "codex"
    reports_cost = False

    def command(self, session: Session) -> Command:
        """Return the command; `-` makes Codex take the task from its input."""
        writable = [word for folder in session.git_folders for word in ("--add-dir", str(folder))]
        argv = (
            *(str(self.program), "exec", "--json", "-s", "workspace-write", "-C", str(session.cwd)),
            *("--skip-git-repo-check", *writable, *codex_options(session), "-"),
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
                return [Finished(ok=False, reason=text(part(event, "error").get("message", "")))]
            case _:
                return []


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
