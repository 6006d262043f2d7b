"""Carrying out an order: route its tasks, hand the headless ones to the worker, have the others here, wait for all."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from router.errors import RouterError
from runner.agents.choice import check_headless_login
from runner.checkout.repository import Checkout, refuse_dirty
from runner.errors import Left, StorageUnavailable
from runner.orders.consent import agree
from runner.orders.dispatch import Job, Seated, assign, route_all
from runner.orders.follow import Follower
from runner.orders.opening import Order, open_routing, open_run
from runner.orders.report import Report
from runner.orders.router_apart import RoutingApart, is_served
from runner.outcomes.outbox import Outbox
from runner.outcomes.outcomes import tell
from runner.process import POLL_S
from runner.runs.executor import ensure_worker
from runner.runs.headless import HeadlessJob
from runner.runs.interactive import InteractiveJob
from runner.runs.records import Closed
from runner.runs.recovery import close_abandoned
from runner.runs.run import Run
from runner.runs.state import State
from runner.runs.submission import RunFolder
from runner.settings import Settings
from runner.storage import make_folder, write_whole
from runner.tasks.plan import Planned
from runner.terminal.progress import Progress
from runner.terminal.signals import stopping
from runner.terminal.terminal import has_terminal
from runner.worker.handover import hand_over

if TYPE_CHECKING:
    from router.client import Routing

__all__ = ["Order", "Report", "execute", "open_routing", "open_run"]
GOES_ON = "run {id} goes on if this terminal closes: `runner watch {id}` comes back to it"


def execute(order: Order, settings: Settings, cwd: Path, progress: Progress) -> Report:
    """Carry out `order` and return when all of it is done with; where it is detached, when it is submitted.

    Raises:
        RunnerError, RouterError: it can't be begun, and nothing was started.
        Left: the terminal was closed; what was submitted goes on.
    """
    run = open_run(order, settings, cwd, progress)
    make_folder(settings.data_folder())
    ensure_worker(settings.data_folder())  # starting takes it as long as routing takes us
    write_whole(run.archive.folder / "repository.txt", f"{run.repository.root}\n")
    apart = None if is_served(settings.router_url) else RoutingApart(settings.data_folder())
    with closing(apart or open_routing(settings)) as routing:
        if apart and order.platform is None:
            apart.begin()
        outbox = Outbox(settings.data_folder() / "outbox", None if apart else routing)
        for entry in close_abandoned(run.archive):
            progress.note(f"run {entry.record.run_id}, {entry.record.worker}: {entry.reason}; closed now")
            _tell(outbox, entry, progress)
        return _Execution(order, settings, run, order.led(routing), outbox, apart).carry_out()


@dataclass
class _Execution:
    """One order under way."""

    order: Order
    settings: Settings
    run: Run
    routing: "Routing"
    outbox: Outbox
    apart: RoutingApart | None
    """The router where no service is; None where one is."""
    plan: list[Planned] = field(default_factory=list)

    def carry_out(self) -> Report:
        """Route, ask, submit, and wait."""
        run, order = self.run, self.order
        earlier = set(self.outbox.waiting())
        self.plan = route_all(order.tasks, self.routing, run.context(), order.platform)
        if order.lead:
            self.plan = order.lead.briefed(self.plan)
            order.lead.before(self.plan, run, self.settings)
        jobs = assign(self._agreed(), self.settings, run)
        alone = [job for job in jobs if isinstance(job, HeadlessJob)]
        seated = [job for job in jobs if not isinstance(job, HeadlessJob)]
        before = self._check(jobs)
        self._dismiss_router()
        with stopping(run.stop, run.leave if alone or self.settings.tmux else None), run.progress.shown():
            folder = self._submit(alone) if alone else None
            if not order.detach:
                self._wait(folder, seated)
                if order.lead:
                    order.lead.after(self.plan, run, self.settings)
        untouched = bool(seated) or order.detach or run.repository.look() == before
        entries = {entry.record.worker: entry for entry in run.archive.entries(run.id)}
        return Report.of(
            run.archive, run.id, run.repository.root, base=run.base, untouched=untouched, unsent=self._unsent(earlier),
            entries=[entries[planned.worker] for planned in self.plan if planned.worker in entries],
            stopped=run.stop.is_set(), detached=order.detach,
        )  # fmt: skip

    def _agreed(self) -> list[Planned]:
        """The tasks that may be started now; what became of the others is written down and shown."""
        person, agreed = has_terminal() and not self.order.detach, []
        for planned in self.plan:
            answer = agree(planned, self.run, self.routing, person=person, yes=self.order.yes)
            if isinstance(answer, Planned):
                agreed.append(answer)
            else:
                self.run.progress.ended(planned.worker, answer.state, answer.reason)
        return agreed

    def _dismiss_router(self) -> None:
        """Keep for the journal what the user chose, and have the router's process end: all is decided."""
        if self.apart:
            self.apart.close()
            try:
                self.outbox.keep(self.apart.choices)
            except StorageUnavailable as error:
                self.run.progress.note(f"what you chose is not kept for the router: {error}")

    def _unsent(self, earlier: set[Path]) -> int:
        """How many outcomes the router did not take; those that it was not offered yet are the worker's to send."""
        left = self.outbox.flush()
        return len(earlier & set(self.outbox.waiting())) if self.apart else left

    def _check(self, jobs: Sequence[Job]) -> Checkout:
        """Refuse what can't be carried out; returns the checkout as it is."""
        for job in [job for job in jobs if isinstance(job, HeadlessJob)][:1]:
            check_headless_login(job.agent, self.settings)
        from_a_commit = any(not isinstance(job, InteractiveJob) for job in jobs)
        checkout = self.run.repository.look()
        if from_a_commit and (note := refuse_dirty(self.run.repository, checkout, allow=self.order.allow_dirty)):
            self.run.progress.note(note)
        return checkout

    def _submit(self, alone: Sequence[HeadlessJob]) -> RunFolder:
        """Hand the headless tasks over; what a person does and they wait for is awaited by the worker too."""
        names = {job.planned.worker for job in alone}
        awaited = {name for job in alone for name in job.planned.after} - names
        at_once = self.order.workers or self.run.project.workers or self.settings.workers_at_once()
        folder = hand_over(alone, self.run, at_once=at_once, awaited=sorted(awaited))
        if not self.order.detach:
            self.run.progress.note(GOES_ON.format(id=self.run.id))
        return folder

    def _wait(self, folder: RunFolder | None, seated: Sequence[Seated]) -> None:
        """Have the tasks that need a person, one after the other, while the others go on."""
        run = self.run
        with ThreadPoolExecutor(2) as pool:
            follower = Follower(folder, run.progress) if folder else None
            following = pool.submit(follower.to_the_end, run.stop, run.leave) if follower else None
            try:
                for job in seated:
                    self._sit(job, following)
            except BaseException:
                run.leave.set()  # else the pool would wait for sessions that may take hours
                raise
            if follower and following:
                follower.alone.set()
                following.result()
        if run.leave.is_set():
            raise Left(run.id)

    def _sit(self, job: Seated, following: Future[bool] | None) -> None:
        lost = self._lost(job.planned, following)
        if lost:
            entry = self.run.drop(job.planned, f"not started, for {', '.join(lost)} did not succeed")
        else:
            entry = job.carry_out(self.run)
        self.run.progress.ended(entry.record.worker, entry.state, entry.reason)
        if entry.state is not State.WAITING:
            _tell(self.outbox, entry, self.run.progress)

    def _lost(self, planned: Planned, following: Future[bool] | None) -> list[str]:
        """Wait for the tasks that this one waits for; return those that did not succeed."""
        run, states = self.run, dict[str, State]()
        for name in planned.after:
            while not ((entry := run.archive.entry(run.id, name)) and entry.ending):
                if run.stop.wait(POLL_S) or run.leave.is_set() or following is None or following.done():
                    break
            states[name] = entry.state if entry else State.CANCELLED
        return [name for name, state in states.items() if state is not State.SUCCEEDED]


def _tell(outbox: Outbox, entry: Closed, progress: Progress) -> None:
    try:
        tell(entry, outbox)
    except (RouterError, StorageUnavailable) as error:
        progress.note(f"{entry.record.worker}: what came of it is neither kept nor sent: {error}")
