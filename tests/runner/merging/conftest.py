"""Runs that have ended, as their files and branches tell: made without any agent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from router.labels import Platform
from router.service import Router
from runner.acceptance.harvest import Finished
from runner.checkout.repository import Repository
from runner.checkout.worktree import Worktree
from runner.runs.archive import Archive
from runner.runs.records import Ending, Entry, Record
from runner.runs.state import State
from runner.settings import Settings

RUN = "20261124-090000-abcd"
BEGUN = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def place(repository: Repository, settings: Settings) -> Finished:
    """A run of `main` without tasks."""
    archive = Archive.of(repository, settings.data_folder())
    return Finished(RUN, repository.resolve("main"), "main", repository, archive, lock_wait_s=5, entries=())


@pytest.fixture
def work(place: Finished, router: Router) -> Callable[..., Entry]:
    """Has a worker do something: files by path, None deleting one; returns what was written down of it."""

    def do(
        worker: str, state: State | None = State.SUCCEEDED, base: str = "main", run: str = RUN, **files: str | None
    ) -> Entry:
        commit, archive = place.repository.resolve(base), place.archive
        tree = Worktree.attach(place.repository, archive.worktree(run, worker), f"dual/{run}/{worker}", commit)
        for name, text in files.items():
            path = tree.path / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            path.unlink() if text is None else path.write_text(text)
        facts: dict[str, Any] = {"cwd": tree.path, "branch": tree.branch, "base": commit, "base_name": base}
        record = _record(router, run, worker, **facts)
        archive.begin(record)
        if state is None:
            return Entry(archive.session(run, worker), record, None)
        ending = Ending(
            status=state, reason="completed", ended_at=BEGUN + timedelta(minutes=5), commit=tree.settle(worker),
            diff=tree.diff(),
        )  # fmt: skip
        archive.end(record, ending)
        return Entry(archive.session(run, worker), record, ending)

    return do


@pytest.fixture
def sit(place: Finished, router: Router) -> Callable[..., Entry]:
    """Writes a task down that has no branch: an interactive one, or one that a workflow carries out."""

    def write(worker: str, state: State = State.SUCCEEDED, reason: str = "", run: str = RUN) -> Entry:
        record = _record(router, run, worker, cwd=place.repository.root)
        place.archive.begin(record)
        ending = Ending(status=state, reason=reason, ended_at=BEGUN + timedelta(minutes=5))
        place.archive.end(record, ending)
        return Entry(place.archive.session(run, worker), record, ending)

    return write


def _record(router: Router, run: str, worker: str, **facts: Any) -> Record:
    decision = router.route(f"task of {worker}", None, Platform.CODEX)
    router.writer.flush()  # the command under test has a router of its own
    return Record(
        run_id=run, worker=worker, task=f"task of {worker}", decision=decision, program="scripted",
        session_id=f"{run}-{worker}", command="", started_at=BEGUN, runner_pid=1, runner_started=-99, **facts,
    )  # fmt: skip
