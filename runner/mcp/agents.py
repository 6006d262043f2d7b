"""Sessions of agents: the one module that knows how they are started, queued and ended.

Each has a supervisor, a detached process of its own (`runner.mcp.supervisor`), which outlives the server that started
it. It waits until its swarm has room, runs `runner execute` on the task, and stores what came of it.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.census import kill_marked, started_at
from runner.mcp.swarms import Agent, AgentState, State, Swarms
from runner.mcp.topology import readable
from runner.process import AgentProcess, Command
from runner.runs.identity import IDENTITY
from runner.storage import make_folder

BRIEFING = """{task}

---
You are {name}, of type {type}, one of several agents of a swarm. If you have the tools memory_search, memory_retrieve
and memory_store: look into the namespace "shared" for the design first{others}, and at the end store what you did
under the key "{key}" in the namespace "results"."""
_started: list[AgentProcess] = []
"""Kept so that supervisors which end while this process lives are waited for, and leave no zombies."""


@dataclass(frozen=True)
class Outcome:
    """What came of a session."""

    state: AgentState
    reason: str
    message: str
    branch: str | None


def enlist(state: State, agent: Agent, task: str, swarms: Swarms) -> None:
    """Queue a session for `agent` on `task`; it starts when its swarm has room. Raises `ProgramMissing`."""
    agent.task, agent.state = task, AgentState.QUEUED
    folder = swarms.files(agent.id)
    make_folder(folder)
    argv = (sys.executable, "-m", "runner.mcp.supervisor", str(swarms.folder), agent.id)
    supervisor = Command(argv, agent.cwd, dict(os.environ))
    log = folder / "supervisor.txt"
    _started[:] = [process for process in _started if process.poll() is None]
    process = AgentProcess(supervisor, f"supervisor-{agent.id}", log, folder / "supervisor-errors.txt")
    _started.append(process)
    agent.pid, agent.pid_started = process.pid, started_at(process.pid)
    state.agents[agent.id] = agent


def claim(state: State, agent: Agent) -> bool:
    """Take a place for `agent` if its swarm has one; the first in the queue goes first."""
    swarm, members = state.swarm(agent.swarm_id), state.members(agent.swarm_id)
    busy = sum(member.state is AgentState.RUNNING for member in members)
    waiting = [member.id for member in members if member.state is AgentState.QUEUED]
    return busy < swarm.max_agents and waiting[:1] == [agent.id]


def session_command(state: State, agent: Agent) -> Command:
    """The command that does an agent's task."""
    swarm = state.swarm(agent.swarm_id)
    others = [other.result_key for other in readable(swarm.topology, state.members(swarm.id), agent)]
    hint = f", and into results for {', '.join(others)}" if others else ""
    task = BRIEFING.format(task=agent.task, name=agent.name, type=agent.type, others=hint, key=agent.result_key)
    options = ("execute", "--json", "--yes", "--allow-dirty", "--platform", "codex", "--")
    passed = ",".join(filter(None, (os.environ.get("RUNNER_PASS_ENV"), *IDENTITY)))
    identity = {"RUNNER_RUN_ID": agent.run or swarm.id, "RUNNER_AGENT_ID": agent.id, "RUNNER_PASS_ENV": passed}
    argv = (sys.executable, "-c", "from runner.cli import entry; entry()", *options, task)
    return Command(argv, agent.cwd, {**os.environ, **identity})


def read_outcome(report: Path, errors: Path, code: int) -> Outcome:
    """What `runner execute --json` said of the task, and where it said nothing, its last line of errors."""
    try:
        told: dict[str, Any] = json.loads(report.read_bytes())["tasks"][0]
    except (OSError, ValueError, LookupError, TypeError):
        lines = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return Outcome(AgentState.FAILED, lines[-1] if lines else f"ended with exit code {code}", "", None)
    state = AgentState.COMPLETED if told.get("status") == "succeeded" else AgentState.FAILED
    reason = str(told.get("reason") or told.get("status") or "")
    return Outcome(state, reason, str(told.get("message") or ""), told.get("branch"))


def end(agent: Agent) -> None:
    """End an agent's session and its supervisor at once; its work so far stays on its branch."""
    for mark in (f"supervisor-{agent.id}", agent.id):
        kill_marked(mark)
