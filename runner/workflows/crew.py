"""A phase of work: shared out, done in parallel, its results kept, its branches merged and checked."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from runner.agents.protocol import Agent
from runner.mcp.reach import hidden_in
from runner.memory.render import value_text
from runner.memory.view import RESULTS
from runner.merging.integrated import open_ready
from runner.runs.records import Closed, Entry
from runner.runs.state import State
from runner.workflows import prompts
from runner.workflows.assignment import assigned, design_of
from runner.workflows.model import Phase, Worker
from runner.workflows.site import Site, as_result, in_round, once, texts
from runner.workflows.state import Job, RunState, Stand

CHECK_LIMIT_S = 900.0
Keep = Callable[[RunState], object]


def work(site: Site, state: RunState, phase: Phase, keep: Keep) -> RunState:
    """Carry out a phase of work; `keep` is given the state after every session."""
    if not state.of(phase).jobs:
        state = state.put(phase, jobs=assigned(site, state, phase))
        keep(state)
    rounds = 2 if phase.on_failure == "retry" else 1
    for _ in range(rounds):
        for closed, job in _sessions(site, state, phase):
            _keep_result(site, state, phase, job, closed)
            state = state.put_job(phase, job)
            keep(state)
        if site.run.stop.is_set():
            return state.put(phase, stand=Stand.CANCELLED, reason="stopped by the user")
        if not _failed(state, phase):
            break
    return _merged(site, state, phase)


def _sessions(site: Site, state: RunState, phase: Phase) -> Iterator[tuple[Closed, Job]]:
    """Run those sessions that have not succeeded yet, several at once."""
    jobs = [job for job in state.of(phase).jobs if job.state is not State.SUCCEEDED]
    at_once = min(len(jobs), state.workers or phase.limits.at_once or site.settings.workers_at_once()) or 1
    for job in jobs:
        texts(site, state, phase, _worker(phase, job))  # what can't be filled in must stop all, before any starts
    starter = _Starter(site, state, phase, site.agent(phase.platform))
    with ThreadPoolExecutor(at_once) as pool:
        futures = {pool.submit(starter.start, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                yield future.result(), _ended(futures[future], future.result())
        except BaseException:
            site.give_up()
            raise


@dataclass(frozen=True)
class _Starter:
    """Starts the sessions of one phase."""

    site: Site
    state: RunState
    phase: Phase
    agent: Agent

    def start(self, job: Job) -> Closed:
        """Have one session, unless it succeeded already; a further try goes on from what the last one left."""
        site, state, worker = self.site, self.state, _worker(self.phase, job)

        def begin(name: str, last: Entry | None) -> Closed:
            left = last.ending.commit if last and last.ending and _changed(last) else None
            prompt = self._prompt(worker, job, again=left is not None)
            session = site.headless(state, name, prompt, self.agent, worker.name)
            done = site.have(session, site.under(self.phase, left or state.tip))
            site.run.progress.ended(name, done.state, done.reason)
            return done

        return once(site, in_round(job.worker, state), state.of(self.phase), begin)

    def _prompt(self, worker: Worker, job: Job, *, again: bool) -> str:
        site, state, phase = self.site, self.state, self.phase
        tasks, own = texts(site, state, phase, worker)
        told = worker.model_copy(update={"task": own})
        share = (*((own,) if own and not job.share else ()), *job.share)
        design = design_of(site, state, phase)
        hidden = hidden_in(state.workflow, worker.name)
        before = [
            one for other in state.workflow.before(phase) for one in other.workers if one.name not in hidden
        ]  # fmt: skip
        return prompts.work_prompt(
            state, told, job.model_copy(update={"share": share}), count=len(state.of(phase).jobs), tasks=tasks,
            design=value_text(design) if design else "", results=site.results(before), again=again,
        )  # fmt: skip


def _worker(phase: Phase, job: Job) -> Worker:
    return next(one for one in phase.workers if one.name == job.worker)


def _changed(entry: Entry) -> bool:
    return bool(entry.ending and entry.ending.diff and entry.ending.diff.files)


def _ended(job: Job, closed: Closed) -> Job:
    ending, record = closed.ending, closed.record
    return job.model_copy(update={
        "state": closed.state, "reason": closed.reason, "session": record.worker, "branch": record.branch,
        "commit": ending.commit, "diff": ending.diff,
    })  # fmt: skip


def _keep_result(site: Site, state: RunState, phase: Phase, job: Job, closed: Closed) -> None:
    """Store a result for a worker that stored none in this session."""
    worker = _worker(phase, job)
    begun = state.of(phase).model_copy(update={"since": closed.record.started_at})
    if site.stored(worker.result_key, RESULTS, begun) is None:
        site.store(worker.result_key, as_result(job, closed.ending.message), RESULTS, author=worker.name)


def _failed(state: RunState, phase: Phase) -> list[Job]:
    return [job for job in state.of(phase).jobs if job.state is not State.SUCCEEDED]


def _merged(site: Site, state: RunState, phase: Phase) -> RunState:
    jobs, failed = state.of(phase).jobs, _failed(state, phase)
    done = [job for job in jobs if job.state is State.SUCCEEDED]
    limit_s = phase.limits.timeout_s or CHECK_LIMIT_S
    with site.merging():
        integration = open_ready(site.run, state.base, site.run.project, site.run.env)
        conflicts = integration.merge((job.worker, job.branch) for job in done if job.branch)
        checks = integration.check(phase.checks or site.run.project.check, limit_s, site.settings.pass_env)
        unmerged = integration.unmerged(state.unmerged)
        state = state.model_copy(update={"tip": integration.tip, "unmerged": unmerged})
    for check in checks:
        site.run.progress.note(f"check {'passed' if check.passed else 'FAILED'}: {check.command}")
    goes_on = bool(done) and (not failed or phase.on_failure == "continue")
    told = _told(jobs, failed, conflicts, [one.command for one in checks if not one.passed])
    stand = Stand.DONE if goes_on else Stand.FAILED
    return state.put(phase, stand=stand, reason=told, conflicts=tuple(conflicts), checks=checks)


def _told(jobs: Sequence[Job], failed: Sequence[Job], conflicts: Sequence[object], checks: Sequence[str]) -> str:
    parts = [f"{len(jobs) - len(failed)} of {len(jobs)} succeeded"]
    parts += [f"{job.worker} {job.state}: {job.reason}" for job in failed]
    parts += [f"{len(conflicts)} in conflict"] if conflicts else []
    parts += [f"failed check: {command}" for command in checks]
    return "; ".join(parts)
