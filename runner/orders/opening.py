"""What every command that runs sessions begins with: the order, the run it becomes, the way to the router."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from router.labels import Platform
from runner.checkout.project import read_project
from runner.checkout.repository import Repository
from runner.environment import headless_environment
from runner.runs.archive import Archive
from runner.runs.run import Run, new_run_id
from runner.sessions.session import Limits
from runner.settings import Settings, unreadable
from runner.tasks.task_order import Wanted
from runner.terminal.progress import Progress

if TYPE_CHECKING:
    from router.client import Routing
    from runner.agent_files.agent_lead import AgentLead


@dataclass(frozen=True)
class Order:
    """What the user asked for."""

    tasks: tuple[Wanted, ...]
    platform: Platform | None = None
    """The user's choice for all tasks; None leaves it to the router."""
    base: str = "HEAD"
    workers: int | None = None
    """Headless sessions at once; None: as `.dual.toml` or the settings say. So for `timeout_s` and `max_cost_usd`."""
    timeout_s: float | None = None
    max_cost_usd: float | None = None
    max_run_cost_usd: float | None = None
    """Most that all headless sessions together may cost."""
    max_turns: int | None = None
    yes: bool = False
    """Start unsure decisions unasked, and put hybrid tasks off."""
    allow_dirty: bool = False
    """Start although the checkout has changes that workers don't see."""
    detach: bool = False
    """Submit the headless tasks, put the others off, and don't wait."""
    lead: "AgentLead | None" = None
    """The agent file at its head."""

    def led(self, routing: "Routing") -> "Routing":
        """The router, overruled by the agent file where there is one."""
        return self.lead.routing(routing) if self.lead else routing


def open_run(order: Order, settings: Settings, cwd: Path, progress: Progress) -> Run:
    """Prepare a run; nothing is made yet."""
    repository = Repository.around(cwd)
    project = read_project(repository.root)
    base = repository.resolve(order.base)
    here = repository.git("branch", "--show-current") if order.base == "HEAD" else order.base
    wall_s = order.timeout_s or project.timeout_s or settings.timeout_s
    return Run(
        id=new_run_id(), repository=repository, base=base, base_name=here or base[:10], cwd=cwd,
        archive=Archive.of(repository, settings.data_folder()),
        limits=Limits(
            wall_s, settings.silence_s, settings.grace_s, turns=order.max_turns, run_cost_usd=order.max_run_cost_usd
        ),
        lock_wait_s=settings.lock_wait_s, max_cost_usd=order.max_cost_usd or project.max_cost_usd, progress=progress,
        project=project, env=headless_environment("checks", os.environ, settings.pass_env),
    )  # fmt: skip


def open_routing(settings: Settings) -> "Routing":
    """Reach the router: the service where one is named or answers, else in process."""
    from router.client import connect  # brings an HTTP client, 0.1 s

    # What the router in process logs, its decisions say already.
    logging.getLogger("router").setLevel(logging.CRITICAL)
    token = settings.router_token
    try:
        return connect(settings.router_url, token=token.get_secret_value() if token else None)
    except ValidationError as error:
        raise unreadable("ROUTER_", error) from error
