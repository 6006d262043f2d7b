"""Headless work: a worktree, a session in it, and all of its work on a branch afterwards."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.agents.protocol import Agent, Session
from runner.errors import GitFailed, RunnerError
from runner.events import one_line
from runner.lock import locked
from runner.plan import Planned
from runner.records import Closed, Record, State
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


@dataclass(frozen=True)
class HeadlessJob:
    """A task that an agent does alone."""

    planned: Planned
    agent: Agent
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """As a session's, and so `tools`."""
    tools: tuple[str, ...] = ()

    def branch(self, run: Run) -> str:
        """The worker's own branch."""
        return f"dual/{run.id}/{self.planned.worker}"

    def session(self, run: Run) -> Session:
        """Describe the session; nothing is made or started yet."""
        path = run.archive.worktree(run.id, self.planned.worker)
        return Session(
            id=str(uuid.uuid4()),
            task=self.planned.task,
            cwd=path,
            prompt=run.archive.session(run.id, self.planned.worker) / "prompt.txt",
            git_folders=git_folders(run.repository, path, self.branch(run)),
            max_cost_usd=run.max_cost_usd,
            env=self.env,
            tools=self.tools,
        )

    def carry_out(self, run: Run) -> Closed:
        """Let the agent do the task in a worktree of its own; an error of ours fails the task, not the run."""
        session, worker = self.session(run), self.planned.worker
        record = run.record(
            self.planned, self.agent.name, self.agent.command(session).shell(), session_id=session.id,
            cwd=session.cwd, branch=self.branch(run), base=run.base, base_name=run.base_name,
        )  # fmt: skip
        try:
            run.archive.begin(record)
            if run.stop.is_set():
                return run.close(record, State.CANCELLED, "stopped by the user before it started")
            with locked(run.archive.lock, run.lock_wait_s):
                tree = Worktree.add(run.repository, session.cwd, self.branch(run), run.base)
            run.progress.started(worker, self.agent.name)
            verdict = work(session, self.agent, run.limits, run.stop, lambda event: run.progress.heard(worker, event))
        except RunnerError as error:
            return run.close(record, State.FAILED, str(error))
        return _close(run, record, verdict, settle(tree, record))


def settle(tree: Worktree, record: Record) -> Settled:
    """Bring all work of a session onto its branch, however the session ended."""
    title = f"dual: {one_line(record.task)[:60]}"
    message = f"{title}\n\nRun: {record.run_id}/{record.worker}\nDecision: {record.decision.decision_id}"
    try:
        return Settled(tree.settle(message), tree.diff())
    except GitFailed as error:
        return Settled(problem=f"not committed, the work lies in {tree.path}: {one_line(error.problem)}")


def _close(run: Run, record: Record, verdict: Verdict, settled: Settled) -> Closed:
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
