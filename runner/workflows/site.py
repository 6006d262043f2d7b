"""Where a workflow is carried out: the run, its memory, its programs; and sessions that are begun once."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from runner.agents.choice import headless_agent
from runner.agents.protocol import Agent
from runner.errors import Left
from runner.memory.entry import Entry, Provenance
from runner.memory.errors import EntryMissing
from runner.memory.render import value_text
from runner.memory.store import Memory
from runner.memory.view import RESULTS
from runner.merging.integration import cut
from runner.runs.headless import HeadlessJob
from runner.runs.identity import own_server
from runner.runs.records import Closed
from runner.runs.records import Entry as Written
from runner.runs.run import Run
from runner.runs.state import State
from runner.settings import Settings
from runner.tasks.plan import Planned
from runner.workflows.errors import PhaseFailed
from runner.workflows.model import Phase, Seat, Worker
from runner.workflows.state import Job, PhaseState, RunState
from runner.workflows.variables import fill

SHARED = "shared"
PATIENT = {"MCP_CONNECTION_NONBLOCKING": "false", "MCP_TIMEOUT": "60000"}
"""Has Claude Code begin when our server is there, not before: on a busy machine it would do without."""
LONGEST_VALUE = 200_000
"""Characters that the runner stores of what an agent said."""


@dataclass(frozen=True)
class Site:
    """What all phases use."""

    run: Run
    settings: Settings
    memory: Memory
    person: bool
    """True where somebody is at the terminal."""
    seats: threading.Semaphore
    """As many as there may be headless sessions at once, of all phases together."""
    merging: Callable[[], AbstractContextManager[object]] = nullcontext
    """Entered by who merges work: one at a time, in the order of the file."""
    planning: threading.Lock = field(default_factory=threading.Lock)
    """Held by who cuts the design into parts."""

    def env(self, agent: str) -> dict[str, str]:
        """The variables by which a session reaches the memory as the one that it is."""
        known = {"RUNNER_RUN_ID": self.run.id, "RUNNER_AGENT_ID": agent,
                 "RUNNER_HOME": str(self.settings.data_folder()), **PATIENT}  # fmt: skip
        url = self.settings.database_url
        return {**known, "RUNNER_DATABASE_URL": url} if url else known

    def tools(self) -> tuple[str, ...]:
        """The command of the MCP server that sessions are offered."""
        return own_server(self.run.repository.root)

    def agent(self, platform: Seat) -> Agent:
        """The program of a platform's headless sessions; raises `ProgramMissing`."""
        settings = self.settings
        if platform == "claude-code" and settings.headless != "scripted":
            settings = settings.model_copy(update={"headless": "claude"})
        return headless_agent(settings, self.run.progress.note)

    def headless(self, state: RunState, name: str, prompt: str, agent: Agent, member: str) -> HeadlessJob:
        """A session that `agent` has alone."""
        planned = Planned(name, prompt, state.decision, brief=state.brief)
        return HeadlessJob(planned, agent, self.env(member), self.tools())

    def give_up(self) -> None:
        """End all sessions, else they would be waited for; those of a terminal that is gone go on without us."""
        if not self.run.leave.is_set():
            self.run.stop.set()

    def have(self, job: HeadlessJob, run: Run) -> Closed:
        """Carry a session out as soon as there is a seat for it; what met a usage limit goes on when that is reset."""
        while True:
            with self.seats:
                if run.leave.is_set():
                    raise Left(job.planned.worker)
                closed = job.carry_out(run)
            until = closed.ending.resets_at
            if closed.state is not State.RATE_LIMITED or until is None:
                return closed
            run.progress.note(f"{closed.record.worker}: {closed.reason}; goes on at {until.astimezone():%H:%M}")
            if run.stop.wait(max(0.0, (until - datetime.now(UTC)).total_seconds())):
                return closed

    def under(self, phase: Phase, base: str | None) -> Run:
        """The run as one phase sees it: its limits, and the commit that its sessions start from."""
        limits = self.run.limits
        changed = replace(
            limits, wall_s=phase.limits.timeout_s or limits.wall_s, silence_s=phase.limits.silence_s or limits.silence_s
        )
        cost = phase.limits.max_cost_usd or self.run.max_cost_usd
        run = replace(self.run, limits=changed, max_cost_usd=cost)
        return run if base is None else replace(run, base=base)

    def tries(self, name: str) -> list[Written]:
        """The sessions of this name that were begun, in order: its first, and its further tries."""
        mine = {one.record.worker: one for one in self.run.archive.entries() if one.record.run_id == self.run.id}
        found: list[Written] = []
        for number in range(1, len(mine) + 2):
            entry = mine.get(numbered(name, number))
            if entry is None:
                return found
            found.append(entry)
        return found

    def recall(self, namespace: str, key: str) -> str:
        """An entry of the memory as text; raises `EntryMissing`."""
        return value_text(self.memory.get(key, namespace).value)

    def stored(self, key: str, namespace: str, phase: PhaseState) -> Any:
        """What was stored under a key since a phase began; None where nothing was."""
        try:
            entry = self.memory.get(key, namespace)
        except EntryMissing:
            return None
        return entry.value if phase.since is None or entry.updated_at >= phase.since.timestamp() else None

    def store(self, key: str, value: Any, namespace: str, author: str = "") -> Entry:
        """Store what an agent left to us."""
        value = cut(value, LONGEST_VALUE) if isinstance(value, str) else value
        return self.memory.store(key, value, namespace=namespace, provenance=Provenance.AGENT_OUTPUT, author=author)

    def results(self, workers: list[Worker]) -> list[tuple[str, str]]:
        """What workers stored, by name; those without a result are left out."""
        found = []
        for worker in workers:
            try:
                found.append((worker.name, _told(self.memory.get(worker.result_key, RESULTS).value)))
            except EntryMissing:
                continue
        return found


