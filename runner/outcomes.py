"""What the router learns of a task that ended."""

from router.labels import Status
from router.schemas import Feedback, Outcome
from runner.events import one_line
from runner.outbox import Outbox
from runner.records import Entry, State

LONGEST_REASON = 500
"""As the router takes it, in characters."""
UNENDED = {State.WAITING, State.RUNNING, State.INTERRUPTED}


def tell(entry: Entry, outbox: Outbox) -> None:
    """Give what came of a task, and the person's verdict, on their way; raises as `Outbox.record` does."""
    if outcome := outcome_of(entry):
        outbox.record(outcome)
    if entry.ending and entry.ending.better:
        decision_id = entry.record.decision.decision_id
        outbox.correct(Feedback(decision_id=decision_id, verdict="bad", platform=entry.ending.better))


def outcome_of(entry: Entry) -> Outcome | None:
    """Sum up a task for the router; None while there is nothing to learn from it."""
    record, ending = entry.record, entry.ending
    if ending is None or ending.status in UNENDED:
        return None
    return Outcome(
        decision_id=record.decision.decision_id,
        run_id=record.run_id,
        platform=record.decision.platform,
        status=Status(ending.status),
        accepted=ending.accepted,
        wall_s=ending.wall_s,
        turns=ending.turns,
        tokens=ending.tokens,
        cost_usd=ending.cost_usd,
        diff_lines=ending.diff.added + ending.diff.removed if ending.diff else None,
        retries=ending.retries,
        terminal_reason=one_line(ending.reason)[:LONGEST_REASON],
    )
