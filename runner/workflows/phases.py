"""The three kinds of phases: each takes the state of a run and returns what it is afterwards."""

from pathlib import Path

from runner.merging.integrated import open_ready
from runner.merging.integration import Integration
from runner.runs.records import Closed, Entry
from runner.runs.state import State
from runner.workflows import prompts, sitting
from runner.workflows.design import tasks_of
from runner.workflows.model import Kind, Phase
from runner.workflows.site import SHARED, Site, in_round, once, texts
from runner.workflows.state import RunState, Stand
from runner.workflows.verdict import verdict_in

NEEDS_PERSON = "needs a person at a terminal; `runner resume {run}` goes on there"
NO_DESIGN = (
    "there is no design: nothing was stored under {key}, and the session said nothing; store one by "
    "`runner memory store {key} … --namespace shared --run {run}`, then `runner resume {run}`"
)
NO_VERDICT = "the review gave no verdict; `runner resume {run} --verdict accept|rework|reject` gives it"


def design(site: Site, state: RunState, phase: Phase) -> RunState:
    """Have one session design, and keep what it designed; one that was stored meanwhile is taken as it is."""
    key = prompts.design_key(state)
    if site.stored(key, SHARED, state.of(phase)) is None or sitting.left_open(site, phase.name):
        prompt = prompts.design_prompt(state, phase, texts(site, state, phase)[0])
        closed = _session(site, state, phase, prompt, phase.name, site.run.cwd)
        if closed is None:
            return state.put(phase, stand=Stand.WAITING, reason=NEEDS_PERSON.format(run=state.run_id))
        if closed.state is not State.SUCCEEDED:
            return state.put(phase, stand=_stand(closed), reason=closed.reason)
        state = _kept(site, state, closed)
        if problem := _taken(site, state, phase, key, closed.ending.message.strip()):
            return state.put(phase, stand=Stand.FAILED, reason=problem)
    found = len(tasks_of(site.stored(key, SHARED, state.of(phase))))
    return state.put(phase, stand=Stand.DONE, reason=f"design in shared/{key}, {found} tasks")


def _taken(site: Site, state: RunState, phase: Phase, key: str, said: str) -> str:
    """Take what was said last for the design where none was stored; returns why that can't be, else nothing."""
    if site.stored(key, SHARED, state.of(phase)) is not None:
        return ""
    if not said:
        return NO_DESIGN.format(key=key, run=state.run_id)
    if state.sits(phase) and not sitting.confirmed(site, said):
        return "the design was not confirmed"
    site.store(key, said, SHARED)
    return ""


def review(site: Site, state: RunState, phase: Phase) -> RunState:
    """Have the merged work looked at, and act on the verdict."""
    integration = open_ready(site.run, state.base, site.run.project, site.run.env)
    prompt = prompts.review_prompt(state, texts(site, state, phase)[0], _report(site, state, phase, integration),
                                   integration.tree.branch)  # fmt: skip
    closed = _session(site, state, phase, prompt, in_round(phase.name, state), integration.tree.path)
    integration.tree.settle(f"dual: {phase.name}")
    if closed is None:
        return state.put(phase, stand=Stand.WAITING, reason=NEEDS_PERSON.format(run=state.run_id))
    if closed.state is not State.SUCCEEDED:
        return state.put(phase, stand=_stand(closed), reason=closed.reason)
    state = _resolved(_kept(site, state, closed), integration)
    stored, said = site.stored(prompts.review_key(state), SHARED, state.of(phase)), closed.ending.message
    verdict, notes = verdict_in(stored if stored is not None else said)
    if state.sits(phase):
        verdict = sitting.decided(site)
    if verdict is None:
        return state.put(phase, stand=Stand.WAITING, reason=NO_VERDICT.format(run=state.run_id))
    wanted = (notes or said) if verdict == "rework" else ""
    return judge(state.model_copy(update={"verdict": verdict, "notes": wanted}), phase)


def judge(state: RunState, phase: Phase) -> RunState:
    """Act on the verdict of a review: end, or send the work back to where it was done."""
    if state.verdict == "accept":
        return state.put(phase, stand=Stand.DONE, reason="accepted")
    if state.verdict == "reject":
        return state.put(phase, stand=Stand.REJECTED, reason="rejected by the review")
    if state.round > state.workflow.rework_rounds:
        reason = f"the review asks for rework after {state.workflow.rework_rounds} rounds of it"
        return state.put(phase, stand=Stand.FAILED, reason=reason)
    target = [one for one in state.workflow.before(phase) if one.kind is Kind.WORK][-1]
    return state.again(target).model_copy(update={"round": state.round + 1})


def _session(site: Site, state: RunState, phase: Phase, prompt: str, name: str, cwd: Path) -> Closed | None:
    """Have one session, with a person in `cwd` or alone; None where it needs a person and none is there."""
    if not state.sits(phase):
        run, agent = site.under(phase, state.tip), site.agent(phase.platform)

        def begin(free: str, _: Entry | None) -> Closed:
            return site.have(site.headless(state, free, prompt, agent, phase.name), run)

        return once(site, name, state.of(phase), begin)
    if not site.person:
        return None
    return sitting.sit(site, state, name, prompt, cwd)  # a person who comes back wants to go on, whatever came of it


def _stand(closed: Closed) -> Stand:
    stands = {State.CANCELLED: Stand.CANCELLED, State.NEEDS_INPUT: Stand.WAITING, State.RATE_LIMITED: Stand.WAITING}
    return stands.get(closed.state, Stand.FAILED)


def _kept(site: Site, state: RunState, closed: Closed) -> RunState:
    """Merge what a single headless session changed: a design may be a file, a review may correct."""
    branch, diff = closed.record.branch, closed.ending.diff
    if not (branch and diff and diff.files):
        return state
    with site.merging():
        integration = open_ready(site.run, state.base, site.run.project, site.run.env)
        integration.merge([(closed.record.worker, branch)])
        return state.model_copy(update={"tip": integration.tip})


def _resolved(state: RunState, integration: Integration) -> RunState:
    """Forget conflicts that the review resolved."""
    for phase in state.workflow.phases:
        if left := state.of(phase).conflicts:
            state = state.put(phase, conflicts=integration.unmerged(left))
    return state.model_copy(update={"tip": integration.tip, "unmerged": integration.unmerged(state.unmerged)})


def _report(site: Site, state: RunState, phase: Phase, integration: Integration) -> str:
    before = [one for one in state.workflow.before(phase) if one.kind is Kind.WORK]
    jobs = [job for one in before for job in state.of(one).jobs]
    checks = [check for one in before for check in state.of(one).checks]
    workers = [worker for one in before for worker in one.workers]
    return prompts.review_report(jobs, site.results(workers), state.conflicts, checks, integration.summary())
