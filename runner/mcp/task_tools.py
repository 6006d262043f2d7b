"""Tools that give tasks to agents."""

import time
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from runner.mcp import agents
from runner.mcp.arguments import Arguments, Name, Number, Text
from runner.mcp.errors import ArgumentRefused
from runner.mcp.place import Place
from runner.mcp.swarms import Agent, AgentState, State, Task, new_id
from runner.mcp.tasks import progress_of, workers_of
from runner.mcp.tool import Effect, Reply, Tool
from runner.memory.render import iso


class CreateArguments(Arguments):
    """`task_create`."""

    type: Name = Field(description="Kind of task: feature, bugfix, research, refactor.")
    description: Text = Field(description="What is to be done.")
    priority: str | None = Field(None, description="low, normal (default), high or critical; kept, not used.")
    assign_to: list[str] | None = Field(None, alias="assignTo", description="Idle agents whose sessions do it.")
    tags: list[str] | None = Field(None, description="Kept with the task.")


class OrchestrateArguments(Arguments):
    """`task_orchestrate`."""

    task: Text = Field(description="What is to be done.")
    strategy: Literal["parallel", "sequential", "adaptive"] | None = Field(
        None, description="Kept, not used: the swarm's maxAgents says how many sessions run at once."
    )
    priority: Literal["low", "medium", "high", "critical"] | None = Field(None, description="Kept, not used.")
    max_agents: Number | None = Field(None, alias="maxAgents", description="Most idle agents that are given it.")


class StatusArguments(Arguments):
    """`task_status`."""

    task_id: str | None = Field(None, alias="taskId", description="Default: all tasks.")
    detailed: bool | None = Field(None, description="Taken; all is shown anyway.")


def create(place: Place, given: CreateArguments) -> Reply:
    """Write a task down; its agents' sessions are queued."""
    with place.swarms.changing() as state:
        workers = [_idle(state, name) for name in given.assign_to or ()]
        task = _add(state, place, given.type, given.description, workers)
        task.priority, task.tags = given.priority or "normal", given.tags or []
        return _facts(state, task)


def orchestrate(place: Place, given: OrchestrateArguments) -> Reply:
    """Give a task to the idle agents of the latest swarm."""
    started = time.perf_counter()
    with place.swarms.changing() as state:
        swarm = state.swarm(None)
        idle = [agent for agent in state.members(swarm.id) if agent.state is AgentState.IDLE][: given.max_agents]
        task = _add(state, place, "feature", given.task, idle)
        task.priority = given.priority or "medium"
        active = sum(agent.state is AgentState.RUNNING for agent in state.members(swarm.id))
    return {
        "taskId": task.id, "status": "orchestrated", "description": task.description, "priority": task.priority,
        "strategy": given.strategy or "adaptive", "assigned_agents": task.assigned_to,
        "swarm_info": {"id": swarm.id, "active_agents": active},
        "orchestration": {"agent_selection_algorithm": "idle_first", "load_balancing": False,
                          "cognitive_diversity_considered": False},
        "performance": {"orchestration_time_ms": (time.perf_counter() - started) * 1000, "estimated_completion_ms": 0},
        "message": f"{len(idle)} sessions are queued" if idle else "no agent is idle; agent_spawn makes one",
    }  # fmt: skip


def status(place: Place, given: StatusArguments) -> Reply:
    """Where one task, or all, stand."""
    state = place.swarms.read()
    if given.task_id is not None:
        return _facts(state, state.task(given.task_id))
    tasks = [_facts(state, task) for task in state.tasks.values()]
    return {"tasks": tasks, "total": len(tasks)}


def _add(state: State, place: Place, kind: str, description: str, workers: list[Agent]) -> Task:
    task = Task(
        id=new_id("task"), type=kind, description=description, created_at=datetime.now(UTC),
        assigned_to=[agent.id for agent in workers],
    )  # fmt: skip
    state.tasks[task.id] = task
    for agent in workers:
        agent.task_id = task.id
        agents.enlist(state, agent, description, place.swarms)
    return task


def _idle(state: State, name: str) -> Agent:
    agent = state.agent(name)
    if agent.state is not AgentState.IDLE:
        raise ArgumentRefused(f"agent {agent.name} is {agent.state}; only an idle one takes a task: spawn another")
    return agent


def _facts(state: State, task: Task) -> Reply:
    workers, progress = workers_of(state, task), progress_of(state, task)
    return {
        "success": True, "taskId": task.id, "type": task.type, "description": task.description,
        "priority": task.priority, "status": progress.value, "assignedTo": task.assigned_to, "tags": task.tags,
        "createdAt": iso(task.created_at.timestamp()),
        "agents": [
            {"agentId": agent.id, "name": agent.name, "status": agent.state.value, "reason": agent.reason,
             "resultKey": agent.result_key, "branch": agent.branch, "message": agent.message}
            for agent in workers
        ],
    }  # fmt: skip


TOOLS = (
    Tool("task_create", "Write a task down; the sessions of the agents it is assigned to are queued.", Effect.STARTS,
         CreateArguments, create),
    Tool("task_status", "Where a task, or each task, stands.", Effect.READS, StatusArguments, status),
    Tool("task_orchestrate", "Give a task to the idle agents of the latest swarm.", Effect.STARTS,
         OrchestrateArguments, orchestrate),
)  # fmt: skip
