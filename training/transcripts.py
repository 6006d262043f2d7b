"""The user's own Claude Code transcripts and Codex rollouts, as sessions of human prompts. Only reads."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from router.labels import Platform

INTERRUPTED = "[Request interrupted"
_MACHINE = re.compile(r"\s*(<[a-z][\w-]*[ >]|Caveat: |# AGENTS\.md|This session is being continued from)")
"""Beginnings of texts that a program put in the user's mouth: command output, reminders, environment, summaries."""


@dataclass
class Session:
    """One conversation: what the human typed, and how it went."""

    platform: str
    """The program it ran in: `claude-code` or `codex`."""
    path: Path
    headless: bool = False
    """True where no person sat at it: `claude -p`, an SDK, `codex exec`."""
    interrupted: bool = False
    failed: bool = False
    prompts: list[str] = field(default_factory=list)


def claude_sessions(home: Path) -> Iterator[Session]:
    """Every session under `home/projects`, subagents left out; those without a human prompt too."""
    for path in sorted((home / "projects").rglob("*.jsonl")):
        if "subagents" in path.parts or path.name.startswith("agent-"):
            continue
        session = Session(Platform.CLAUDE_CODE, path)
        for line in _lines(path):
            _claude_line(session, line)
        if session.prompts:
            yield session


def codex_sessions(home: Path) -> Iterator[Session]:
    """Every session under `home/sessions`; those without a human prompt are left out."""
    for path in sorted((home / "sessions").rglob("rollout-*.jsonl")):
        session, raw = Session(Platform.CODEX, path), list[str]()
        for line in _lines(path):
            _codex_line(session, line, raw)
        session.prompts = session.prompts or raw  # older rollouts hold prompts only among the model's messages
        if session.prompts:
            yield session


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file; its last line may be half written while the session runs."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                item = json.loads(line)
            except ValueError:
                continue
            if isinstance(item, dict):
                yield item


def _claude_line(session: Session, line: dict[str, Any]) -> None:
    if line.get("isSidechain"):
        return
    if str(line.get("entrypoint", "")).startswith("sdk"):
        session.headless = True
    kind, message = line.get("type"), line.get("message")
    if kind == "assistant" and isinstance(message, dict):
        session.failed = message.get("model") == "<synthetic>"
    made = any(line.get(mark) for mark in ("isMeta", "isCompactSummary", "sourceToolAssistantUUID"))
    if kind == "user" and isinstance(message, dict) and not made:
        _add(session, _text(message.get("content")))


def _codex_line(session: Session, line: dict[str, Any], raw: list[str]) -> None:
    payload = line.get("payload")
    body = payload if isinstance(payload, dict) else line
    kind, item = body.get("type"), body.get("item")
    if line.get("type") == "session_meta":
        session.headless = body.get("source") == "exec"
    elif kind == "item_completed" and isinstance(item, dict) and item.get("type") == "UserMessage":
        _add(session, _text(item.get("content")))
    elif kind == "user_message":
        _add(session, str(body.get("message") or ""))
    elif kind == "turn_aborted":
        session.interrupted = True
    elif kind == "task_complete":
        session.failed = bool(body.get("error"))
    elif kind == "message" and body.get("role") == "user":
        text = _text(body.get("content"))
        if text.strip() and not _MACHINE.match(text):
            raw.append(text)


def _add(session: Session, text: str) -> None:
    text = text.encode("utf-8", "replace").decode()  # half a character is no text that could be routed
    if text.startswith(INTERRUPTED):
        session.interrupted = True
    elif text.strip() and not _MACHINE.match(text):
        session.prompts.append(text)


def _text(content: Any) -> str:
    """The text of a message; empty for a tool's result."""
    if isinstance(content, str):
        return content
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    if any(block.get("type") == "tool_result" for block in blocks):
        return ""
    return "\n".join(str(block["text"]) for block in blocks if block.get("text"))
