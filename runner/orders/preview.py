"""What an order would start: `runner execute --dry-run`."""

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.orders.dispatch import Job, assign, route_all
from runner.orders.opening import Order, open_routing, open_run
from runner.runs.run import Run
from runner.settings import Settings
from runner.tasks.plan import Planned
from runner.terminal.progress import Progress


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
        plan = route_all(order.tasks, order.led(routing), run.context(), order.platform)
    return [_preview(job, run) for job in assign(plan, settings, run)]


def _preview(job: Job, run: Run) -> Preview:
    command = job.agent.command(job.session(run))
    return Preview(job.planned, job.agent.name, command.shell(), job.branch(run))


def preview_json(previews: Sequence[Preview]) -> dict[str, Any]:
    """What would be started, as plain data."""
    tasks = [
        {
            "worker": shown.planned.worker,
            "task": shown.planned.task,
            "platform": shown.planned.decision.platform,
            "decision": shown.planned.decision.model_dump(mode="json"),
            "program": shown.program,
            "command": shown.command,
            "branch": shown.branch,
        }
        for shown in previews
    ]
    return {"dry_run": True, "tasks": tasks}


def print_previews(previews: Sequence[Preview]) -> None:
    """Print decisions and commands, one below the other."""
    for shown in previews:
        decision = shown.planned.decision
        sure = " (would ask first)" if decision.needs_confirmation else ""
        lines = (
            f"{shown.planned.worker}: {decision.platform}, {decision.confidence:.0%} by {decision.source}{sure}",
            f"  why: {decision.reason}",
            *([f"  branch: {shown.branch}"] if shown.branch else []),
            f"  {shown.command}",
        )
        sys.stdout.write("\n".join(lines) + "\n")
