"""The requests that the provider has seen, for tests to assert on."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from runner.provider.conversation import Conversation
from runner.provider.cue import Cue


@dataclass
class Entry:
    """One request; times are Unix seconds."""

    protocol: str
    session_id: str
    prompt: str
    script: str
    step: int
    status: int
    started_at: float
    ended_at: float | None
    """None while the answer is under way."""
    body: dict[str, Any] = field(repr=False)


class Journal:
    """All requests since the start, in the order in which they came."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def begin(self, conversation: Conversation, cue: Cue, body: dict[str, Any]) -> Entry:
        """Note a request; who answers it sets `status` and `ended_at`."""
        entry = Entry(
            protocol=conversation.protocol,
            session_id=conversation.session_id,
            prompt=conversation.prompt,
            script=cue.script,
            step=cue.index,
            status=200,
            started_at=time.time(),
            ended_at=None,
            body=body,
        )
        self.entries.append(entry)
        return entry

    def failures(self, entry: Entry) -> int:
        """Return how often this session was refused this step before."""
        return sum(_place(other) == _place(entry) and other.status >= 400 for other in self.entries)

    def rows(self, *, bodies: bool) -> Iterator[dict[str, Any]]:
        """Yield the entries as JSON objects, with the requests' bodies where asked for."""
        for entry in self.entries:
            row = asdict(entry)
            if not bodies:
                del row["body"]
            yield row


def _place(entry: Entry) -> tuple[str, str, int]:
    return entry.session_id, entry.script, entry.step
