"""Where a task stands: what its agents make of it."""

from enum import StrEnum

from runner.mcp.swarms import ENDED, Agent, AgentState, State, Task


class Progress(StrEnum):
    """Of a task."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


def workers_of(state: State, task: Task) -> list[Agent]:
    """The agents that a task was given to."""
    return [state.agents[agent_id] for agent_id in task.assigned_to if agent_id in state.agents]


def progress_of(state: State, task: Task) -> Progress:
    """Where a task stands; failed as soon as all are done and one failed."""
    stands = [agent.state for agent in workers_of(state, task)]
    if not stands:
        return Progress.PENDING
    if any(stand not in ENDED for stand in stands):
        return Progress.IN_PROGRESS
    return Progress.COMPLETED if set(stands) == {AgentState.COMPLETED} else Progress.FAILED
