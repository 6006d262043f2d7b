"""What the runner needs of an agent: a command to start, and the meaning of the lines it prints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runner.agents.events import Event
from runner.process import Command


@dataclass(frozen=True)
class Session:
    """One agent at work on one task in one folder."""

    id: str
    """A UUID, chosen before anything starts; also the mark of the session's processes."""
    task: str
    cwd: Path
    prompt: Path
    """File that holds the task: read from there it is never taken for a flag, nor seen in the process list."""
    git_folders: tuple[Path, ...] = ()
    """Folders outside `cwd` that a commit writes to."""
    max_cost_usd: float | None = None
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables that it sees beside those of its program."""
    tools: tuple[str, ...] = ()
    """Command of the MCP server that it may use; empty: none of ours."""
    max_turns: int | None = None
    brief: Path | None = None
    """File with what a person's session is told beside the task."""
    conversation: str = ""
    """The program's own id of a conversation that begins now, where it lets us choose; empty: `id`."""


class Agent(Protocol):
    """A program that works on a task without a person."""

    @property
    def name(self) -> str:
        """The name of the program."""
        ...

    @property
    def reports_cost(self) -> bool:
        """True where it tells what it costs and keeps to `max_cost_usd`."""
        ...

    @property
    def limits_turns(self) -> bool:
        """True where it keeps to `max_turns` by itself."""
        ...

    def command(self, session: Session) -> Command:
        """Return the command that works on `session`'s task, its output being lines for `parse`."""
        ...

    def resume(self, session: Session, vendor_id: str) -> Command:
        """Return the command that goes on with the conversation `vendor_id`; `session.prompt` is what is said next."""
        ...

    def parse(self, line: str) -> list[Event]:
        """Return what a line of output tells; a line that can't be read tells nothing."""
        ...
