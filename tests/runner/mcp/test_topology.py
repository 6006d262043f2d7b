"""Who reads whose results."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.mcp.errors import ArgumentRefused
from runner.mcp.swarms import Agent
from runner.mcp.topology import TOPOLOGIES, check_topology, hidden_from, readable


def crew(*types: str) -> list[Agent]:
    """Agents named by letters, of the given types."""
    return [
        Agent(id=letter, name=letter, type=kind, swarm_id="s", cwd=Path(), created_at=datetime.now(UTC))
        for letter, kind in zip("abcdef", types, strict=False)
    ]


READS = [
    ("mesh", {"a": "bcd", "b": "acd", "c": "abd", "d": "abc"}),
    ("adaptive", {"a": "bcd", "b": "acd", "c": "abd", "d": "abc"}),
    ("hierarchical", {"a": "bcd", "b": "a", "c": "a", "d": "a"}),
    ("hierarchical-mesh", {"a": "bcd", "b": "ac", "c": "ab", "d": "a"}),
    ("star", {"a": "bcd", "b": "a", "c": "a", "d": "a"}),
    ("ring", {"a": "d", "b": "a", "c": "b", "d": "c"}),
]


@pytest.mark.parametrize(("topology", "reads"), READS)
def test_a_topology_says_who_reads_whom(topology: str, reads: dict[str, str]) -> None:
    agents = crew("architect", "coder", "coder", "tester")
    for agent in agents:
        assert "".join(sorted(other.id for other in readable(topology, agents, agent))) == reads[agent.id]
        hidden = hidden_from(topology, agents, agent)
        assert hidden == set("abcd") - set(reads[agent.id]) - {agent.id}


def test_without_a_lead_the_first_agent_leads() -> None:
    agents = crew("coder", "tester", "coder")
    assert [agent.id for agent in readable("hierarchical", agents, agents[0])] == ["b", "c"]
    assert [agent.id for agent in readable("hierarchical", agents, agents[1])] == ["a"]


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_an_agent_alone_reads_nobody(topology: str) -> None:
    (alone,) = crew("coder")
    assert readable(topology, [alone], alone) == []
    assert check_topology(topology) == topology


def test_an_unknown_topology_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ArgumentRefused, match="there are hierarchical, mesh"):
        check_topology("pentagram")
