"""Tools that start, look at and end the sessions of agents."""

import time
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from runner.mcp import agents
from runner.mcp.arguments import Arguments, Name, Number, Text
from runner.mcp.errors import ArgumentRefused
from runner.mcp.place import Place
from runner.mcp.swarm_tools import MOST_AGENTS, InitArguments, facts_of, make_swarm, terminate
from runner.mcp.swarms import ENDED, Agent, AgentState, State, Swarm, new_id
from runner.mcp.tool import Effect, Reply, Tool
from runner.memory.render import iso

ModelName = Literal["haiku", "sonnet", "opus", "opus-4.7", "inherit"]
NOTE_IDLE = "Registered without a task: no session runs yet. Give it one by task_create with assignTo."
NOTE_QUEUED = "A session is queued and starts when the swarm has room; agent_status shows how it stands."


class SpawnArguments(Arguments):
    """`agent_spawn`, as claude-flow and as ruv-swarm spell it."""

    agent_type: Name | None = Field(None, alias="agentType", description="Role of the agent, such as coder or tester.")
    type: Name | None = Field(None, description="The same as agentType; one of both is needed.")
    task: Text | None = Field(None, description="What its session does. Without it the agent waits for a task.")
    agent_id: Name | None = Field(None, alias="agentId", description="Its id, if it matters.")
    name: Name | None = Field(None, description="Its name: its result is stored under result-<name>.")
    swarm_id: str | None = Field(None, alias="swarmId", description="Default: the latest swarm.")
    capabilities: list[str] | None = Field(None, description="Kept with the agent.")
    config: dict[str, Any] | None = Field(None, description="Kept with the agent.")
    domain: str | None = Field(None, description="Kept with the agent.")
    model: ModelName | None = Field(None, description="Kept with the agent; the runner's settings choose.")
    memory_base: str | None = Field(None, alias="memoryBase", description="Taken, not used.")
    memory_dimension: Number | None = Field(None, alias="memoryDimension", description="Taken, not used.")


class ListArguments(Arguments):
    """`agent_list`."""

    status: str | None = Field(None, description="Only agents of this status.")
    domain: str | None = Field(None, description="Only agents of this domain.")
    include_terminated: bool | None = Field(None, alias="includeTerminated", description="Also those terminated.")
    filter: Literal["all", "active", "idle", "busy"] | None = Field(None, description="The same in other words.")


class AgentArguments(Arguments):
    """`agent_status`."""

    agent_id: str = Field(alias="agentId", description="Id or name of the agent.")


class TerminateArguments(AgentArguments):
    """`agent_terminate`."""

    force: bool | None = Field(None, description="At once, without time to finish.")
    promote_memory: bool | None = Field(None, alias="promoteMemory", description="Taken, not used.")


def spawn(place: Place, given: SpawnArguments) -> Reply:
    """Add an agent to a swarm and, where it has a task, queue its session."""
    started = time.perf_counter()
    with place.swarms.changing() as state:
        swarm = _swarm_for(state, given.swarm_id)
        agent = _recruit(state, swarm, given, place)
        if given.task:
            agents.enlist(state, agent, given.task, place.swarms)
        count = len([one for one in state.members(swarm.id) if one.state is not AgentState.TERMINATED])
    status = "queued" if given.task else "registered"
    return {
        "success": True, "agentId": agent.id, "agentType": agent.type, "model": agent.model,
        "modelRoutedBy": "explicit" if given.model else "default", "status": status,
        "createdAt": iso(agent.created_at.timestamp()), "note": NOTE_QUEUED if given.task else NOTE_IDLE,
        "agent": {
            "id": agent.id, "name": agent.name, "type": agent.type, "cognitive_pattern": "none",
            "capabilities": agent.capabilities, "neural_network_id": "none", "status": agent.state.value,
        },
        "swarm_info": {"id": swarm.id, "agent_count": count, "capacity": f"{count}/{swarm.max_agents}"},
        "message": f"{agent.type} {agent.name} is {status}",
        "performance": {"spawn_time_ms": (time.perf_counter() - started) * 1000, "memory_overhead_mb": 0},
    }  # fmt: skip


