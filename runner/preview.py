"""What an order would start: `runner execute --dry-run`."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from runner.dispatch import Job, assign
from runner.execute import Order, open_routing, open_run, route
from runner.plan import Planned
from runner.progress import Progress
from runner.run import Run
from runner.settings import Settings


@dataclass(frozen=True)
class Preview:
    """A task, who would take it, and how."""

    planned: Planned
    program: str
    command: str
    branch: str | None
    """The worker's own branch; None where there would be no worktree."""


def preview(order: Order, settings: Settings, cwd: Path, progress: Progress) -> list[Preview]:
    """Route the tasks of an order; starts nothing and makes nothing."""
    run = open_run(order, settings, cwd, progress)
    with closing(open_routing(settings)) as routing:
        plan = route(order, run, routing)
    return [_preview(job, run) for job in assign(plan, settings, run)]


def _preview(job: Job, run: Run) -> Preview:
    command = job.agent.command(job.session(run))
    return Preview(job.planned, job.agent.name, command.shell(), job.branch(run))
