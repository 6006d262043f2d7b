"""Who does what in a phase of work."""

from runner.memory.render import value_text
from runner.memory.view import RESULTS
from runner.workflows import prompts
from runner.workflows.design import tasks_of
from runner.workflows.model import Kind, Phase, Worker
from runner.workflows.planning import planned
from runner.workflows.shares import split
from runner.workflows.site import SHARED, Site
from runner.workflows.state import Job, PhaseState, RunState

LEADING = frozenset({"architect", "designer", "planner"})


def assigned(site: Site, state: RunState, phase: Phase) -> tuple[Job, ...]:
    """Share the work out; who has neither a task nor a share is not started, unless nobody had any."""
    workers = [worker for one in state.workflow.phases if one.kind is Kind.WORK for worker in one.workers]
    open_workers = [worker for worker in workers if worker.task is None]
    if state.notes:
        open_workers = list(phase.workers)
    shares = split(_parts(site, state, phase, open_workers), open_workers, state.workflow.roles) if open_workers else {}
    jobs = [Job(worker=one.name, share=(*shares.get(one.name, ()), *_left(state, one))) for one in phase.workers]
    if state.notes:
        return tuple(job for job in jobs if job.share)
    own = {worker.name for worker in phase.workers if worker.task or worker.role == "tester"}
    chosen = tuple(job for job in jobs if job.share or job.worker in own)
    return chosen or tuple(jobs)


def _left(state: RunState, worker: Worker) -> tuple[str, ...]:
    """What a worker has to do about work of its own that could not be merged."""
    return tuple(
        f"Merge your earlier work in, the branch {one.branch}; others changed the same, so keep both: "
        f"{', '.join(one.files) or 'look at what git says'}"
        for one in state.unmerged if one.worker == worker.name
    )  # fmt: skip


def _parts(site: Site, state: RunState, phase: Phase, workers: list[Worker]) -> list[str]:
    """What there is to do: the review's points, the design's list or the task's, else a plan, else all in one."""
    if state.notes:
        return tasks_of(state.notes) or [state.notes]
    design = design_of(site, state, phase)
    listed = tasks_of(design) or tasks_of(state.task)
    if not listed and len(workers) > 1:
        listed = planned(site, state, phase, value_text(design) if design else "", workers)
    return listed or [state.task]


def design_of(site: Site, state: RunState, phase: Phase) -> object:
    """The design that a phase carries out; where none designs, what an architect or planner before it wrote."""
    before = list(state.workflow.before(phase))
    designed = [one for one in before if one.kind is Kind.DESIGN]
    if designed or state.design:
        since = state.of(designed[-1]) if designed else PhaseState()
        return site.stored(prompts.design_key(state), SHARED, since) or ""
    leads = [(one, worker) for one in before for worker in one.workers if worker.role in LEADING]
    found = site.stored(leads[-1][1].result_key, RESULTS, state.of(leads[-1][0])) if leads else ""
    return found["message"] if isinstance(found, dict) and "message" in found else found