def listing(place: Place, given: ListArguments) -> Reply:
    """List agents."""
    kept = [agent for agent in place.swarms.read().agents.values() if _is_wanted(agent, given)]
    chosen = given.model_dump(exclude_none=True, by_alias=True)
    return {"agents": [facts_of(agent) for agent in kept], "total": len(kept), "filters": chosen}


def status(place: Place, given: AgentArguments) -> Reply:
    """Where an agent and its session stand."""
    agent = place.swarms.read().agent(given.agent_id)
    times = {"startedAt": agent.started_at, "endedAt": agent.ended_at}
    return {
        **facts_of(agent), "task": agent.task or None, "taskId": agent.task_id, "reason": agent.reason,
        **{name: moment and iso(moment.timestamp()) for name, moment in times.items()},
        "lastResult": agent.message or None, "resultKey": agent.result_key, "branch": agent.branch,
        "folder": str(place.swarms.files(agent.id)),
    }  # fmt: skip


def end(place: Place, given: TerminateArguments) -> Reply:
    """End an agent's session; its work so far stays on its branch."""
    with place.swarms.changing() as state:
        agent = state.agent(given.agent_id)
        was = agent.state
        if was not in ENDED:
            terminate(agent, "terminated by agent_terminate")
    if given.force:
        agents.end(agent)
    return {
        "success": True, "agentId": agent.id, "terminated": was not in ENDED, "previousStatus": was.value,
        "status": agent.state.value, "terminatedAt": iso(time.time()),
    }  # fmt: skip


def _swarm_for(state: State, swarm_id: str | None) -> Swarm:
    if swarm_id is None:
        running = [swarm for swarm in state.swarms.values() if swarm.status == "running"]
        return running[-1] if running else make_swarm(state, InitArguments.model_validate({"topology": "mesh"}))
    swarm = state.swarm(swarm_id)
    if swarm.status != "running":
        raise ArgumentRefused(f"swarm {swarm.id} was shut down; make another by swarm_init")
    return swarm


def _recruit(state: State, swarm: Swarm, given: SpawnArguments, place: Place) -> Agent:
    kind = given.agent_type or given.type
    if kind is None:
        raise ArgumentRefused("agentType (or type) is missing; say coder, tester, …", "MISSING_REQUIRED_PARAM")
    members = state.members(swarm.id)
    if sum(agent.state not in ENDED for agent in members) >= MOST_AGENTS:
        raise ArgumentRefused(f"swarm {swarm.id} has {MOST_AGENTS} agents already; wait until some are done")
    taken = {agent.name for agent in members}
    name = given.name or next(free for n in range(1, len(taken) + 2) if (free := f"{kind}-{n}") not in taken)
    if name in taken or (given.agent_id in state.agents):
        raise ArgumentRefused(f"there is an agent {given.agent_id or name!r} already; its result would be overwritten")
    agent = Agent(
        id=given.agent_id or new_id("agent"), name=name, type=kind, swarm_id=swarm.id, cwd=place.cwd, run=place.run,
        model=given.model or "inherit", domain=given.domain, capabilities=given.capabilities or [],
        config=given.config or {}, created_at=datetime.now(UTC),
    )  # fmt: skip
    state.agents[agent.id] = agent
    return agent


def _is_wanted(agent: Agent, given: ListArguments) -> bool:
    busy = agent.state in {AgentState.RUNNING, AgentState.QUEUED}
    filters = {
        "all": True, "active": agent.state not in ENDED, "idle": agent.state is AgentState.IDLE, "busy": busy,
        None: True,
    }  # fmt: skip
    shown = given.include_terminated or agent.state is not AgentState.TERMINATED
    same = given.status in {None, agent.state.value} and given.domain in {None, agent.domain}
    return bool(filters[given.filter] and shown and same)


TOOLS = (
    Tool("agent_spawn", "Start an agent: with a task, its headless session is queued in a worktree of its own.",
         Effect.STARTS, SpawnArguments, spawn),
    Tool("agent_list", "List the agents of this repository.", Effect.READS, ListArguments, listing),
    Tool("agent_status", "Where an agent and its session stand, and what it said last.", Effect.READS, AgentArguments,
         status),
    Tool("agent_terminate", "End an agent's session; its work so far stays on its branch.", Effect.WRITES,
         TerminateArguments, end),
)  # fmt: skip
