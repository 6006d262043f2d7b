"""A run that is there already: ended, gone on with, tried again, or had here where it waits for a person."""

import os
import signal
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from router.labels import Mode
from runner.agents.choice import headless_agent, interactive_agent
from runner.census import is_alive
from runner.errors import BadInput
from runner.orders.opening import Order, open_run
from runner.runs.executor import ensure_worker
from runner.runs.interactive import InteractiveJob, has_window
from runner.runs.records import Closed, Entry, Record
from runner.runs.run import Run
from runner.runs.state import STOPPED, State
from runner.runs.submission import RunFolder, Submission
from runner.runs.tries import first_name, latest_tries, next_name
from runner.sessions.attempt import ask_to_end, reopen
from runner.settings import Settings
from runner.tasks.plan import Planned
from runner.terminal.progress import Progress
from runner.worker.handover import resubmit
from runner.workflows.job import WorkflowJob

LOST = frozenset({*STOPPED, State.FAILED, State.REJECTED, State.NEEDS_INPUT})
"""What `retry` does again: a new session, from the beginning."""


def cancel(folder: RunFolder, entries: Sequence[Entry], worker: str | None) -> None:
    """Have a run, or one task of it, end; nobody is waited for.

    Raises:
        BadInput: it has ended already.
        ProgramMissing, StorageUnavailable: nobody can be told.
    """
    open_ones = [entry for entry in entries if entry.ending is None or entry.state is State.RATE_LIMITED]
    if not open_ones and (worker or folder.has_ended):
        raise BadInput(f"{entries[0].record.run_id} has ended already; `runner status` shows how")
    if folder.submission:
        folder.cancel(entries[0].record.worker if worker else None)
        ensure_worker(folder.home)
        return
    for entry in open_ones:
        ask_to_end(entry.folder)
    for entry in open_ones:  # a workflow's own process would go on with its next phase
        if worker is None and is_alive(entry.record.runner_pid, entry.record.runner_started):
            with suppress(ProcessLookupError):
                os.kill(entry.record.runner_pid, signal.SIGTERM)


