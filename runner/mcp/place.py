"""Where a server stands: the repository, the run and the agent that it serves, and what it opened for them."""

import threading
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from router.client import Routing
from runner.mcp.swarms import Agent, Swarms
from runner.mcp.topology import hidden_from
from runner.memory.opening import home_of, open_memory
from runner.memory.store import Memory
from runner.settings import Settings


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
    def swarms(self) -> Swarms:
        """The repository's swarms."""
        return Swarms(home_of(self.cwd, self.settings) / "swarms")

    @property
    def memory(self) -> Memory:
        """The memory as the client may see it just now: agents that came later count too."""
        with self._opening:
            memory = self._memory
            if self.agent_id:
                memory.view = replace(memory.view, hidden=self._hidden())
            return memory

    @property
    def routing(self) -> Routing:
        """The router, connected at the first use."""
        with self._opening:
            return self._routing

    def close(self) -> None:
        """Close what was opened."""
        for name in ("_memory", "_routing"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @cached_property
    def _memory(self) -> Memory:
        return open_memory(self.settings, self.cwd, run=self.run, author=self.agent_id)

    @cached_property
    def _routing(self) -> Routing:
        from runner.execute import open_routing  # loads the router where no service answers

        return open_routing(self.settings)

    def _hidden(self) -> frozenset[str]:
        state = self.swarms.read()
        reader: Agent | None = state.agents.get(self.agent_id)
        if reader is None:
            return frozenset()
        swarm = state.swarm(reader.swarm_id)
        return hidden_from(swarm.topology, state.members(swarm.id), reader)
