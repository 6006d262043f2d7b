"""Who reads whose results in a swarm."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, get_args

from runner.mcp.errors import ArgumentRefused

Topology = Literal[
    "hierarchical", "mesh", "hierarchical-mesh", "ring", "star", "hybrid", "adaptive", "pheromone-adaptive"
]
TOPOLOGIES: tuple[str, ...] = get_args(Topology)
LEADS = frozenset({"coordinator", "architect", "lead", "orchestrator", "planner", "hierarchical-coordinator", "queen"})
"""Types of agents that lead; where there is none, the first agent does."""


class Located(Protocol):
    """Whoever has a place in a topology: an agent of a swarm, a worker of a workflow."""

    @property
    def id(self) -> str:
        """By which its results are known."""
        ...

    @property
    def type(self) -> str:
        """Its role."""
        ...


@dataclass(frozen=True)
class Member:
    """A place, where there is no agent to stand for it."""

    id: str
    type: str


_L = TypeVar("_L", bound=Located)


def check_topology(name: str) -> str:
    """Return the topology, or raise `ArgumentRefused`."""
    if name not in TOPOLOGIES:
        raise ArgumentRefused(f"topology {name[:40]!r} is unknown; there are {', '.join(TOPOLOGIES)}")
    return name


def readable(topology: str, agents: Sequence[_L], reader: _L) -> list[_L]:
    """The other agents whose results `reader` may read; `agents` are all of the swarm, in the order they came."""
    others = [agent for agent in agents if agent.id != reader.id]
    leads = [agent for agent in agents if agent.type in LEADS] or list(agents[:1])
    match topology:
        case "ring":
            place = [agent.id for agent in agents].index(reader.id)
            return [agents[place - 1]] if others else []
        case "star":
            return others if reader.id == agents[0].id else [agents[0]]
        case "hierarchical" | "hierarchical-mesh" | "hybrid":
            if reader in leads:
                return others
            team = topology != "hierarchical"
            return [agent for agent in others if agent in leads or (team and agent.type == reader.type)]
        case _:
            return others


def hidden_from(topology: str, agents: Sequence[_L], reader: _L) -> frozenset[str]:
    """Ids of the agents whose results are not for `reader`."""
    seen = {agent.id for agent in readable(topology, agents, reader)} | {reader.id}
    return frozenset(agent.id for agent in agents) - seen
