"""The process beside one agent's session: waits for a place, runs it, stores what came of it."""

import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from runner.mcp.agents import Outcome, claim, read_outcome, session_command
from runner.mcp.swarms import Agent, AgentState, Swarms
from runner.memory.entry import Provenance
from runner.memory.opening import open_memory
from runner.memory.view import RESULTS
from runner.process import AgentProcess
from runner.settings import read_settings

LOOK_EVERY_S = 0.2
GRACE_S = 15.0
"""Time for `runner execute` to end its own sessions and keep their work."""


def supervise(swarms: Swarms, agent_id: str) -> None:
    """Do all of the above for one agent; returns early where it is terminated."""
    while (place := _wait_for_place(swarms, agent_id)) is None:
        time.sleep(LOOK_EVERY_S)
    if not place:
        return
    state = swarms.read()
    agent, folder = state.agents[agent_id], swarms.files(agent_id)
    report, errors = folder / "report.json", folder / "progress.txt"
    process = AgentProcess(session_command(state, agent), agent.id, report, errors)
    while process.poll() is None and not _is_terminated(swarms, agent_id):
        time.sleep(LOOK_EVERY_S)
    outcome = read_outcome(report, errors, process.end(GRACE_S))
    _store_result(agent, outcome, state.swarm(agent.swarm_id).id)
    _close(swarms, agent_id, outcome)


def _wait_for_place(swarms: Swarms, agent_id: str) -> bool | None:
    """True once the agent may run, False where it may not any more, None while it has to wait."""
    with swarms.changing() as state:
        agent = state.agents.get(agent_id)
        if agent is None or agent.state is not AgentState.QUEUED:
            return False
        if not claim(state, agent):
            return None
        agent.state, agent.started_at = AgentState.RUNNING, datetime.now(UTC)
        return True


def _is_terminated(swarms: Swarms, agent_id: str) -> bool:
    return swarms.read().agents[agent_id].state is AgentState.TERMINATED


def _store_result(agent: Agent, outcome: Outcome, swarm_id: str) -> None:
    run = agent.run or swarm_id
    with closing(open_memory(read_settings(), agent.cwd, run=run, author=agent.id)) as memory:
        own = [entry for entry in memory.history(agent.result_key, RESULTS)[:1] if entry.author == agent.id]
        if own and not own[0].deleted:
            return  # the agent stored its result itself
        told = {"state": outcome.state, "reason": outcome.reason, "branch": outcome.branch, "message": outcome.message}
        memory.store(agent.result_key, told, namespace=RESULTS, provenance=Provenance.SYSTEM_OBSERVATION)


def _close(swarms: Swarms, agent_id: str, outcome: Outcome) -> None:
    with swarms.changing() as state:
        agent = state.agents[agent_id]
        if agent.state is not AgentState.TERMINATED:
            agent.state = outcome.state
        agent.reason, agent.message, agent.branch = outcome.reason, outcome.message, outcome.branch
        agent.ended_at = datetime.now(UTC)


if __name__ == "__main__":
    supervise(Swarms(Path(sys.argv[1])), sys.argv[2])
