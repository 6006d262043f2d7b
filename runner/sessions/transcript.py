"""What Claude Code wrote down of a session that a person had: its transcript, tokens and cost. Only reads.

$CLAUDE_CONFIG_DIR/projects/<folder>/<session>.jsonl                     every message, and what it cost up to then
                                     <session>/subagents/agent-*.jsonl   those of its subagents
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.agents.claude import HeadlessClaude
from runner.agents.events import Message
from runner.agents.jsonl import number, part, read_object
from runner.sessions.eventlog import EventLog
from runner.storage import write_whole

_COUNTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
_TOLD = frozenset({"user", "assistant"})


@dataclass(frozen=True)
class Transcript:
    """A session as its transcript tells it."""

    path: Path
    message: str
    """The last thing said; empty where nothing was."""
    tokens: int
    """Of all answers, those of subagents too."""
    turns: int
    """Answers of the model, without those of subagents."""
    cost_usd: float | None
    """As Claude itself reckons it; None where it didn't, or did not know every price."""

    def keep(self, folder: Path) -> None:
        """Copy what was said and done into a session's folder, as output and as events; raises as writing does."""
        lines = [line for line in _lines(self.path) if read_object(line).get("type") in _TOLD]
        write_whole(folder / "output.jsonl", "".join(f"{line}\n" for line in lines))
        write_whole(folder / "stderr.txt", "")
        EventLog(folder, _READER).follow(last=True)


_READER = HeadlessClaude(Path("claude"), {})


def read_transcript(session_id: str, environ: Mapping[str, str]) -> Transcript | None:
    """Find the transcript of a session that ran in `environ`; None where there is none."""
    home = environ.get("CLAUDE_CONFIG_DIR") or Path(environ.get("HOME") or Path.home()) / ".claude"
    try:
        path = next(iter(sorted(Path(home, "projects").glob(f"*/{session_id}.jsonl"))))
        entries = [read_object(line) for line in _lines(path)]
        subagents = [read_object(line) for file in _subagents(path) for line in _lines(file)]
    except (OSError, StopIteration):
        return None
    used = _used(entries)
    return Transcript(path, _last_message(path), sum((used | _used(subagents)).values()), len(used), _cost(entries))


def _subagents(path: Path) -> list[Path]:
    return sorted(path.with_suffix("").glob("subagents/agent-*.jsonl"))


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        yield from (line.rstrip("\n") for line in lines)


def _used(entries: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Tokens of each answer; it is written once for every block that it has, each time with all its tokens."""
    used: dict[str, int] = {}
    for entry in entries:
        message = part(entry, "message")
        if entry.get("type") == "assistant" and message.get("model") != "<synthetic>" and message.get("id"):
            usage = part(message, "usage")
            used[str(message["id"])] = int(sum(number(usage, count) or 0 for count in _COUNTS))
    return used


def _cost(entries: Iterable[dict[str, Any]]) -> float | None:
    cost = None
    for entry in entries:
        if entry.get("type") == "cost-state":
            cost = None if entry.get("hasUnknownModelCost") else number(entry, "totalCostUSD")
    return cost


def _last_message(path: Path) -> str:
    said = ""
    for line in _lines(path):
        for event in _READER.parse(line):
            if isinstance(event, Message) and event.text.strip():
                said = event.text
    return said
