"""Headless tasks on their way to the worker: written down, each with the exact command, then submitted at once."""

import os
from collections.abc import Callable, Mapping, Sequence

from runner.agents.choice import facts_of
from runner.agents.protocol import Agent
from runner.pace import Pace
from runner.runs.archive import Archive
from runner.runs.executor import ensure_worker, renew_worker
from runner.runs.headless import HeadlessJob
from runner.runs.records import Record
from runner.runs.run import Run
from runner.runs.submission import CHECKS, RunFolder, Submission

FEW = 20
"""Tasks whose files are flushed to the disk one by one; those of more, all at once."""


def run_folder(archive: Archive, run_id: str) -> RunFolder:
    """The files of a run."""
    return RunFolder(archive.folder / "runs" / run_id)


def hand_over(jobs: Sequence[HeadlessJob], run: Run, *, at_once: int, awaited: Sequence[str] = ()) -> RunFolder:
    """Submit the tasks of a run and return once nothing that happens to this process can lose them.

    `awaited` are tasks of the run that a person does and others wait for.

    Raises:
        ProgramMissing, StorageUnavailable: the run can't be submitted, and nothing was started.
    """
    folder = run_folder(run.archive, run.id)
    renew_worker(folder.home, run.progress.note)
    for job in jobs:
        run.archive.begin(_record(job, run), flush=len(jobs) <= FEW)
    if len(jobs) > FEW:
        os.sync()
    facts = {job.agent.name: facts_of(job.agent) for job in jobs}
    submission = Submission(
        run_id=run.id, repository=run.repository.root, base=run.base, base_name=run.base_name, cwd=run.cwd,
        limits=run.limits, lock_wait_s=run.lock_wait_s, max_cost_usd=run.max_cost_usd, at_once=at_once,
        project=run.project, programs={name: program for name, (program, _) in facts.items()},
        workers=tuple(job.planned.worker for job in jobs), awaited=tuple(awaited), tools=jobs[0].tools,
        stagger_s=Pace.read(os.environ).stagger_s,
    )  # fmt: skip
    folder.submit(submission, {CHECKS: run.env, **{name: env for name, (_, env) in facts.items()}})
    ensure_worker(folder.home)
    return folder


def resubmit(
    folder: RunFolder,
    before: Submission,
    workers: Sequence[str],
    agents: Sequence[Agent],
    env: Mapping[str, str],
    note: Callable[[str], None],
) -> RunFolder:
    """Submit some tasks of a run again, with the programs and the environment of now; `env` is what checks see.

    `note` is told what the user should know.

    Raises:
        ProgramMissing, StorageUnavailable: it can't be submitted.
    """
    renew_worker(folder.home, note)
    facts = {agent.name: facts_of(agent) for agent in agents}
    programs = {name: program for name, (program, _) in facts.items()}
    stagger_s = Pace.read(os.environ).stagger_s
    changed = {"number": before.number + 1, "workers": tuple(workers), "programs": programs, "stagger_s": stagger_s}
    seen = {CHECKS: env, **{name: seen for name, (_, seen) in facts.items()}}
    folder.submit(before.model_copy(update=changed), seen)
    ensure_worker(folder.home)
    return folder


def _record(job: HeadlessJob, run: Run) -> Record:
    session = job.session(run)
    return run.record(
        job.planned, job.agent.name, job.agent.command(session).shell(), session_id=session.id, cwd=session.cwd,
        branch=job.branch(run), base=run.base, base_name=run.base_name, submitted=True,
    )  # fmt: skip
