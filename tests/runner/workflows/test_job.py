"""A task of `runner execute` that is a workflow: what becomes of it where the workflow can't be carried out."""

import sys
import threading
from pathlib import Path

import pytest

from router.labels import Platform
from router.service import Router
from runner.agents.claude import InteractiveClaude
from runner.memory.opening import open_memory
from runner.orders.opening import Order, open_run
from runner.runs.run import Run
from runner.runs.state import State
from runner.settings import Settings
from runner.tasks.plan import Planned
from runner.terminal.progress import PlainProgress
from runner.workflows.job import WorkflowJob
from runner.workflows.site import Site


@pytest.fixture
def run(repo: Path, settings: Settings) -> Run:
    """A run in which nothing is begun."""
    return open_run(Order(()), settings, repo, PlainProgress())


@pytest.fixture
def job(router: Router, settings: Settings) -> WorkflowJob:
    """A task that is routed hybrid."""
    planned = Planned("1-build-it", "Build it", router.route("Build it", None, Platform.HYBRID))
    return WorkflowJob(planned, InteractiveClaude(Path(sys.executable), {}), settings)


def test_what_was_stopped_before_is_not_begun(job: WorkflowJob, run: Run) -> None:
    run.stop.set()
    closed = job.carry_out(run)
    assert (closed.state, closed.reason) == (State.CANCELLED, "stopped by the user before it started")
    assert not list(run.archive.folder.rglob("workflow.json"))


def test_a_workflow_of_ones_own_that_is_wrong_fails_the_task_and_says_where(job: WorkflowJob, run: Run) -> None:
    own = run.repository.root / ".dual/workflows"
    own.mkdir(parents=True)
    (own / "hybrid_development.yaml").write_text("phases:\n- {phase: a, platfrm: codex}\n")
    closed = job.carry_out(run)
    assert closed.state is State.FAILED
    assert "hybrid_development.yaml:2:14: phases.0.platfrm" in closed.reason


def test_its_first_session_is_described_without_a_branch_of_its_own(job: WorkflowJob, run: Run) -> None:
    assert job.branch(run) is None  # type: ignore[func-returns-value]
    assert (job.session(run).task, job.session(run).cwd) == ("Build it", run.cwd)


def test_its_sessions_reach_the_memory_of_the_user(run: Run, settings: Settings, tmp_path: Path) -> None:
    chosen = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'all.db'}"})
    memory = open_memory(chosen, run.repository.root, run=run.id)
    site = Site(run, chosen, memory, person=False, seats=threading.Semaphore(1))
    told = site.env("coder-1")
    memory.close()
    assert (told["RUNNER_DATABASE_URL"], told["RUNNER_AGENT_ID"]) == (chosen.database_url, "coder-1")
    assert told["RUNNER_RUN_ID"] == run.id
