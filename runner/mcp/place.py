"""Where a server stands: the repository, the run and the agent that it serves, and what it opened for them."""

import threading
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from runner.mcp.reach import hidden_for
from runner.mcp.swarms import Swarms
from runner.memory.opening import home_of, open_memory
from runner.settings import Settings

if TYPE_CHECKING:
    from router.client import Routing
    from runner.memory.store import Memory


@dataclass(frozen=True)
class Place:
    """One server's surroundings; safe to share between threads."""

    settings: Settings
    cwd: Path
    run: str = ""
    """Only what this run, or none, has stored is seen; empty: everything of the repository."""
    agent_id: str = ""
    """The agent that the client is; empty for a person's session."""
    _opening: threading.RLock = field(default_factory=threading.RLock)

    @cached_property
    def home(self) -> Path:
        """The repository's folder."""
        return home_of(self.cwd, self.settings)

    @cached_property
    def swarms(self) -> Swarms:
        """The repository's swarms."""
        return Swarms(self.home / "swarms")

    @property
    def memory(self) -> "Memory":
        """The memory as the client may see it just now: agents that came later count too."""
        with self._opening:
            memory = self._memory
            if self.agent_id:
                memory.view = replace(memory.view, hidden=hidden_for(self.home, self.run, self.agent_id))
            return memory

    @property
    def routing(self) -> "Routing":
        """The router, connected at the first use."""
        with self._opening:
            return self._routing

    def close(self) -> None:
        """Close what was opened."""
        for name in ("_memory", "_routing"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @cached_property
    def _memory(self) -> "Memory":
        return open_memory(self.settings, self.cwd, run=self.run, author=self.agent_id)

    @cached_property
    def _routing(self) -> "Routing":
        from runner.orders.execute import open_routing  # loads the router where no service answers

        return open_routing(self.settings)
