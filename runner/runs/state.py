"""Where a task stands."""

from enum import StrEnum

from router.labels import Status


class State(StrEnum):
    """Where a task stands: how it ended, or why it has not."""

    SUCCEEDED = Status.SUCCEEDED
    FAILED = Status.FAILED
    TIMED_OUT = Status.TIMED_OUT
    STALLED = Status.STALLED
    BUDGET_EXHAUSTED = "budget_exhausted"
    """Stopped before it cost more than it may."""
    RATE_LIMITED = "rate_limited"
    """The program's usage limit is reached; it goes on when that is reset."""
    NEEDS_INPUT = "needs_input"
    """It ended with a question to the person."""
    CANCELLED = Status.CANCELLED
    REJECTED = Status.REJECTED
    WAITING = "waiting"
    """It needs a person, and none was there: its command is to be run later."""
    QUEUED = "queued"
    """Submitted; the worker starts it when its turn comes."""
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    """Who followed it was killed, and its program is gone; `runner resume` goes on with it."""


WORKFLOW_FILE = "workflow.json"
"""Where a workflow's run stands; a run without it is none of a workflow."""
STOPPED = frozenset(
    {State.CANCELLED, State.INTERRUPTED, State.TIMED_OUT, State.STALLED, State.RATE_LIMITED, State.BUDGET_EXHAUSTED}
)
"""What `runner resume` goes on with: the same session, in its worktree."""
UNDER_WAY = frozenset({State.QUEUED, State.RUNNING})
"""What has neither ended nor waits for anybody."""
