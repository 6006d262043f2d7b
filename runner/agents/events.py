"""What an agent tells while it works, in one vocabulary for all programs."""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why an agent gave up, where the program says so in a field of its own."""

    OTHER = ""
    BUDGET = "budget"
    """It used up the turns or the money that it was allowed."""
    USAGE_LIMIT = "usage_limit"
    """The account's allowance is used up, until a certain time."""
    OVERLOADED = "overloaded"
    """The provider did not answer, or asks to come again later; the program has tried more than once."""
    ABORTED = "aborted"
    """Somebody interrupted it."""
    UNKNOWN_SESSION = "unknown_session"
    """It was to go on with a conversation that it does not know."""


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
class Limited:
    """The account's allowance is used up until `resets_at`, in seconds since 1970; None where nobody says."""

    resets_at: float | None = None


@dataclass(frozen=True)
class NeedsInput:
    """The agent asks the user something and can't go on without an answer."""

    question: str


@dataclass(frozen=True)
class Finished:
    """The agent's own verdict on its work; a session may give several, the last one counts."""

    ok: bool
    reason: str
    cause: Cause = Cause.OTHER
    resets_at: float | None = None
    """When it may go on, in seconds since 1970, where it was told."""


Event = Started | Message | ToolUse | FileChange | Retry | Usage | Limited | NeedsInput | Finished


def line_of(event: Event) -> str:
    """Say an event in one line for people; empty where it has nothing to say to them."""
    said = ""
    match event:
        case Message(text):
            said = text
        case ToolUse(name, detail):
            said = f"{name}: {detail}" if detail else name
        case FileChange(path):
            said = f"writes {path}"
        case Retry(reason):
            said = f"tries again: {reason}"
        case NeedsInput(question):
            said = f"asks: {question}"
        case Finished(False, reason):
            said = f"failed: {reason}"
    return one_line(said)


def one_line(text: str) -> str:
    """Keep what an agent says from moving the cursor or more: only what can be printed stays."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
