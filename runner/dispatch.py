"""Jobs: tasks with the program that does them; headless ones run in parallel, interactive ones meanwhile."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache

from router.labels import Mode
from runner.agents.choice import headless_agent, interactive_agent
from runner.agents.protocol import Agent
from runner.headless import HeadlessJob
from runner.interactive import InteractiveJob
from runner.plan import Planned
from runner.records import Closed
from runner.run import Run
from runner.settings import Settings
from runner.workflows.job import WorkflowJob

COST_NOTE = "{program} reports no cost: --max-cost does not limit it"
Job = HeadlessJob | InteractiveJob | WorkflowJob


def assign(plan: Sequence[Planned], settings: Settings, run: Run) -> list[Job]:
    """Give every task to a program; raises `ProgramMissing` where one isn't there."""
    alone, sitting = cache(lambda: _headless(settings, run)), cache(lambda: interactive_agent(settings))

    def job(planned: Planned) -> Job:
        if planned.mode is Mode.HEADLESS:
            return HeadlessJob(planned, alone())
        if planned.mode is Mode.HYBRID:
            return WorkflowJob(planned, sitting(), settings)
        return InteractiveJob(planned, sitting())

    return [job(planned) for planned in plan]


def carry_out(jobs: Sequence[Job], run: Run, *, at_once: int) -> Iterator[Closed]:
    """Start everything and yield each task as it ends; when this is left early, all sessions end first."""
    with ThreadPoolExecutor(at_once) as pool:
        try:
            futures = [pool.submit(job.carry_out, run) for job in jobs if isinstance(job, HeadlessJob)]
            for job in jobs:
                if not isinstance(job, HeadlessJob):
                    yield job.carry_out(run)
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            run.stop.set()  # else the pool would wait for the sessions to end by themselves
            raise


def _headless(settings: Settings, run: Run) -> Agent:
    agent = headless_agent(settings, run.progress.note)
    if run.max_cost_usd is not None and not agent.reports_cost:
        run.progress.note(COST_NOTE.format(program=agent.name))
    return agent
