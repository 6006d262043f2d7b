"""A runner that is stopped, or killed: its sessions end, or go on, and no work is lost."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from router.labels import Status
from router.service import Router
from runner.census import marked
from runner.checkout.repository import Repository
from runner.runs.archive import Archive
from runner.runs.records import Entry, Record
from runner.runs.recovery import close_abandoned
from runner.runs.state import State
from runner.settings import Settings

Script = Callable[..., str]
GitRun = Callable[..., str]
RunCli = Callable[..., Any]
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def archive(repository: Repository, settings: Settings) -> Archive:
    return Archive.of(repository, settings.data_folder())


@pytest.fixture
def start(repo: Path, environ: dict[str, str]) -> Iterator[Start]:
    """Starts runners with headless tasks; ends them with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-c", "from runner.cli import entry; entry()", "execute", "--platform", "codex"]
        started.append(subprocess.Popen([*argv, *arguments], cwd=repo, env=environ, start_new_session=True))
        return started[-1]

    yield run
    for runner in started:
        runner.terminate()
        runner.wait()


def wait_for(archive: Archive, runner: subprocess.Popen[bytes]) -> Entry:
    """Wait until the task has written `ready` into its worktree."""
    while runner.poll() is None:
        for entry in archive.entries():
            if (entry.record.cwd / "ready").exists():
                return entry
        threading.Event().wait(0.05)
    raise AssertionError("the runner ended first")


def test_a_killed_runner_leaves_its_run_going_and_another_terminal_ends_it(
    repo: Path, start: Start, archive: Archive, script: Script, router: Router, git: GitRun, cli: RunCli,
    deliver: Callable[[], int],
) -> None:  # fmt: skip
    runner = start(script(deaf=True, write=["half", "half\n"], run="touch ready", wait=300))
    entry = wait_for(archive, runner)
    runner.kill()
    runner.wait()
    assert archive.entries()[0].state is State.RUNNING

    run_id = entry.record.run_id
    assert f"`runner watch {run_id}` shows how" in cli("cancel", run_id).stdout
    watched = cli("watch")
    assert watched.returncode == 1
    assert f"next: runner resume {run_id}" in watched.stdout
    assert archive.entries()[0].reason == "stopped by the user"
    assert marked(entry.record.session_id) == []
    assert git(repo, "show", f"{entry.record.branch}:half") == "half"
    assert deliver() == 0
    assert [o.status for _, outcomes, _ in router.journal.history() for o in outcomes] == [Status.CANCELLED]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_runner_ends_its_sessions_and_keeps_their_work(
    repo: Path, start: Start, archive: Archive, script: Script, router: Router, git: GitRun, number: int,
    deliver: Callable[[], int],
) -> None:  # fmt: skip
    runner = start(script(deaf=True, write=["half", "half\n"], run="setsid sleep 300 & touch ready", wait=300))
    entry = wait_for(archive, runner)
    os.kill(runner.pid, number)
    assert runner.wait() == 130
    (ended,) = archive.entries()
    assert ended.state is State.CANCELLED
    assert marked(entry.record.session_id) == []
    assert git(repo, "show", f"{entry.record.branch}:half") == "half"
    assert deliver() == 0
    assert [o.status for _, outcomes, _ in router.journal.history() for o in outcomes] == [Status.CANCELLED]


def test_a_closed_terminal_leaves_the_run_going(
    repo: Path, start: Start, archive: Archive, script: Script, cli: RunCli
) -> None:
    runner = start(script(run=f"touch ready; while [ ! -e {repo}/../go ]; do sleep 0.05; done"))
    entry = wait_for(archive, runner)
    os.kill(runner.pid, signal.SIGHUP)
    assert runner.wait() == 3
    assert archive.entries()[0].state is State.RUNNING
    (repo.parent / "go").touch()
    assert cli("watch", entry.record.run_id).returncode == 0


def test_a_task_in_the_queue_is_cancelled_before_it_starts(start: Start, archive: Archive, script: Script) -> None:
    runner = start("--workers", "1", script(write=["ready", ""], wait=300), script(say="never"))
    wait_for(archive, runner)
    os.kill(runner.pid, signal.SIGINT)
    assert runner.wait() == 130
    first, second = archive.entries()
    assert (first.state, second.state) == (State.CANCELLED, State.CANCELLED)
    assert second.reason == "stopped by the user before it started"


def test_an_interactive_session_is_left_to_its_user(archive: Archive, repo: Path, router: Router) -> None:
    record = Record(
        run_id="r", worker="1-x", task="x", decision=router.route("explain x"), program="claude", session_id="s",
        command="claude", cwd=repo, started_at=datetime.now(UTC), runner_pid=2**22 - 1, runner_started=0,
    )  # fmt: skip
    archive.begin(record)
    (closed,) = close_abandoned(archive)
    assert (closed.state, closed.reason) == (State.CANCELLED, "its runner was killed")
    assert list(close_abandoned(archive)) == []
