"""What remains of a session's events, over all its attempts."""

from dataclasses import dataclass

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


@dataclass
class Tally:
    """The last of everything, and how often."""

    session_id: str | None = None
    message: str = ""
    """The last thing said."""
    usage: Usage | None = None
    finished: Finished | None = None
    """This attempt's own verdict; so `limited`, `question` and `opened`."""
    retries: int = 0
    limited: Limited | None = None
    question: str = ""
    opened: bool = False
    """True where it has opened its conversation."""
    steps: int = 0
    """Things said and tools used."""
    overloads: int = 0
    """Attempts in a row that the provider did not answer."""
    earlier: Usage | None = None
    """What conversations before this one used."""
    dearest_usd: float = 0.0
    """The largest step in cost between two reports of it."""

    def begin(self, *, resumed: bool) -> None:
        """A further attempt begins: what the last one said of its end counts no more."""
        self.finished, self.limited, self.question, self.opened = None, None, "", False
        if not resumed:
            self.earlier = self.usage

    def add(self, event: Event) -> None:
        """Take one more event in."""
        match event:
            case Message(text):
                self.message = text
                self._step()
            case ToolUse() | FileChange():
                self._step()
            case Usage():
                self._use(event)
            case Retry():
                self.retries += 1
            case _:
                self._stand(event)

    def _step(self) -> None:
        self.steps, self.overloads = self.steps + 1, 0

    def _use(self, event: Usage) -> None:
        before = self.cost_usd
        self.usage = _together(self.earlier, event)
        self.dearest_usd = max(self.dearest_usd, self.cost_usd - before)

    def _stand(self, event: Event) -> None:
        match event:
            case Started(session_id):
                self.session_id, self.opened = session_id, True
            case Limited():
                self.limited = event
            case NeedsInput(question):
                self.question = question
            case Finished():
                self.finished = event
                self.overloads += event.cause is Cause.OVERLOADED

    @property
    def cost_usd(self) -> float:
        """What is known to be spent."""
        return (self.usage and self.usage.cost_usd) or 0.0

    @property
    def turns(self) -> int:
        """Turns as the program counts them; where it does not, things said and tools used."""
        told = self.usage.turns if self.usage else None
        return self.steps if told is None else told


def _together(earlier: Usage | None, usage: Usage) -> Usage:
    if earlier is None:
        return usage
    cost = None if usage.cost_usd is None else usage.cost_usd + (earlier.cost_usd or 0)
    turns = None if usage.turns is None else usage.turns + (earlier.turns or 0)
    return Usage(usage.tokens + earlier.tokens, cost, turns)
