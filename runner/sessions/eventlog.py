"""A session's events as lines of JSON, written by whoever follows it, each event once, through any crash.

    {"time": "2026-11-24T09:00:00.123+00:00", "attempt": 1, "event": "message", "text": "Done.", "read": 812}

`event` is one of `attempt`, `started`, `message`, `tool`, `file_change`, `retry`, `usage`, `limited`, `needs_input` and
`finished`. `read` is how much of `output.jsonl` has been read with it: whoever follows next goes on there.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
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
from runner.agents.protocol import Agent
from runner.sessions.attempt import Attempt
from runner.sessions.tail import Tail
from runner.sessions.tally import Tally

KINDS: dict[str, type[Event]] = {
    "started": Started, "message": Message, "tool": ToolUse, "file_change": FileChange, "retry": Retry,
    "usage": Usage, "limited": Limited, "needs_input": NeedsInput, "finished": Finished,
}  # fmt: skip
NAMES = {kind: name for name, kind in KINDS.items()}
LONGEST_TEXT = 100_000
"""Characters kept of one thing that an agent says or does."""


class EventLog:
    """The events of one session, up to where they are read."""

    def __init__(self, folder: Path, agent: Agent) -> None:
        """Take up what was written before; raises `OSError` where it can't be read."""
        self.path, self._agent = folder / "events.jsonl", agent
        self.tally, self.attempt = Tally(), 0
        self._writable = True
        self._tail = Tail(folder / "output.jsonl", self._take_up())

    def begin(self, attempt: Attempt) -> None:
        """Events of `attempt` follow."""
        if attempt.number > self.attempt:
            self.attempt = attempt.number
            self.tally.begin(resumed=attempt.resumed)
            self._write([self._line("attempt", {"resumed": attempt.resumed}, self._tail.offset)])

    def follow(self, *, last: bool = False) -> tuple[list[Event], bool]:
        """Return the events that came since, and whether anything was printed; with `last`, half a line counts too."""
        if not self._tail.path.exists():
            return [], False
        lines, came = self._tail.read_placed()
        lines += self._tail.read_last() if last and not came else []
        found = [(place, _cut(event)) for place, line in lines for event in self._agent.parse(line)]
        for _, event in found:
            self.tally.add(event)
        self._write(self._lines(found))
        return [event for _, event in found], came

    def _lines(self, found: list[tuple[int, Event]]) -> Iterator[str]:
        for number, (place, event) in enumerate(found):
            complete = number + 1 == len(found) or found[number + 1][0] != place
            yield self._line(NAMES[type(event)], asdict(event), place if complete else None)

    def _line(self, name: str, facts: dict[str, Any], read: int | None) -> str:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "attempt": self.attempt, "event": name, **facts}
        return json.dumps(line if read is None else {**line, "read": read}) + "\n"

    def _write(self, lines: Iterable[str]) -> None:
        """Append; on a full disk the session goes on without, and who follows next reads the output again."""
        text = "".join(lines)
        if not text or not self._writable:
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            self._writable = False

    def _take_up(self) -> int:
        """Read what was written, cut off what is not whole, and return how much of the output that was."""
        if not self.path.exists():
            return 0
        read = kept = place = 0
        pending: list[dict[str, Any]] = []
        with self.path.open("r+b") as file:
            for line in file:
                place += len(line)
                facts = _parsed(line)
                if facts is None:
                    break
                pending.append(facts)
                if "read" in facts:
                    read, kept = facts["read"], place
                    self._replay(pending)
                    pending = []
            file.truncate(kept)
        return read

    def _replay(self, lines: list[dict[str, Any]]) -> None:
        for facts in lines:
            self.attempt = facts["attempt"]
            if facts["event"] == "attempt":
                self.tally.begin(resumed=facts["resumed"])
            elif (event := read_event(facts)) is not None:
                self.tally.add(event)


def read_event(facts: dict[str, Any]) -> Event | None:
    """Return the event of a line of `events.jsonl`; None where it is none."""
    kind = KINDS.get(str(facts.get("event")))
    given = {name: value for name, value in facts.items() if name not in {"time", "attempt", "event", "read"}}
    try:
        event = kind(**given) if kind else None
        return replace(event, cause=Cause(event.cause)) if isinstance(event, Finished) else event
    except (TypeError, ValueError):
        return None


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        facts = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return facts if isinstance(facts, dict) and "attempt" in facts else None


def _cut(event: Event) -> Event:
    match event:
        case Message(text) if len(text) > LONGEST_TEXT:
            return Message(text[:LONGEST_TEXT])
        case ToolUse(name, detail) if len(detail) > LONGEST_TEXT:
            return ToolUse(name, detail[:LONGEST_TEXT])
        case _:
            return event
