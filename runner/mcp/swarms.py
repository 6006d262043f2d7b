"""Swarms, their agents and tasks: one file for each repository, changed by one process at a time."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from runner.census import is_alive
from runner.errors import StorageUnavailable
from runner.lock import locked
from runner.mcp.errors import UnknownThing
from runner.storage import write_whole

LOCK_WAIT_S = 30.0
_T = TypeVar("_T")


class AgentState(StrEnum):
    """Where an agent stands."""

    IDLE = "idle"
    """It has no task yet."""
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    TERMINATED = "terminated"


ENDED = frozenset({AgentState.COMPLETED, AgentState.FAILED, AgentState.TERMINATED})


class Agent(BaseModel):
    """A member of a swarm, and the session that does its task."""

    id: str
    name: str
    type: str
    swarm_id: str
    cwd: Path
    run: str = ""
    """The run that its swarm works for; empty where that is the swarm itself."""
    task: str = ""
    task_id: str | None = None
    model: str = "inherit"
    domain: str | None = None
    capabilities: list[str] = Field(default_factory=list)
    config: dict[str, Any] = Field(default_factory=dict)
    state: AgentState = AgentState.IDLE
    reason: str = ""
    message: str = ""
    """The last thing its session said."""
    branch: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    pid: int | None = None
    """The process that supervises its session."""
    pid_started: float = 0.0

    @property
    def result_key(self) -> str:
        """The key of its result in the namespace `results`."""
        return f"result-{self.name}"

    def is_supervised(self) -> bool:
        """True while the process that supervises its session lives."""
        return self.pid is not None and is_alive(self.pid, self.pid_started)


class Task(BaseModel):
    """Work for agents."""

    id: str
    type: str
    description: str
    priority: str = "normal"
    tags: list[str] = Field(default_factory=list)
    assigned_to: list[str] = Field(default_factory=list)
    """Ids of agents."""
    created_at: datetime


class Swarm(BaseModel):
    """Agents that work together; at most `max_agents` of them at once."""

    id: str
    topology: str
    strategy: str
    max_agents: int
    config: dict[str, Any] = Field(default_factory=dict)
    status: str = "running"
    created_at: datetime
    updated_at: datetime


class State(BaseModel):
    """Everything, in the order it came."""

    swarms: dict[str, Swarm] = Field(default_factory=dict)
    agents: dict[str, Agent] = Field(default_factory=dict)
    tasks: dict[str, Task] = Field(default_factory=dict)

    def swarm(self, swarm_id: str | None) -> Swarm:
        """The swarm of this id, or the latest; raises `UnknownThing`."""
        if swarm_id is None and self.swarms:
            return next(reversed(self.swarms.values()))
        return _known(self.swarms, "swarm", swarm_id or "")

    def agent(self, agent_id: str) -> Agent:
        """The agent of this id or name, the latest of that name; raises `UnknownThing`."""
        named = {agent.name: agent for agent in self.agents.values()}
        return _known({**named, **self.agents}, "agent", agent_id)

    def task(self, task_id: str) -> Task:
        """The task of this id; raises `UnknownThing`."""
        return _known(self.tasks, "task", task_id)

    def members(self, swarm_id: str) -> list[Agent]:
        """The agents of a swarm, in the order they came."""
        return [agent for agent in self.agents.values() if agent.swarm_id == swarm_id]


@dataclass(frozen=True)
class Swarms:
    """Where the state of one repository lies."""

    folder: Path

    def read(self) -> State:
        """The state as it is; an agent whose supervisor died is seen as failed."""
        path = self.folder / "state.json"
        try:
            state = State.model_validate_json(path.read_bytes()) if path.exists() else State()
        except (OSError, ValidationError) as error:
            raise StorageUnavailable(path, "can't be read as the state of the swarms; move it away") from error
        for agent in state.agents.values():
            if agent.state in {AgentState.QUEUED, AgentState.RUNNING} and not agent.is_supervised():
                agent.state, agent.reason = AgentState.FAILED, "its supervisor was killed"
        return state

    @contextmanager
    def changing(self) -> Iterator[State]:
        """The state, to be changed; written when the block ends well."""
        with locked(self.folder / "lock", LOCK_WAIT_S):
            state = self.read()
            yield state
            write_whole(self.folder / "state.json", state.model_dump_json(indent=1))

    def files(self, agent_id: str) -> Path:
        """Where the files of an agent's session lie."""
        return self.folder / "agents" / agent_id


def new_id(kind: str) -> str:
    """An id that sorts by time, as claude-flow makes them."""
    return f"{kind}-{int(datetime.now(UTC).timestamp() * 1000)}-{uuid.uuid4().hex[:6]}"


def _known(things: Mapping[str, _T], kind: str, name: str) -> _T:
    try:
        return things[name]
    except KeyError:
        raise UnknownThing(kind, name) from None
