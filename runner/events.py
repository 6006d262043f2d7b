"""What an agent tells while it works, in one vocabulary for all programs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Started:
    """The session is open; `session_id` is the program's own name for it, by which it can be resumed."""

    session_id: str


@dataclass(frozen=True)
class Message:
    """The agent says something to the user."""

    text: str


@dataclass(frozen=True)
class ToolUse:
    """The agent uses a tool; `detail` is the command or the file."""

    name: str
    detail: str


@dataclass(frozen=True)
class FileChange:
    """The agent writes a file."""

    path: str


@dataclass(frozen=True)
class Retry:
    """The model did not answer as it should and is asked again."""

    reason: str


@dataclass(frozen=True)
class Usage:
    """What the session has used up to now; a later one replaces an earlier."""

    tokens: int
    """Input, cached or not, plus output."""
    cost_usd: float | None = None
    """None where the program tells no cost."""
    turns: int | None = None


@dataclass(frozen=True)
class Finished:
    """The agent's own verdict on its work; a session may give several, the last one counts."""

    ok: bool
    reason: str


Event = Started | Message | ToolUse | FileChange | Retry | Usage | Finished


@dataclass
class Tally:
    """What remains of a session's events."""

    session_id: str | None = None
    message: str = ""
    """The last thing said."""
    usage: Usage | None = None
    finished: Finished | None = None
    retries: int = 0

    def add(self, event: Event) -> None:
        """Take one more event in."""
        match event:
            case Started(session_id):
                self.session_id = session_id
            case Message(text):
                self.message = text
            case Usage():
                self.usage = event
            case Finished():
                self.finished = event
            case Retry():
                self.retries += 1


def line_of(event: Event) -> str:
    """Say an event in one line for people; empty where it has nothing to say to them."""
    match event:
        case Message(text):
            return one_line(text)
        case ToolUse(name, detail):
            return one_line(f"{name}: {detail}" if detail else name)
        case FileChange(path):
            return one_line(f"writes {path}")
        case Retry(reason):
            return one_line(f"tries again: {reason}")
        case Finished(False, reason):
            return one_line(f"failed: {reason}")
        case _:
            return ""


def one_line(text: str) -> str:
    """Keep what an agent says from moving the cursor or more: only what can be printed stays."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
