"""Beginning a workflow, and going on with one."""

import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from router.labels import Platform
from router.schemas import Decision
from runner.agents.choice import check_headless_login, headless_agent, interactive_agent
from runner.checkout.repository import Repository, refuse_dirty
from runner.errors import INTERRUPTED, SOME_TASK_FAILED, WAITING_FOR_A_PERSON, BadInput
from runner.memory.opening import open_memory
from runner.orders.execute import Order, open_routing, open_run
from runner.outcomes.outbox import Outbox
from runner.runs.interactive import has_window
from runner.runs.records import Entry
from runner.runs.run import Run
from runner.runs.state import State
from runner.settings import Settings
from runner.storage import make_folder, write_whole
from runner.tasks.plan import slug
from runner.terminal.progress import Progress
from runner.terminal.signals import stopping
from runner.terminal.terminal import has_terminal
from runner.workflows.catalog import find
from runner.workflows.control import retry, skip, take_design
from runner.workflows.errors import PhaseFailed, VariableMissing, did_you_mean
from runner.workflows.execution import Execution
from runner.workflows.learned import told
from runner.workflows.model import Kind, Workflow
from runner.workflows.phases import judge
from runner.workflows.site import Site
from runner.workflows.state import Ledger, RunState, Stand, Verdict
from runner.workflows.wish import Change, Wish

LONGEST_SLUG = 60
EXIT_CODES = {Stand.DONE: 0, Stand.WAITING: WAITING_FOR_A_PERSON, Stand.CANCELLED: INTERRUPTED}


def coordinate(wish: Wish, settings: Settings, cwd: Path, progress: Progress) -> tuple[Run, RunState]:
    """Carry a workflow out; returns its run and what it came to.

    Raises:
        RunnerError, RouterError: it can't be begun, and nothing was started.
    """
    workflow = find(wish.workflow, Repository.around(cwd).root)
    values = _values(workflow, wish.variables)
    run = open_run(wish.order, settings, cwd, progress)
    _check_programs(workflow, settings, run, interactive=wish.interactive)
    if unseen := refuse_dirty(run.repository, run.repository.look(), allow=wish.order.allow_dirty):
        progress.note(unseen)
    with closing(open_routing(settings)) as routing:
        decision = routing.route(wish.task, run.context(), Platform.HYBRID)
        state = begin(run, settings, workflow, decision, values, wish)
        with stopping(run.stop, run.leave), run.progress.shown():
            state = carry_out(run, settings, state)
        return run, told(state, run, Outbox(settings.data_folder() / "outbox", routing))


def resume(
    run_id: str, settings: Settings, cwd: Path, progress: Progress, verdict: Verdict | None = None, notes: str = "",
    change: Change | None = None,
) -> tuple[Run, RunState]:  # fmt: skip
    """Go on with a run at what is not done; a verdict given here ends the review that waits for it.

    Raises:
        RunnerError, RouterError: it can't be gone on with.
    """
    fresh = open_run(Order(()), settings, cwd, progress)
    ledger = Ledger.find(fresh.archive, run_id)
    with ledger.held():
        state = _changed(ledger.read(), change or Change(verdict, notes))
        ledger.write(state)
    order = Order((), timeout_s=state.timeout_s, max_cost_usd=state.max_cost_usd)
    opened = open_run(order, settings, cwd, progress)
    run = replace(opened, id=state.run_id, base=state.base, base_name=state.base_name, cwd=state.cwd)
    with closing(open_routing(settings)) as routing:
        with stopping(run.stop, run.leave), run.progress.shown():
            state = carry_out(run, settings, state)
        return run, told(state, run, Outbox(settings.data_folder() / "outbox", routing))


def begin(
    run: Run,
    settings: Settings,
    workflow: Workflow,
    decision: Decision,
    values: Mapping[str, str],
    wish: Wish,
) -> RunState:
    """Write down that a workflow begins."""
    make_folder(run.archive.folder)
    write_whole(run.archive.folder / "repository.txt", f"{run.repository.root}\n")
    name = "-".join(filter(None, (slug(part) for part in wish.task.split()[:8])))[:LONGEST_SLUG].strip("-") or "task"
    state = RunState(
        run_id=run.id, task=wish.task, slug=name, workflow=workflow, variables=values, decision=decision, base=run.base,
        base_name=run.base_name, cwd=run.cwd, interactive=wish.interactive, timeout_s=wish.order.timeout_s,
        max_cost_usd=wish.order.max_cost_usd, workers=wish.order.workers, design=wish.design, tmux=settings.tmux,
        brief=wish.brief,
    )  # fmt: skip
    if wish.design:
        state = take_design(state, settings, run.repository.root)
    Ledger.of(run.archive, run.id).write(state)
    return state


def carry_out(run: Run, settings: Settings, state: RunState) -> RunState:
    """Carry a run out, alone; raises `Busy` where another runner is at it."""
    ledger = Ledger.of(run.archive, run.id)
    seats = threading.Semaphore(state.workers or settings.workers_at_once())
    with ledger.held(), closing(open_memory(settings, run.repository.root, run=run.id)) as memory:
        for entry in _mine(run):
            # One with a person, which nobody can take up, unless it has a window of its own.
            if entry.ending is None and entry.record.branch is None and not has_window(entry):
                run.close(entry.record, State.CANCELLED, "its runner was killed")
        site = Site(run, settings, memory, has_terminal(), seats)
        return Execution(site, ledger).carry_out(state)


def _mine(run: Run) -> list[Entry]:
    return [entry for entry in run.archive.entries() if entry.record.run_id == run.id]


def exit_code(state: RunState) -> int:
    """What the command line ends with."""
    return EXIT_CODES.get(state.stand, SOME_TASK_FAILED)


def _values(workflow: Workflow, given: Mapping[str, str]) -> dict[str, str]:
    for name in given:
        if name not in workflow.variables:
            known = ", ".join(workflow.variables) or "none"
            hint = did_you_mean(name, list(workflow.variables)) or f"; it has {known}"
            raise BadInput(f"--var {name}: the workflow {workflow.name} has no such variable{hint}")
    values = {**workflow.variables, **given}
    for name, value in values.items():
        if value is None:
            raise VariableMissing(name)
    return {name: value for name, value in values.items() if value is not None}


def _check_programs(workflow: Workflow, settings: Settings, run: Run, *, interactive: bool) -> None:
    """Find what is missing before anything starts, not an hour later."""
    alone = {phase.platform for phase in workflow.phases if not (interactive and phase.interactive)}
    for platform in sorted(alone):
        chosen = settings if platform == "codex" or settings.headless == "scripted" else settings.model_copy(
            update={"headless": "claude"})  # fmt: skip
        check_headless_login(headless_agent(chosen, run.progress.note), settings)
    if interactive and has_terminal() and any(phase.interactive for phase in workflow.phases):
        interactive_agent(settings)


def _changed(state: RunState, change: Change) -> RunState:
    if change.verdict is not None:
        state = _judged(state, change.verdict, change.notes)
    if change.interactive is not None:
        state = state.model_copy(update={"interactive": change.interactive})
    return skip(retry(state, change.retry), change.skip)


def _judged(state: RunState, verdict: Verdict, notes: str) -> RunState:
    waiting = [one for one in state.workflow.phases if one.kind is Kind.REVIEW and state.of(one).stand is Stand.WAITING]
    if not waiting:
        raise PhaseFailed("review", f"no review of run {state.run_id} waits for a verdict")
    return judge(state.model_copy(update={"verdict": verdict, "notes": notes or state.notes}), waiting[0])
