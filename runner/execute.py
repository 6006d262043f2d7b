"""Carrying out an order: route its tasks, start what is agreed, write down what came of it."""

import logging
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from router.client import RouterError, Routing, connect
from router.labels import Platform
from runner.agents.choice import check_headless_login
from runner.consent import agree
from runner.dispatch import assign, carry_out
from runner.errors import INTERRUPTED, SOME_TASK_FAILED, WAITING_FOR_A_PERSON
from runner.headless import HeadlessJob
from runner.outbox import Outbox
from runner.outcomes import tell
from runner.plan import Planned, route_all
from runner.progress import Progress
from runner.records import Archive, Closed, State
from runner.recovery import settle_interrupted
from runner.repository import Checkout, Repository
from runner.run import Run, new_run_id
from runner.session import Limits
from runner.settings import Settings, unreadable
from runner.signals import stopping
from runner.storage import make_folder, write_whole
from runner.terminal import has_terminal

UNSEEN_NOTE = "workers start from {base:.10}: they do not see the uncommitted changes of this checkout"


@dataclass(frozen=True)
class Order:
    """What the user asked for."""

    tasks: tuple[str, ...]
    platform: Platform | None = None
    """His own choice for all tasks; None leaves it to the router."""
    base: str = "HEAD"
    workers: int | None = None
    """Headless sessions at once; None: as the settings say. So for `timeout_s`."""
    timeout_s: float | None = None
    max_cost_usd: float | None = None
    yes: bool = False
    """Start unsure decisions unasked, and put hybrid tasks off."""


@dataclass(frozen=True)
class Report:
    """What came of an order."""

    run: Run
    entries: list[Closed]
    untouched: bool
    """False where the user's checkout changed meanwhile and no interactive session explains it."""
    unsent: int
    """Outcomes that the router does not have yet."""

    @property
    def exit_code(self) -> int:
        """What the command line ends with."""
        states = {entry.state for entry in self.entries}
        if self.run.stop.is_set():
            return INTERRUPTED
        if states - {State.SUCCEEDED, State.WAITING}:
            return SOME_TASK_FAILED
        return WAITING_FOR_A_PERSON if State.WAITING in states else 0


def execute(order: Order, settings: Settings, cwd: Path, progress: Progress) -> Report:
    """Carry out `order` and return when all of it is done with.

    Raises:
        RunnerError, RouterError: it can't be begun, and nothing was started.
    """
    run = open_run(order, settings, cwd, progress)
    make_folder(settings.data_folder())
    write_whole(run.archive.folder / "repository.txt", f"{run.repository.root}\n")
    with closing(open_routing(settings)) as routing:
        outbox = Outbox(settings.data_folder() / "outbox", routing)
        _settle_left_behind(run, settings, outbox)
        entries, untouched = _carry_out(order, settings, run, routing, outbox)
        return Report(run, entries, untouched, outbox.flush())


def open_run(order: Order, settings: Settings, cwd: Path, progress: Progress) -> Run:
    """Prepare a run; nothing is made yet."""
    repository = Repository.around(cwd)
    base = repository.resolve(order.base)
    here = repository.git("branch", "--show-current") if order.base == "HEAD" else order.base
    limits = Limits(order.timeout_s or settings.timeout_s, settings.silence_s, settings.grace_s)
    return Run(
        id=new_run_id(), repository=repository, base=base, base_name=here or base[:10], cwd=cwd,
        archive=Archive.of(repository, settings.data_folder()), limits=limits,
        lock_wait_s=settings.lock_wait_s, max_cost_usd=order.max_cost_usd, progress=progress,
    )  # fmt: skip


def open_routing(settings: Settings) -> Routing:
    """Reach the router: the service where one is named or answers, else in process."""
    # What the router in process logs, its decisions say already.
    logging.getLogger("router").setLevel(logging.CRITICAL)
    token = settings.router_token
    try:
        return connect(settings.router_url, token=token.get_secret_value() if token else None)
    except ValidationError as error:
        raise unreadable("ROUTER_", error) from error


def route(order: Order, run: Run, routing: Routing) -> list[Planned]:
    """Have the tasks of an order routed."""
    return route_all(order.tasks, routing, run.context(), order.platform)


def _carry_out(
    order: Order, settings: Settings, run: Run, routing: Routing, outbox: Outbox
) -> tuple[list[Closed], bool]:
    person, plan = has_terminal(), route(order, run, routing)
    answers = [agree(planned, run, routing, person=person, yes=order.yes) for planned in plan]
    agreed = [answer for answer in answers if isinstance(answer, Planned)]
    entries = [answer for answer in answers if isinstance(answer, Closed)]
    for entry in entries:
        run.progress.ended(entry.record.worker, entry.state, entry.reason)
    jobs = assign(agreed, settings, run)
    before = run.repository.look()
    _check_headless([job for job in jobs if isinstance(job, HeadlessJob)], settings, run, before)
    with stopping(run.stop), run.progress.shown():
        for entry in carry_out(jobs, run, at_once=order.workers or settings.workers_at_once()):
            run.progress.ended(entry.record.worker, entry.state, entry.reason)
            if entry.state is not State.WAITING:
                _tell(outbox, entry, run.progress)
            entries.append(entry)
    lent = any(not isinstance(job, HeadlessJob) for job in jobs)
    untouched = lent or run.repository.look() == before
    workers = [planned.worker for planned in plan]
    return sorted(entries, key=lambda entry: workers.index(entry.record.worker)), untouched


def _check_headless(jobs: list[HeadlessJob], settings: Settings, run: Run, checkout: Checkout) -> None:
    for job in jobs[:1]:
        check_headless_login(job.agent, settings)
        if checkout.changes:
            run.progress.note(UNSEEN_NOTE.format(base=run.base))


def _settle_left_behind(run: Run, settings: Settings, outbox: Outbox) -> None:
    for entry in settle_interrupted(run.archive, settings.lock_wait_s):
        run.progress.note(f"run {entry.record.run_id}, {entry.record.worker}: {entry.reason}; settled now")
        _tell(outbox, entry, run.progress)


def _tell(outbox: Outbox, entry: Closed, progress: Progress) -> None:
    try:
        tell(entry, outbox)
    except RouterError as error:
        progress.note(f"{entry.record.worker}: what came of it is neither kept nor sent: {error}")
