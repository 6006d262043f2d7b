"""What the router learns of a task that ended."""

from pathlib import Path
from typing import TYPE_CHECKING

from router.labels import Status
from router.schemas import Feedback, Outcome
from runner.agents.events import one_line
from runner.outcomes.letter import leave
from runner.runs.records import Closed

if TYPE_CHECKING:  # the worker reaches no router
    from runner.outcomes.outbox import Outbox

LONGEST_REASON = 500
"""As the router takes it, in characters."""


def tell(entry: Closed, outbox: "Outbox") -> None:
    """Give what came of a task, and the person's verdict, on their way; raises as `Outbox.record` does."""
    outbox.record(outcome_of(entry))
    if entry.ending.better:
        decision_id = entry.record.decision.decision_id
        outbox.correct(Feedback(decision_id=decision_id, verdict="bad", platform=entry.ending.better))


def deposit(entry: Closed, folder: Path, *, tests_passed: bool | None = None) -> None:
    """Leave in the outbox `folder` what came of a task, for whoever reaches the router next.

    `tests_passed` says what the checks of the merged work found; None where there were none, or not yet. The letter's
    name is the same each time, so that one that was left twice is sent once.

    Raises:
        StorageUnavailable: it can't be kept.
    """
    moment = int(entry.ending.ended_at.timestamp() * 1e9)
    outcome = outcome_of(entry, tests_passed=tests_passed)
    leave(folder, f"{moment}-{entry.record.run_id}-{entry.record.worker}", outcome=outcome)


def outcome_of(entry: Closed, *, tests_passed: bool | None = None) -> Outcome:
    """Sum up a task for the router; one that waits has no outcome yet."""
    record, ending = entry.record, entry.ending
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
        tests_passed=tests_passed,
        retries=ending.retries,
        terminal_reason=one_line(ending.reason)[:LONGEST_REASON],
    )
