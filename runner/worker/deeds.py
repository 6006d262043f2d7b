"""What a submitted run consists of: each deed may be repeated after a crash, and takes and returns plain JSON."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from runner.agents.choice import agent_named
from runner.checkout.repository import Repository
from runner.errors import Left, RunnerError, StorageUnavailable
from runner.merging import integrated
from runner.merging.integrated import needs_integration, tell_checks
from runner.merging.joint import join
from runner.outcomes.outcomes import deposit
from runner.runs.archive import Archive
from runner.runs.headless import MOVED, HeadlessJob
from runner.runs.identity import identity_in
from runner.runs.notes import Notes
from runner.runs.records import Closed, Entry, Record
from runner.runs.run import Run
from runner.runs.state import State
from runner.runs.submission import CHECKS, RunFolder, Submission, read_submission
from runner.sessions.attempt import attempts
from runner.tasks.plan import Planned
from runner.worker.attendance import Attendance

ATTENDANCE = Attendance()
NEVER_STARTED = "stopped by the user before it started"
SHORTEST_PAUSE_S = 1.0
PERSON = "person"
"""In the place of a program."""
PERSON_POLL_S = 0.2


class Part(TypedDict):
    """One task of a run."""

    worker: str
    program: str
    after: list[str]


class Came(TypedDict):
    """What came of a task up to now."""

    state: str
    pause_s: float
    """Longer than 0: it goes on after so many seconds."""


class Plan(TypedDict):
    """What is to be carried out."""

    at_once: int
    parts: list[Part]
    came: dict[str, Came]
    """What came of the tasks of an earlier submission that others wait for."""


def begin(folder: str) -> Plan:
    """Read what was submitted."""
    path = Path(folder)
    submission = read_submission(path)
    entries = {entry.record.worker: entry for entry in Archive(path.parents[1]).entries(path.name)}
    parts = [
        Part(worker=name, program=entries[name].record.program, after=list(entries[name].record.after))
        for name in submission.workers
    ]
    persons = [Part(worker=name, program=PERSON, after=[]) for name in submission.awaited]
    earlier = {name for part in parts for name in part["after"]} - {*submission.workers, *submission.awaited}
    came = {name: Came(state=entries[name].state, pause_s=0) for name in earlier if name in entries}
    return Plan(at_once=submission.at_once, parts=[*parts, *persons], came=came)


def attempt(folder: str, worker: str) -> Came:
    """Carry out a task as far as it goes now; an error of ours fails the task, not the run."""
    run_folder = RunFolder(Path(folder))
    entry = _entry(folder, worker)
    begun = bool(attempts(entry.folder))
    submitted = run_folder.submission
    stagger_s = submitted.stagger_s if submitted else 0.0
    with ATTENDANCE.seat(run_folder, worker, entry.record.program, stagger_s, begun=begun) as stop:
        if stop.is_set() and isinstance(entry, Closed):  # it slept until its usage limit is reset
            return _cancelled(run_folder, entry)
        try:
            submission = read_submission(run_folder.path)
            run = replace(_run(run_folder, submission), stop=stop, leave=ATTENDANCE.leave)
            record = entry.record if begun else _opened(run, entry)
            program, env = record.program, run_folder.environment.get(record.program, {})
            agent = agent_named(program, submission.programs.get(program), env)
            planned = Planned(worker, record.task, record.decision, brief=record.brief)
            closed = HeadlessJob(planned, agent, identity_in(env), submission.tools).carry_out(run)
        except Left:
            ATTENDANCE.park()
            raise
        except (RunnerError, OSError) as error:
            is_there = submitted is None or submitted.repository.is_dir()
            told = str(error) if is_there else MOVED.format(path=entry.record.cwd, run=entry.record.run_id)
            closed = _archive(run_folder).close(entry.record, State.FAILED if is_there else State.CANCELLED, told)
    return Came(state=closed.state, pause_s=_pause_s(closed))


def await_person(folder: str, worker: str) -> Came:
    """Wait until a person has done their task, in whichever terminal, or the run is to end."""
    run_folder = RunFolder(Path(folder))
    while not run_folder.is_cancelled(worker):
        entry = _archive(run_folder).entry(run_folder.path.name, worker)
        if entry and entry.ending and entry.state is not State.WAITING:
            return Came(state=entry.state, pause_s=0)
        if ATTENDANCE.leave.wait(PERSON_POLL_S):
            ATTENDANCE.park()
    return Came(state=State.CANCELLED, pause_s=0)


def tell(folder: str, worker: str) -> None:
    """Leave what came of a task for the router."""
    run_folder, entry = RunFolder(Path(folder)), _entry(folder, worker)
    if isinstance(entry, Closed):
        try:
            deposit(entry, run_folder.home / "outbox")
        except RunnerError as error:
            run_folder.note(note=f"{worker}: what came of it is neither kept nor sent: {error}")


def drop(folder: str, waiting: list[str], lost: list[str]) -> dict[str, Came]:
    """Close tasks that won't be started any more: of a cancelled run all, else those that wait for a failed one."""
    run_folder = RunFolder(Path(folder))
    everything = run_folder.is_cancelled()
    for name in waiting if everything else lost:
        if name in read_submission(run_folder.path).awaited:
            continue
        record = _entry(folder, name).record
        failed = [one for one in record.after if _entry(folder, one).state != State.SUCCEEDED]
        reason = NEVER_STARTED if everything else f"not started, for {', '.join(failed)} did not succeed"
        _archive(run_folder).close(record, State.CANCELLED, reason, attempts=0)
    return {name: Came(state=State.CANCELLED, pause_s=0) for name in (waiting if everything else lost)}


