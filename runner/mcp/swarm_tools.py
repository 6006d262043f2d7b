"""Tools that make, look at and end swarms."""

import time
from datetime import UTC, datetime
from typing import Any

import psutil
from pydantic import Field

from runner.mcp.arguments import Arguments, Number
from runner.mcp.errors import ArgumentRefused
from runner.mcp.place import Place
from runner.mcp.swarms import ENDED, Agent, AgentState, State, Swarm, new_id
from runner.mcp.tasks import Progress, progress_of
from runner.mcp.tool import Effect, Reply, Tool
from runner.mcp.topology import check_topology
from runner.memory.render import iso

MOST_AGENTS = 100
DEFAULT_AGENTS = 5
STRATEGIES = ("specialized", "balanced", "adaptive")
FEATURES = dict.fromkeys(("cognitive_diversity", "neural_networks", "forecasting", "simd_support"), False)
"""What ruv-swarm says of itself. We have none of it, and say so."""


class InitArguments(Arguments):
    """`swarm_init`."""

    topology: str | None = Field(None, description="Who reads whose results: hierarchical (default), mesh, ring, star…")
    max_agents: Number | None = Field(
        None, alias="maxAgents", description="Sessions at once, 1 to 100; default: 5. More wait in a queue."
    )
    strategy: str | None = Field(None, description="specialized (default), balanced or adaptive; kept, not used.")
    config: dict[str, Any] | None = Field(None, description="Kept with the swarm.")


class StatusArguments(Arguments):
    """`swarm_status`, `swarm_health`."""

    swarm_id: str | None = Field(None, alias="swarmId", description="Default: the latest swarm.")
    verbose: bool | None = Field(None, description="Also lists the agents.")


class ShutdownArguments(Arguments):
    """`swarm_shutdown`."""

    swarm_id: str | None = Field(None, alias="swarmId", description="Default: the latest swarm.")
    graceful: bool | None = Field(None, description="Let running sessions finish; default: true.")


def init(place: Place, given: InitArguments) -> Reply:
    """Make a swarm; no session is started yet."""
    started = time.perf_counter()
    with place.swarms.changing() as state:
        swarm = make_swarm(state, given)
    took = (time.perf_counter() - started) * 1000
    facts = {"topology": swarm.topology, "maxAgents": swarm.max_agents, "strategy": swarm.strategy}
    return {
        "success": True, "swarmId": swarm.id, **facts, "initializedAt": iso(swarm.created_at.timestamp()),
        "config": {**_config(swarm), **swarm.config}, "persisted": True, "id": swarm.id,
        "message": f"{swarm.topology} swarm for at most {swarm.max_agents} sessions at once", "features": FEATURES,
        "created": iso(swarm.created_at.timestamp()),
        "performance": {"initialization_time_ms": took, "memory_usage_mb": _memory_mb()},
    }  # fmt: skip


def make_swarm(state: State, given: InitArguments) -> Swarm:
    """Add a swarm to the state."""
    number = DEFAULT_AGENTS if given.max_agents is None else given.max_agents
    if not 1 <= number <= MOST_AGENTS:
        raise ArgumentRefused(f"maxAgents is {number}; a swarm has 1 to {MOST_AGENTS} agents at once")
    if given.strategy is not None and given.strategy not in STRATEGIES:
        raise ArgumentRefused(f"strategy {given.strategy[:40]!r} is unknown; there are {', '.join(STRATEGIES)}")
    now = datetime.now(UTC)
    swarm = Swarm(
        id=new_id("swarm"), topology=check_topology(given.topology or "hierarchical"), max_agents=number,
        strategy=given.strategy or "specialized", config=given.config or {}, created_at=now, updated_at=now,
    )  # fmt: skip
    state.swarms[swarm.id] = swarm
    return swarm


def status(place: Place, given: StatusArguments) -> Reply:
    """Where a swarm stands."""
    state = place.swarms.read()
    running = [swarm for swarm in state.swarms.values() if swarm.status == "running"]
    overall = {
        "active_swarms": len(running),
        "swarms": [{"id": swarm.id, "status": _summary(state, swarm)} for swarm in running],
        "global_metrics": {
            "totalSwarms": len(state.swarms), "totalAgents": len(state.agents), "totalTasks": len(state.tasks),
            "memoryUsage": int(_memory_mb() * 1024**2), "performance": {}, "features": FEATURES, "wasm_modules": {},
            "timestamp": iso(time.time()),
        },
        "runtime_info": {"features": FEATURES, "wasm_modules": {}, "tool_metrics": {}},
    }  # fmt: skip
    if not state.swarms and given.swarm_id is None:
        return {"swarmId": None, "status": "no_swarm", "agentCount": 0, "taskCount": 0, "totalSwarms": 0, **overall}
    swarm = state.swarm(given.swarm_id)
    members = state.members(swarm.id)
    listed = {"agents": [facts_of(agent) for agent in members]} if given.verbose else {}
    return {
        "swarmId": swarm.id, "status": swarm.status, "topology": swarm.topology, "maxAgents": swarm.max_agents,
        "agentCount": len([agent for agent in members if agent.state is not AgentState.TERMINATED]),
        "taskCount": len(_tasks(state, swarm)), "config": {**_config(swarm), **swarm.config},
        "createdAt": iso(swarm.created_at.timestamp()), "updatedAt": iso(swarm.updated_at.timestamp()),
        "totalSwarms": len(state.swarms), **listed, **overall,
    }  # fmt: skip


