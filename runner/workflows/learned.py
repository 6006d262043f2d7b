"""What the router learns of a workflow that has ended."""

from router.labels import Platform, Status
from router.schemas import Outcome
from runner.agents.events import one_line
from runner.outcomes.outbox import Outbox
from runner.outcomes.outcomes import LONGEST_REASON
from runner.runs.records import Closed
from runner.runs.run import Run
from runner.workflows.state import RunState, Stand

STATUS = {Stand.DONE: Status.SUCCEEDED, Stand.FAILED: Status.FAILED, Stand.REJECTED: Status.REJECTED,
          Stand.CANCELLED: Status.CANCELLED}  # fmt: skip


def told(state: RunState, run: Run, outbox: Outbox) -> RunState:
    """Let the router learn what came of it."""
    if state.stand in STATUS:
        sessions = [one for one in run.archive.entries() if one.record.run_id == run.id and isinstance(one, Closed)]
        outbox.record(outcome_of(state, sessions))
    return state


def outcome_of(state: RunState, sessions: list[Closed]) -> Outcome:
    """Sum up a workflow and its sessions for the router."""
    endings = [one.ending for one in sessions]
    accepted = {"accept": True, "reject": False}.get(state.verdict or "")
    tests = [check.passed for phase in state.phases.values() for check in phase.checks]
    return Outcome(
        decision_id=state.decision.decision_id, run_id=state.run_id, platform=Platform.HYBRID,
        status=STATUS[state.stand], accepted=accepted,
        wall_s=sum(one.wall_s or 0 for one in endings), tokens=sum(one.tokens or 0 for one in endings),
        cost_usd=sum(one.cost_usd or 0 for one in endings),
        diff_lines=sum(one.diff.added + one.diff.removed for one in endings if one.diff),
        tests_passed=all(tests) if tests else None, retries=state.round - 1,
        terminal_reason=one_line(state.reason)[:LONGEST_REASON],
    )  # fmt: skip