@dataclass(frozen=True)
class Again:
    """Goes on with a run that was submitted before, in the environment of now."""

    settings: Settings
    cwd: Path
    progress: Progress
    timeout_s: float | None = None
    """Further time for each session; None: as much as it had."""

    def resume(self, entries: Sequence[Entry]) -> RunFolder:
        """Go on with those sessions that were stopped, each in its own conversation and worktree.

        Raises:
            BadInput: there is nothing to go on with, or the run is under way.
        """
        stopped = [entry for entry in entries if entry.state in STOPPED and entry.record.submitted]
        return self._reopen(entries, stopped, "nothing of it was stopped")

    def answer(self, entries: Sequence[Entry], answer: str) -> RunFolder:
        """Go on with the one session of `entries` that ended with a question; the `answer` is what it is told.

        Raises:
            BadInput: none has asked, or several have; the answer is blank; or the run is under way.
        """
        asking = [entry for entry in entries if entry.state is State.NEEDS_INPUT and entry.record.submitted]
        run_id = entries[0].record.run_id
        if len(asking) > 1:
            names = ", ".join(entry.record.worker for entry in asking)
            raise BadInput(f"{names} ask: name the one that is answered, `runner resume {run_id} WORKER --answer …`")
        if not answer.strip():
            raise BadInput('the answer is blank; say --answer "…", or `runner retry` to begin again')
        return self._reopen(entries, asking, "nothing of it asks", answer)

    def _reopen(self, entries: Sequence[Entry], stopped: Sequence[Entry], none: str, answer: str = "") -> RunFolder:
        folder, submission = self._submission(entries, stopped, none)
        spent_s = max(entry.ending.wall_s or 0 if entry.ending else 0 for entry in stopped)
        for entry in stopped:
            reopen(entry.folder, answer)
            for name in ("exit.json", "cancel"):
                (entry.folder / name).unlink(missing_ok=True)
        limits = submission.limits
        longer = replace(limits, wall_s=(self.timeout_s or limits.wall_s) + spent_s)
        return self._submit(folder, submission.model_copy(update={"limits": longer}), [one.record for one in stopped])

    def retry(self, entries: Sequence[Entry]) -> RunFolder:
        """Do again what did not succeed: new sessions under new names, from where the first ones began.

        Raises:
            BadInput: nothing of it failed, or the run is under way.
        """
        latest = latest_tries(entries)
        lost = [entry for entry in latest if entry.state in LOST and entry.record.submitted]
        folder, submission = self._submission(entries, lost, "nothing of it failed")
        run = self._run(submission)
        names = {entry.record.worker: next_name(entry.record.worker) for entry in lost}
        current = {first_name(entry.record.worker): entry.record.worker for entry in latest}
        records = []
        for entry in lost:
            before = (current.get(first_name(name), name) for name in entry.record.after)
            after = tuple(names.get(name, name) for name in before)
            records.append(_renewed(run, entry.record, names[entry.record.worker], after, submission.base))
            run.archive.begin(records[-1])
        longer = replace(submission.limits, wall_s=self.timeout_s or submission.limits.wall_s)
        return self._submit(folder, submission.model_copy(update={"limits": longer}), records)

    def _submission(self, entries: Sequence[Entry], chosen: Sequence[Entry], none: str) -> tuple[RunFolder, Submission]:
        run_id = entries[0].record.run_id
        folder = RunFolder(entries[0].folder.parent)
        submission = folder.submission
        if submission is None or not chosen:
            raise BadInput(f"run {run_id}: {none}; `runner status` shows where its tasks stand")
        if folder.marker.exists():
            raise BadInput(f"run {run_id} is under way; `runner watch {run_id}` shows it, `runner cancel` ends it")
        return folder, submission

    def _run(self, submission: Submission) -> Run:
        opened = open_run(Order(()), self.settings, self.cwd, self.progress)
        return replace(opened, id=submission.run_id, base=submission.base, base_name=submission.base_name,
                       cwd=submission.cwd, max_cost_usd=submission.max_cost_usd)  # fmt: skip

    def _submit(self, folder: RunFolder, submission: Submission, records: Sequence[Record]) -> RunFolder:
        programs = sorted({record.program for record in records})
        agents = [headless_agent(self.settings.model_copy(update={"headless": name}), self.progress.note)
                  for name in programs]  # fmt: skip
        here = open_run(Order(()), self.settings, self.cwd, self.progress)
        submission = submission.model_copy(update={"repository": here.repository.root})  # it may have been moved
        workers = [record.worker for record in records]
        return resubmit(folder, submission, workers, agents, here.env, self.progress.note)


def attach(entry: Entry, run: Run, settings: Settings) -> Closed:
    """Have a task that waits for a person now, in this terminal.

    Raises:
        BadInput: it does not wait, or needs no person.
    """
    record = entry.record
    planned = Planned(record.worker, record.task, record.decision, record.after, record.brief)
    if has_window(entry):
        return InteractiveJob(planned, interactive_agent(settings), window=True).carry_out(run)
    if entry.state is not State.WAITING:
        raise BadInput(f"{planned.worker} does not wait for a person: it is {entry.state}")
    if planned.mode is Mode.HEADLESS:
        command = entry.record.command.replace("runner execute", "runner execute --yes", 1)
        raise BadInput(f"{planned.worker} needs no person, only a yes; start it: {command}")
    own = entry.record.command.partition("runner resume ")[2]
    if own:
        raise BadInput(f"{planned.worker} is the workflow run {own}; `runner resume {own}` goes on with it")
    sitting = interactive_agent(settings)
    (entry.folder / "exit.json").unlink(missing_ok=True)
    if planned.mode is Mode.HYBRID:
        return WorkflowJob(planned, sitting, settings).carry_out(run)
    return InteractiveJob(planned, sitting, settings.tmux).carry_out(run)


def _renewed(run: Run, record: Record, worker: str, after: tuple[str, ...], base: str) -> Record:
    session_id = str(uuid.uuid4())
    path = run.archive.worktree(run.id, worker)
    return record.model_copy(update={
        "worker": worker, "session_id": session_id, "cwd": path, "branch": f"dual/{run.id}/{worker}",
        "after": after, "base": base, "base_name": run.base_name, "started_at": datetime.now(UTC),
        "command": record.command.replace(record.session_id, session_id).replace(record.worker, worker),
    })  # fmt: skip
