"""Headless work: a worktree, a session in it, and all of its work on a branch afterwards."""

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from router.labels import Status
from runner.agents.events import one_line
from runner.agents.protocol import Agent, Session
from runner.census import started_at
from runner.checkout.worktree import Diff, Worktree, git_folders
from runner.errors import GitFailed, Left, RunnerError
from runner.lock import locked
from runner.runs.budget import Budget
from runner.runs.records import Closed, Ending, Entry, Record
from runner.runs.run import Run
from runner.runs.state import State
from runner.runs.workplace import Workplace
from runner.sessions.attempt import ask_to_end, attempts
from runner.sessions.session import work
from runner.sessions.verdict import Verdict
from runner.tasks.plan import Planned

SPENT = "the budget of the run is used up, or set aside for its other sessions"
GONE = "its worktree was deleted: what it had committed is kept"
MOVED = "its repository was moved or removed; its work lies in {path}: go to the repository, and `runner resume {run}`"
ELSEWHERE = "it also worked on {other}, which {branch} does not lead to"


@dataclass(frozen=True)
class Settled:
    """What of a worker's work is on its branch."""

    commit: str | None = None
    diff: Diff | None = None
    problem: str = ""
    """Why it is not; the work then still lies in the worktree."""
    note: str = ""
    """What else is to be said of it."""


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

    def session(self, run: Run, session_id: str = "") -> Session:
        """Describe the session; nothing is made or started yet."""
        path = run.archive.worktree(run.id, self.planned.worker)
        return Session(
            id=session_id or str(uuid.uuid4()),
            task=self.planned.prompt,
            cwd=path,
            prompt=run.archive.session(run.id, self.planned.worker) / "prompt.txt",
            git_folders=git_folders(run.repository, path, self.branch(run)),
            max_cost_usd=run.max_cost_usd,
            max_turns=run.limits.turns,
            env=self.env,
            tools=self.tools,
        )

    def carry_out(self, run: Run) -> Closed:
        """Let the agent do the task in a worktree of its own; an error of ours fails the task, not the run.

        May be called again after any crash, and by two at once: the session is begun once, then followed, adopted or
        resumed, and one that is closed stays so. Only one that was rate-limited goes on, once its time has come.

        Raises:
            Left: `run.leave` was set; the session goes on without us.
        """
        folder = run.archive.session(run.id, self.planned.worker)

        def meanwhile() -> None:
            if run.leave.is_set():
                raise Left(str(folder))
            if run.stop.is_set():
                ask_to_end(folder)

        with locked(folder / "follower", float("inf"), meanwhile):
            entry = run.archive.entry(run.id, self.planned.worker)
            if entry and entry.ending and not _may_go_on(entry.ending):
                return Closed(entry.folder, entry.record, entry.ending)
            return self._follow(run, self._begin(run, entry), folder)

    def _begin(self, run: Run, entry: Entry | None) -> Record:
        """Write the task down, or that it is followed by us now."""
        if entry is None:
            session = self.session(run)
            return run.record(
                self.planned, self.agent.name, self.agent.command(session).shell(), session_id=session.id,
                cwd=session.cwd, branch=self.branch(run), base=run.base, base_name=run.base_name,
            )  # fmt: skip
        (entry.folder / "exit.json").unlink(missing_ok=True)
        ours = {"runner_pid": os.getpid(), "runner_started": started_at(os.getpid())}
        return entry.record.model_copy(update=ours)

    def _follow(self, run: Run, record: Record, folder: Path) -> Closed:
        worker, place = record.worker, Workplace(run, record)
        begun = bool(attempts(folder))
        try:
            run.archive.begin(record)
            if run.stop.is_set() and not begun:
                return run.close(record, State.CANCELLED, "stopped by the user before it started", attempts=0)
            budget = Budget(folder.parent, run.limits.run_cost_usd if self.agent.reports_cost else None)
            most_usd = budget.claim(worker, run.max_cost_usd)
            if most_usd == 0 and not begun:
                return run.close(record, State.BUDGET_EXHAUSTED, SPENT, attempts=0)
            place.open(begun=begun)
            session = replace(self.session(run, record.session_id), max_cost_usd=most_usd)
            run.progress.started(worker, self.agent.name)
            report = partial(run.progress.heard, worker)
            verdict = work(session, self.agent, run.limits, run.stop, report, run.leave)
            budget.settle(worker, verdict.tally.cost_usd)
        except Left:
            raise
        except RunnerError as error:
            return run.close(record, State.FAILED, str(error))
        if not run.repository.root.is_dir():
            return run.close(record, State.CANCELLED, MOVED.format(path=record.cwd, run=run.id))
        return _close(run, record, verdict, settle(place.tree(), record))


def settle(tree: Worktree, record: Record) -> Settled:
    """Bring all work of a session onto its branch, however the session ended."""
    title = f"dual: {one_line(record.task)[:60]}"
    message = f"{title}\n\nRun: {record.run_id}/{record.worker}\nDecision: {record.decision.decision_id}"
    try:
        gone = not tree.path.is_dir()
        commit, other = tree.settle(message), tree.elsewhere()
        note = GONE if gone else ELSEWHERE.format(other=other, branch=tree.branch) if other else ""
        return Settled(commit, tree.diff(), note=note)
    except GitFailed as error:
        return Settled(problem=f"not committed, the work lies in {tree.path}: {one_line(error.problem)}")


def _may_go_on(ending: Ending) -> bool:
    limited = ending.status is State.RATE_LIMITED
    return limited and (ending.resets_at is None or ending.resets_at <= datetime.now(UTC))


def _close(run: Run, record: Record, verdict: Verdict, settled: Settled) -> Closed:
    tally = verdict.tally
    usage, resets_at = tally.usage, verdict.resets_at
    status, reason = _asking(verdict, settled)
    return run.close(
        record,
        State.FAILED if settled.problem else State(status),
        "; ".join(part for part in (reason, settled.problem, settled.note) if part),
        exit_code=verdict.exit_code, vendor_session=tally.session_id, message=tally.message,
        wall_s=round(verdict.wall_s, 3), retries=tally.retries, commit=settled.commit, diff=settled.diff,
        tokens=usage and usage.tokens, cost_usd=usage and usage.cost_usd, turns=usage and usage.turns,
        attempts=verdict.attempts, resets_at=None if resets_at is None else datetime.fromtimestamp(resets_at, UTC),
    )  # fmt: skip


def _asking(verdict: Verdict, settled: Settled) -> tuple[Status, str]:
    """A program that ends with a question ends well in its own eyes; with no work done, it needs an answer."""
    asked = verdict.tally.question
    worked = settled.diff is not None and settled.diff.files > 0
    last = verdict.tally.message.rstrip().splitlines()[-1:]
    if not asked and last and last[0].endswith("?"):
        asked = last[0]
    if verdict.status is Status.SUCCEEDED and asked and not worked:
        return Status.NEEDS_INPUT, f"asks: {one_line(asked)}"
    return verdict.status, verdict.reason
