"""Starting what is agreed: headless tasks in parallel, interactive ones meanwhile, one after the other."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from router.labels import Mode
from runner.agents.choice import check_headless_login, headless_agent, interactive_agent
from runner.agents.claude import InteractiveClaude
from runner.agents.protocol import Agent
from runner.headless import run_headless
from runner.interactive import HYBRID_NOTE, run_interactive
from runner.plan import Planned
from runner.records import Entry
from runner.run import Run
from runner.settings import Settings

COST_NOTE = "{program} reports no cost: --max-cost does not limit it"


@dataclass(frozen=True)
class Crew:
    """Who works; None where no task needs it."""

    headless: Agent | None = None
    interactive: InteractiveClaude | None = None


def hire(plan: Sequence[Planned], settings: Settings, run: Run) -> Crew:
    """Find the programs that a plan needs before any of them is started.

    Raises:
        ProgramMissing: one isn't there.
        NotLoggedIn: one has no login.
    """
    headless, modes = None, {planned.mode for planned in plan}
    if Mode.HEADLESS in modes:
        headless = headless_agent(settings, run.progress.note)
        check_headless_login(headless, settings)
        if run.max_cost_usd is not None and not headless.reports_cost:
            run.progress.note(COST_NOTE.format(program=headless.name))
    return Crew(headless, interactive_agent(settings) if modes - {Mode.HEADLESS} else None)


def carry_out(plan: Sequence[Planned], crew: Crew, run: Run, *, at_once: int) -> Iterator[Entry]:
    """Start everything and yield each task as it ends; when this is left early, all sessions end first."""
    with ThreadPoolExecutor(at_once) as pool:
        try:
            futures = [
                pool.submit(run_headless, planned, run, crew.headless)
                for planned in plan
                if planned.mode is Mode.HEADLESS and crew.headless
            ]
            for planned in plan:
                if planned.mode is not Mode.HEADLESS and crew.interactive:
                    if planned.mode is Mode.HYBRID:
                        run.progress.note(HYBRID_NOTE)
                    with run.progress.hidden():
                        entry = run_interactive(planned, run, crew.interactive)
                    yield entry
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            run.stop.set()  # else the pool would wait for the sessions to end by themselves
            raise
