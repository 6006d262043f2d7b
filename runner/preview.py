"""What an order would start: `runner execute --dry-run`."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from router.labels import Mode
from runner import headless, interactive
from runner.agents.choice import headless_agent, interactive_agent
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
        return [_preview(planned, run, settings) for planned in route(order, run, routing)]


def _preview(planned: Planned, run: Run, settings: Settings) -> Preview:
    if planned.mode is not Mode.HEADLESS:
        sitting = interactive_agent(settings)
        command = sitting.command(interactive.describe(planned, run))
        return Preview(planned, sitting.name, command.shell(), None)
    agent = headless_agent(settings, run.progress.note)
    command = agent.command(headless.describe(planned, run))
    return Preview(planned, agent.name, command.shell(), headless.branch_of(run.id, planned.worker))