def integrate(folder: str) -> None:
    """Merge what the workers did, where there is something to merge or to check; an error of ours is told."""
    run_folder = RunFolder(Path(folder))
    if run_folder.is_cancelled():
        return
    try:
        run = _run(run_folder, read_submission(run_folder.path))
        entries = [entry for entry in run.archive.entries(run.id) if entry.record.branch]
        if needs_integration(run, entries, run.project):
            done = integrated.integrate(run, entries, run.project, run.env)
            tell_checks(done, entries, run_folder.home / "outbox")
    except (RunnerError, OSError) as error:
        run_folder.note(note=f"the work is not merged: {error}")


def end(folder: str) -> None:
    """Note that the run is done with."""
    RunFolder(Path(folder)).end()


def _run(run_folder: RunFolder, submission: Submission) -> Run:
    return Run(
        id=submission.run_id, repository=Repository.at(submission.repository), base=submission.base,
        base_name=submission.base_name, cwd=submission.cwd, archive=_archive(run_folder), limits=submission.limits,
        lock_wait_s=submission.lock_wait_s, max_cost_usd=submission.max_cost_usd, progress=Notes(run_folder),
        project=submission.project, env=run_folder.environment.get(CHECKS, {}),
    )  # fmt: skip


def _archive(run_folder: RunFolder) -> Archive:
    return Archive(run_folder.path.parents[1])


def _entry(folder: str, worker: str) -> Entry:
    path = Path(folder)
    entry = Archive(path.parents[1]).entry(path.name, worker)
    if entry is None:
        raise StorageUnavailable(path / worker / "run.json", "can't be read")
    return entry


def _cancelled(run_folder: RunFolder, entry: Closed) -> Came:
    told = {"status": State.CANCELLED, "reason": "stopped by the user", "ended_at": datetime.now(UTC)}
    _archive(run_folder).end(entry.record, entry.ending.model_copy(update=told))
    return Came(state=State.CANCELLED, pause_s=0)


def _pause_s(closed: Closed) -> float:
    if closed.state is not State.RATE_LIMITED or closed.ending.resets_at is None:
        return 0
    return max(SHORTEST_PAUSE_S, (closed.ending.resets_at - datetime.now(UTC)).total_seconds())


def _opened(run: Run, entry: Entry) -> Record:
    """The record of a task that starts now: from the work of the tasks it waited for, if it waited for any."""
    before = [run.archive.entry(run.id, name) for name in entry.record.after]
    commits = [one.ending.commit for one in before if one and one.ending and one.ending.commit]
    start = join(run, entry.record.worker, commits) if commits else ""
    base = {"base": start, "base_name": start[:10]} if start else {}
    record = entry.record.model_copy(update={"started_at": datetime.now(UTC), **base})
    run.archive.begin(record)
    return record
