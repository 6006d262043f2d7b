"""Headless work: a worktree, a session in it, and all of its work on a branch afterwards."""

import uuid
from dataclasses import dataclass

from runner.agents.protocol import Agent, Session
from runner.errors import GitFailed, RunnerError
from runner.lock import locked
from runner.plan import Planned
from runner.records import Entry, Record, State
from runner.run import Run
from runner.session import Verdict, work
from runner.worktree import Diff, Worktree, git_folders


@dataclass(frozen=True)
class Settled:
    """What of a worker's work is on its branch."""

    commit: str | None = None
    diff: Diff | None = None
    problem: str = ""
    """Why it is not; the work then still lies in the worktree."""


def branch_of(run_id: str, worker: str) -> str:
    """The name of a worker's branch."""
    return f"dual/{run_id}/{worker}"


def describe(planned: Planned, run: Run) -> Session:
    """Describe a worker's session; nothing is made or started yet."""
    path = run.archive.worktree(run.id, planned.worker)
    return Session(
        id=str(uuid.uuid4()),
        task=planned.task,
        cwd=path,
        prompt=run.archive.session(run.id, planned.worker) / "prompt.txt",
        git_folders=git_folders(run.repository, path, branch_of(run.id, planned.worker)),
        max_cost_usd=run.max_cost_usd,
    )


def run_headless(planned: Planned, run: Run, agent: Agent) -> Entry:
    """Let `agent` do a task in a worktree of its own; an error of ours is the task's failure, not the run's."""
    session = describe(planned, run)
    record = run.record(
        planned, agent.name, agent.command(session).shell(), session_id=session.id, cwd=session.cwd,
        branch=branch_of(run.id, planned.worker), base=run.base, base_name=run.base_name,
    )  # fmt: skip
    try:
        run.archive.begin(record)
        if run.stop.is_set():
            return run.close(record, State.CANCELLED, "stopped by the user before it started")
        with locked(run.archive.lock, run.lock_wait_s):
            tree = Worktree.add(run.repository, session.cwd, branch_of(run.id, planned.worker), run.base)
        run.progress.started(planned.worker, agent.name)
        verdict = work(session, agent, run.limits, run.stop, lambda event: run.progress.heard(planned.worker, event))
    except RunnerError as error:
        return run.close(record, State.FAILED, str(error))
    return _close(run, record, verdict, settle(tree, record))


def settle(tree: Worktree, record: Record) -> Settled:
    """Bring all work of a session onto its branch, however the session ended."""
    first_line = record.task.strip().splitlines()[0][:60]
    message = f"dual: {first_line}\n\nRun: {record.run_id}/{record.worker}\nDecision: {record.decision.decision_id}"
    try:
        return Settled(tree.settle(message), tree.diff())
    except GitFailed as error:
        first_line = (error.problem.splitlines() or [""])[0]
        return Settled(problem=f"not committed, the work lies in {tree.path}: {first_line}")


def _close(run: Run, record: Record, verdict: Verdict, settled: Settled) -> Entry:
    tally = verdict.tally
    usage = tally.usage
    return run.close(
        record,
        State.FAILED if settled.problem else State(verdict.status),
        "; ".join(part for part in (verdict.reason, settled.problem) if part),
        exit_code=verdict.exit_code, vendor_session=tally.session_id, message=tally.message,
        wall_s=round(verdict.wall_s, 3), retries=tally.retries, commit=settled.commit, diff=settled.diff,
        tokens=usage and usage.tokens, cost_usd=usage and usage.cost_usd, turns=usage and usage.turns,
    )  # fmt: skip