def once(site: Site, name: str, phase: PhaseState, start: Callable[[str, Written | None], Closed]) -> Closed:
    """Return the session of this name that succeeded since the phase began, or `start` one.

    `start` gets a name and the try before it. The name is that of the last try where that can go on: its runner died,
    and whoever carries it out again finds it running or takes it up; or it met a usage limit.
    """
    tries = site.tries(name)
    mine = [one for one in tries if phase.since is None or one.record.started_at >= phase.since]
    last = mine[-1] if mine else None
    if last and last.ending and last.state is State.SUCCEEDED:
        return Closed(last.folder, last.record, last.ending)
    if last and (last.ending is None or last.state is State.RATE_LIMITED):
        return start(last.record.worker, mine[-2] if len(mine) > 1 else None)
    return start(numbered(name, len(tries) + 1), last)


def texts(site: Site, state: RunState, phase: Phase, worker: Worker | None = None) -> tuple[list[str], str | None]:
    """The phase's tasks and the worker's own, their variables filled in; raises `PhaseFailed`."""
    facts = {
        "task": state.task, "slug": state.slug, "run": state.run_id, "phase": phase.name,
        "worker": worker.name if worker else "", "role": worker.role if worker else "",
    }  # fmt: skip
    values = {**state.variables, **facts}
    try:
        tasks = [fill(task, values, site.recall) for task in phase.tasks]
        return tasks, fill(worker.task, values, site.recall) if worker and worker.task else None
    except EntryMissing as error:
        raise PhaseFailed(phase.name, str(error)) from error


def in_round(name: str, state: RunState) -> str:
    """A session's name in the current round of rework."""
    return name if state.round == 1 else f"{name}-round-{state.round}"


def as_result(job: Job, message: str) -> dict[str, Any]:
    """What the runner stores for a worker that stored nothing."""
    changed = job.diff.model_dump() if job.diff else None
    return {
        "worker": job.worker, "status": job.state, "reason": job.reason, "branch": job.branch, "commit": job.commit,
        "change": changed, "message": cut(message, LONGEST_VALUE),
    }  # fmt: skip


def _told(result: Any) -> str:
    """A result for people: of one that the runner stored, what the worker said last."""
    ours = isinstance(result, dict) and {"worker", "status", "message"} <= result.keys()
    return str(result["message"] or result["status"]) if ours else value_text(result)


def numbered(name: str, number: int) -> str:
    """The name of a session's further tries."""
    return name if number == 1 else f"{name}-try-{number}"
