"""What a program has sent: the turns so far and how it wants the next one, read from either protocol."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Body = dict[str, Any]

_CWD = re.compile(r"(?:Primary working directory: |<cwd>)([^\n<]+)")
# What Claude Code puts in the model's mouth where a conversation is resumed that was cut off.
_FILLER = "No response requested."
# How texts begin that the programs add in the user's name: no task must be looked for in them.
_ADDED = ("<system-reminder>", "<environment_context>", "<user_instructions>", "# AGENTS.md instructions")
# How Codex marks the thread that finds a title: in code mode that has tools too.
_TITLE = '"thread_source":"thread_title"'
_MODEL_ITEMS = {"function_call", "custom_tool_call", "reasoning", "local_shell_call", "tool_search_call"}


@dataclass(frozen=True)
class Turn:
    """Something said: by the user, by the model, by a tool as its result, or by the program itself."""

    who: Literal["user", "model", "tool", "program"]
    text: str


@dataclass(frozen=True)
class Conversation:
    """One request for the model's next turn."""

    protocol: Literal["anthropic", "openai"]
    session_id: str
    model: str
    turns: tuple[Turn, ...]
    is_side_call: bool
    """True where only a text is wanted, such as a title for the session."""
    code_mode: bool = False
    """True where the program acts only through JavaScript for its one tool `exec`."""

    @property
    def prompt(self) -> str:
        """What the user said last."""
        return self._newest("user")

    @property
    def result(self) -> str:
        """What the newest action brought."""
        return self._newest("tool")

    @property
    def cwd(self) -> str:
        """The working directory that the program names, or an empty text."""
        named = [name for turn in self.turns if turn.who == "program" for name in _CWD.findall(turn.text)]
        return str(named[-1]).strip() if named else ""

    def _newest(self, who: str) -> str:
        return next((turn.text for turn in reversed(self.turns) if turn.who == who), "")


def from_anthropic(body: Body, headers: Mapping[str, str]) -> Conversation:
    """Read a request of the Messages API."""
    return Conversation(
        protocol="anthropic",
        session_id=headers.get("x-claude-code-session-id", ""),
        model=body.get("model", ""),
        turns=tuple(_anthropic_turns(body)),
        is_side_call=not body.get("tools"),
    )


def from_openai(body: Body, headers: Mapping[str, str]) -> Conversation:
    """Read a request of the Responses API."""
    given = body.get("input", "")
    items = given if isinstance(given, list) else [{"role": "user", "content": given}]
    code_mode = any(item.get("type") == "additional_tools" for item in items)
    return Conversation(
        protocol="openai",
        session_id=headers.get("session-id", ""),
        model=body.get("model", ""),
        turns=tuple(_openai_turns(items)),
        is_side_call=not (code_mode or body.get("tools")) or _TITLE in str(body.get("client_metadata")),
        code_mode=code_mode,
    )


def _anthropic_turns(body: Body) -> Iterator[Turn]:
    yield Turn("program", _text(body.get("system")))
    for message in body.get("messages", []):
        match message["role"]:
            case "assistant":
                said = _text(message["content"])
                yield Turn("program" if said == _FILLER else "model", said)
            case "user":
                yield from _user_turns(message["content"])
            case _:
                yield Turn("program", _text(message["content"]))


def _openai_turns(items: list[Body]) -> Iterator[Turn]:
    in_answer = False
    for item in items:
        role = item.get("role")
        is_answer = role == "assistant" or item.get("type") in _MODEL_ITEMS
        if is_answer and not in_answer:  # all items of one answer are one turn
            yield Turn("model", _text(item))
        elif item.get("type", "").endswith("_output"):
            # Before the output itself come the program's own remarks, such as the exit code.
            yield Turn("tool", _text(item).rpartition("Output:\n")[2].strip())
        elif role == "user":
            yield from _user_turns(item.get("content"))
        in_answer = is_answer


def _user_turns(content: Any) -> Iterator[Turn]:
    for block in content if isinstance(content, list) else [content]:
        text = _text(block)
        if isinstance(block, dict) and block.get("type") == "tool_result":
            yield Turn("tool", text)
        else:
            yield Turn("program" if text.lstrip().startswith(_ADDED) else "user", text)


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(_text(part) for part in content)
    if isinstance(content, dict):
        return _text(content.get("text") or content.get("content") or content.get("output"))
    return content if isinstance(content, str) else ""
