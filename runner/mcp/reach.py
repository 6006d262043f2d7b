"""Whose results an agent may not read: looked up in the swarm, or in the workflow, that it belongs to."""

from pathlib import Path
from typing import TYPE_CHECKING

from runner.mcp.swarms import Agent, Swarms
from runner.mcp.topology import Member, hidden_from
from runner.runs.state import WORKFLOW_FILE

if TYPE_CHECKING:
    from runner.workflows.model import Workflow


def hidden_for(home: Path, run: str, agent_id: str) -> frozenset[str]:
    """The agents whose `results` are not for `agent_id`; `home` is the repository's folder.

    Nobody's are hidden from whom neither a swarm nor the workflow of `run` knows.
    """
    if not agent_id:
        return frozenset()
    state = Swarms(home / "swarms").read()
    reader: Agent | None = state.agents.get(agent_id)
    if reader is None:
        return _hidden_in_workflow(home, run, agent_id)
    swarm = state.swarm(reader.swarm_id)
    return hidden_from(swarm.topology, state.members(swarm.id), reader)


def _hidden_in_workflow(home: Path, run: str, agent_id: str) -> frozenset[str]:
    path = home / "runs" / run / WORKFLOW_FILE
    if not run or "/" in run or not path.is_file():
        return frozenset()
    from runner.workflows.state import Ledger  # a server of a swarm's agent needs nothing of it

    return hidden_in(Ledger(path).read().workflow, agent_id)


def hidden_in(workflow: "Workflow", worker: str) -> frozenset[str]:
    """The workers of a workflow whose results are not for `worker`: its topology says so, where it has one."""
    members = [Member(one.name, one.role) for one in workflow.workers()]
    reader = next((one for one in members if one.id == worker), None)
    return frozenset() if reader is None or not workflow.topology else hidden_from(workflow.topology, members, reader)
