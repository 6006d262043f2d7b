"""Tasks routed, and given to the programs that do them."""

import os
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from router.labels import Mode, Platform
from runner.agents.choice import headless_agent, interactive_agent
from runner.agents.protocol import Agent
from runner.runs.headless import HeadlessJob
from runner.runs.identity import identity_in, own_server
from runner.runs.interactive import InteractiveJob
from runner.runs.run import Run
from runner.settings import Settings
from runner.tasks.plan import Planned, slug
from runner.tasks.task_order import Wanted

if TYPE_CHECKING:
    from router.client import Routing
    from runner.workflows.job import WorkflowJob

COST_NOTE = "{program} reports no cost: --max-cost does not limit it"
Seated: TypeAlias = "InteractiveJob | WorkflowJob"
"""What is had in this terminal."""
Job: TypeAlias = "HeadlessJob | Seated"


def route_all(
    tasks: Sequence[Wanted], routing: "Routing", context: dict[str, Any], platform: Platform | None = None
) -> list[Planned]:
    """Have every task routed; `platform` is the user's own choice for all of them that have none of their own.

    Raises:
        RouterError: the router refuses a task or does not answer.
    """
    names = [f"{number}-{wanted.name or slug(wanted.task)}" for number, wanted in enumerate(tasks, start=1)]
    return [
        Planned(
            name, wanted.task, routing.route(wanted.task, context, wanted.platform or platform),
            tuple(names[place] for place in wanted.after),
        )
        for name, wanted in zip(names, tasks, strict=True)
    ]  # fmt: skip


def assign(plan: Sequence[Planned], settings: Settings, run: Run) -> list[Job]:
    """Give every task to a program; raises `ProgramMissing` where one isn't there."""
    alone, sitting = cache(lambda: _headless(settings, run)), cache(lambda: interactive_agent(settings))

    identity = identity_in(os.environ)  # there where an agent of a swarm was spawned: it reads and writes as that

    def job(planned: Planned) -> Job:
        if planned.mode is Mode.HEADLESS:
            return HeadlessJob(planned, alone(), identity, own_server(run.repository.root) if identity else ())
        if planned.mode is Mode.HYBRID:
            from runner.workflows.job import WorkflowJob  # brings all of the workflows

            return WorkflowJob(planned, sitting(), settings)
        return InteractiveJob(planned, sitting(), settings.tmux)

    return [job(planned) for planned in plan]


def _headless(settings: Settings, run: Run) -> Agent:
    agent = headless_agent(settings, run.progress.note)
    if run.max_cost_usd is not None and not agent.reports_cost:
        run.progress.note(COST_NOTE.format(program=agent.name))
    return agent