def health(place: Place, given: StatusArguments) -> Reply:
    """Whether a swarm's sessions do well."""
    state = place.swarms.read()
    swarm = state.swarm(given.swarm_id)
    members = state.members(swarm.id)
    failed = [agent.name for agent in members if agent.state is AgentState.FAILED]
    busy = [agent for agent in members if agent.state is AgentState.RUNNING]
    checks = [
        {"name": "agents", "status": "warn" if failed else "ok", "message": f"failed: {', '.join(failed) or 'none'}"},
        {"name": "places", "status": "ok", "message": f"{len(busy)} of {swarm.max_agents} in use"},
    ]
    return {
        "status": "degraded" if failed else "healthy", "healthy": not failed, "swarmId": swarm.id,
        "topology": swarm.topology, "agentCount": len(members), "checks": checks, "checkedAt": iso(time.time()),
    }  # fmt: skip


def shutdown(place: Place, given: ShutdownArguments) -> Reply:
    """End a swarm: nothing more is started; running sessions finish unless `graceful` is false."""
    graceful = given.graceful is not False
    ending = {AgentState.IDLE, AgentState.QUEUED} | (set() if graceful else {AgentState.RUNNING})
    with place.swarms.changing() as state:
        swarm = state.swarm(given.swarm_id)
        swarm.status, swarm.updated_at = "shutdown", datetime.now(UTC)
        ended = [agent for agent in state.members(swarm.id) if agent.state in ending]
        left = [agent for agent in state.members(swarm.id) if agent.state not in ENDED | ending]
        for agent in ended:
            terminate(agent, "its swarm was shut down")
    return {
        "success": True, "swarmId": swarm.id, "status": "shutdown", "graceful": graceful,
        "agentsTerminated": len(ended), "agentsFinishing": len(left), "shutdownAt": iso(time.time()),
    }  # fmt: skip


def terminate(agent: Agent, reason: str) -> None:
    """Mark an agent as terminated; its supervisor sees that and ends the session."""
    agent.state, agent.reason, agent.ended_at = AgentState.TERMINATED, reason, datetime.now(UTC)


def facts_of(agent: Agent) -> Reply:
    """An agent, in both spellings."""
    return {
        "agentId": agent.id, "agentType": agent.type, "status": agent.state.value,
        "health": 0 if agent.state is AgentState.FAILED else 1, "taskCount": int(bool(agent.task)),
        "createdAt": iso(agent.created_at.timestamp()), "id": agent.id, "name": agent.name, "type": agent.type,
        "swarmId": agent.swarm_id, "model": agent.model, "domain": agent.domain, "capabilities": agent.capabilities,
    }  # fmt: skip


def _summary(state: State, swarm: Swarm) -> Reply:
    members = [agent for agent in state.members(swarm.id) if agent.state is not AgentState.TERMINATED]
    active = sum(agent.state in {AgentState.RUNNING, AgentState.QUEUED} for agent in members)
    idle = sum(agent.state is AgentState.IDLE for agent in members)
    stands = [progress_of(state, task) for task in _tasks(state, swarm)]
    return {
        "id": swarm.id, "agents": {"total": len(members), "active": active, "idle": idle},
        "tasks": {"total": len(stands), **{kind.value: stands.count(kind) for kind in Progress}},
    }  # fmt: skip


def _tasks(state: State, swarm: Swarm) -> list[Any]:
    members = {agent.id for agent in state.members(swarm.id)}
    return [task for task in state.tasks.values() if members & set(task.assigned_to)]


def _config(swarm: Swarm) -> Reply:
    return {
        "topology": swarm.topology, "maxAgents": swarm.max_agents, "strategy": swarm.strategy,
        "communicationProtocol": "shared-memory", "autoScaling": False, "consensusMechanism": "none",
    }  # fmt: skip


def _memory_mb() -> float:
    return float(psutil.Process().memory_info().rss / 1024**2)


TOOLS = (
    Tool("swarm_init", "Make a swarm: how many sessions may run at once, and who reads whose results.", Effect.STARTS,
         InitArguments, init),
    Tool("swarm_status", "Where a swarm, its agents and tasks stand.", Effect.READS, StatusArguments, status),
    Tool("swarm_health", "Whether a swarm's sessions do well.", Effect.READS, StatusArguments, health),
    Tool("swarm_shutdown", "End a swarm; running sessions finish first unless graceful is false.", Effect.WRITES,
         ShutdownArguments, shutdown),
)  # fmt: skip
