"""Runs are carried out by a worker of their own: they survive it, and everything else that is killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from router.labels import Status
from router.service import Router
from runner.checkout.repository import Repository
from runner.runs.archive import Archive
from runner.runs.executor import is_running
from runner.runs.records import Entry
from runner.runs.state import State
from runner.runs.submission import RunFolder
from runner.settings import Settings

Script = Callable[..., str]
GitRun = Callable[..., str]
RunCli = Callable[..., Any]
Detach = Callable[..., str]


@pytest.fixture
def archive(repository: Repository, settings: Settings) -> Archive:
    return Archive.of(repository, settings.data_folder())


@pytest.fixture
def home(settings: Settings) -> Path:
    return settings.data_folder()


@pytest.fixture
def detach(cli: RunCli) -> Detach:
    """Submits headless tasks and returns the run's id."""

    def run(*arguments: str) -> str:
        done = cli("execute", "--detach", "--json", "--platform", "codex", *arguments)
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["run_id"])

    return run


def worker_of(home: Path) -> int:
    """The worker's number."""
    number = json.loads((home / "executor/worker.json").read_bytes())["pid"]
    assert isinstance(number, int)
    return number


def until(true: Callable[[], object]) -> None:
    """Wait until something is so."""
    while not true():
        threading.Event().wait(0.05)


def states(archive: Archive) -> list[State]:
    """Where all tasks stand."""
    return [entry.state for entry in archive.entries()]


def waiting_for(go: Path, log: Path) -> str:
    """A command that notes its start and waits for a file."""
    return f"echo begun >> {log}; while [ ! -e {go} ]; do sleep 0.05; done"


def test_a_killed_worker_is_replaced_and_no_session_runs_twice(
    detach: Detach, cli: RunCli, script: Script, archive: Archive, home: Path, tmp_path: Path
) -> None:
    go, log = tmp_path / "go", tmp_path / "log"
    run = detach(*(script(run=waiting_for(go, log), write=[f"{name}.txt", name]) for name in "ab"))
    until(lambda: log.exists() and log.read_text().count("begun") == 2)
    os.kill(worker_of(home), signal.SIGKILL)
    until(lambda: not is_running(home))
    assert states(archive) == [State.RUNNING] * 2
    go.touch()
    watched = cli("watch", run)
    assert watched.returncode == 0
    assert states(archive) == [State.SUCCEEDED] * 2
    assert log.read_text().count("begun") == 2
    assert f"next: runner accept {run}" in watched.stdout


def test_a_worker_that_is_told_to_leave_lets_its_sessions_go_on(
    detach: Detach, cli: RunCli, script: Script, archive: Archive, home: Path, tmp_path: Path
) -> None:
    go, log = tmp_path / "go", tmp_path / "log"
    run = detach(script(run=waiting_for(go, log)))
    until(log.exists)
    os.kill(worker_of(home), signal.SIGTERM)
    until(lambda: not is_running(home))
    assert states(archive) == [State.RUNNING]
    go.touch()
    assert cli("watch", run).returncode == 0
    assert log.read_text().count("begun") == 1


def test_a_worker_that_has_nothing_to_do_takes_over_changed_settings(cli: RunCli, script: Script, home: Path) -> None:
    order = ("execute", "--platform", "codex", script(say="done"))
    assert cli(*order, RUNNER_WORKER_IDLE_S="60").returncode == 0
    first = worker_of(home)
    assert cli(*order, RUNNER_WORKER_IDLE_S="60").returncode == 0
    assert worker_of(home) == first
    done = cli(*order, RUNNER_WORKER_IDLE_S="60", RUNNER_PROGRAM_SESSIONS="2")
    assert (done.returncode, worker_of(home) == first) == (0, False)
    assert "RUNNER_PROGRAM_SESSIONS" not in done.stderr


def test_a_worker_that_is_at_work_keeps_its_settings_and_the_user_is_told(
    detach: Detach, cli: RunCli, script: Script, home: Path, tmp_path: Path
) -> None:
    go, log = tmp_path / "go", tmp_path / "log"
    run = detach(script(run=waiting_for(go, log)))
    until(log.exists)
    first = worker_of(home)
    done = cli("execute", "--platform", "codex", script(say="done"), RUNNER_PROGRAM_SESSIONS="2")
    assert (done.returncode, worker_of(home)) == (0, first)
    assert "goes on with RUNNER_PROGRAM_SESSIONS as it was started with" in done.stderr
    go.touch()
    assert cli("watch", run).returncode == 0


def test_a_worker_whose_folder_was_removed_leaves_and_makes_no_other(cli: RunCli, script: Script, home: Path) -> None:
    done = cli("execute", "--platform", "codex", script(say="done"), RUNNER_WORKER_IDLE_S="600")
    assert done.returncode == 0
    worker = psutil.Process(worker_of(home))
    shutil.rmtree(home)
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    assert not home.exists()


def test_a_session_that_died_with_its_worker_is_gone_on_with(
    detach: Detach, cli: RunCli, script: Script, archive: Archive, home: Path, tmp_path: Path
) -> None:
    go, log = tmp_path / "go", tmp_path / "log"
    run = detach(script(say="I begin.", run=waiting_for(go, log), write=["a.txt", "a"]))
    until(log.exists)
    (entry,) = archive.entries()
    begun = json.loads((entry.folder / "attempt-1/begun.json").read_bytes())
    for number in (worker_of(home), begun["supervisor"]):
        os.kill(number, signal.SIGKILL)
    until(lambda: states(archive) == [State.INTERRUPTED])
    go.touch()
    watched = cli("watch", run)
    assert watched.returncode == 0
    (entry,) = archive.entries()
    assert entry.ending is not None
    assert (entry.ending.attempts, entry.ending.diff and entry.ending.diff.files) == (2, 1)


def test_tasks_wait_for_those_they_come_after_and_start_from_their_work(
    cli: RunCli, tmp_path: Path, archive: Archive
) -> None:
    tasks = tmp_path / "tasks.jsonl"
    lines = [
        {"task": '[{"run": "grep made made.txt && touch seen.txt"}]', "name": "second", "after": ["first"]},
        {"task": '[{"write": ["made.txt", "made"]}]', "name": "first"},
        {"task": '[{"fail": "no idea"}]', "name": "third"},
        {"task": '[{"say": "never"}]', "name": "fourth", "after": ["third", "first"]},
        {"task": '[{"say": "never either"}]', "name": "fifth", "after": ["fourth"]},
    ]
    tasks.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = cli("execute", "--platform", "codex", "--tasks-file", str(tasks))
    assert done.returncode == 1
    second, first, third, fourth, fifth = archive.entries()
    assert [one.state for one in (second, first, third)] == [State.SUCCEEDED, State.SUCCEEDED, State.FAILED]
    assert first.ending is not None
    assert second.ending is not None
    assert second.record.base == first.ending.commit
    assert second.ending.diff is not None
    assert second.ending.diff.files == 1
    assert (fourth.state, fourth.reason) == (State.CANCELLED, "not started, for 3-third did not succeed")
    assert fifth.reason == "not started, for 4-fourth did not succeed"


LIMIT = '{{"event": "Finished", "ok": false, "reason": "usage limit", "cause": "usage_limit", "resets_at": {at}}}'


def limited(seconds: float) -> str:
    """A task that a usage limit stops once, for so long."""
    once = "[ -e limited ] || { touch limited; kill -9 $PPID; }"
    steps = [{"write": ["half.txt", "half"]}, {"print": LIMIT.format(at=time.time() + seconds)}, {"run": once}]
    return json.dumps(steps)


def test_a_usage_limit_is_slept_through_and_the_same_session_goes_on(cli: RunCli, archive: Archive) -> None:
    done = cli("execute", "--platform", "codex", limited(7))
    assert done.returncode == 0, done.stderr
    (entry,) = archive.entries()
    assert entry.ending is not None
    assert (entry.state, entry.ending.attempts) == (State.SUCCEEDED, 2)


def test_a_session_that_sleeps_can_be_cancelled(detach: Detach, cli: RunCli, archive: Archive) -> None:
    run = detach(limited(3600))
    until(lambda: states(archive) == [State.RATE_LIMITED])
    assert cli("cancel", run).returncode == 0
    until(lambda: RunFolder(archive.folder / "runs" / run).has_ended)
    assert states(archive) == [State.CANCELLED]


def test_one_task_of_a_run_is_cancelled_and_gone_on_with_later(
    detach: Detach, cli: RunCli, script: Script, archive: Archive, tmp_path: Path
) -> None:
    go, log = tmp_path / "go", tmp_path / "log"
    run = detach(*(script(run=waiting_for(go, log), say=name) for name in "ab"))
    until(lambda: log.exists() and log.read_text().count("begun") == 2)
    told = json.loads(cli("cancel", run, "1", "--json").stdout)
    assert told["cancelled"] == [archive.entries()[0].record.worker]
    until(lambda: archive.entries()[0].state is State.CANCELLED)
    assert archive.entries()[1].state is State.RUNNING
    assert "is under way" in cli("resume", run).stderr
    go.touch()
    assert cli("watch", run).returncode == 1

    assert "goes on; `runner watch" in cli("resume", run, "--detach").stdout
    done = cli("watch", run, "--json")
    assert (done.returncode, json.loads(done.stdout)["next"]) == (0, [f"runner accept {run}", f"runner reject {run}"])
    refused = cli("resume", run)
    assert (refused.returncode, "nothing of it was stopped" in refused.stderr) == (2, True)
    refused = cli("cancel", run)
    assert (refused.returncode, "has ended already" in refused.stderr) == (2, True)


def test_what_failed_is_tried_again_under_a_name_of_its_own(
    cli: RunCli, script: Script, archive: Archive, tmp_path: Path, repo: Path, git: GitRun
) -> None:
    first = f"[ -e {tmp_path}/again ] || {{ touch {tmp_path}/again; kill -9 $PPID; }}"
    failing = json.dumps([{"print": '{"event": "Finished", "ok": false, "reason": "broken"}'}, {"run": first}])
    tasks = tmp_path / "tasks.jsonl"
    lines = [{"task": failing, "name": "a"}, {"task": script(write=["b.txt", "b"]), "name": "b", "after": ["a"]}]
    tasks.write_text("".join(json.dumps(line) + "\n" for line in lines))
    failed = cli("execute", "--platform", "codex", "--tasks-file", str(tasks), "--json")
    run = json.loads(failed.stdout)["run_id"]
    assert json.loads(failed.stdout)["next"] == [f"runner resume {run}", f"runner retry {run}"]

    again = cli("retry", run)
    assert again.returncode == 0, again.stderr
    names = [entry.record.worker for entry in archive.entries()]
    assert sorted(names) == ["1-a", "1-a-try-2", "2-b", "2-b-try-2"]
    assert git(repo, "show", f"dual/{run}/2-b-try-2:b.txt") == "b"
    assert "nothing of it failed" in cli("retry", run).stderr


def test_the_outcome_of_a_detached_run_reaches_the_router_by_itself(
    detach: Detach, script: Script, router: Router
) -> None:
    detach(script(say="hi"))
    until(lambda: any(outcomes for _, outcomes, _ in router.journal.history()))
    assert [o.status for _, outcomes, _ in router.journal.history() for o in outcomes] == [Status.SUCCEEDED]


def test_keys_are_kept_for_the_user_alone_and_only_while_they_are_needed(
    detach: Detach, cli: RunCli, script: Script, archive: Archive, tmp_path: Path
) -> None:
    run = detach(script(run=waiting_for(tmp_path / "go", tmp_path / "log")))
    kept = archive.folder / "runs" / run / "environment.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert json.loads(kept.read_bytes())["scripted"]["PATH"] == os.environ["PATH"]
    (tmp_path / "go").touch()
    cli("watch", run)
    assert not kept.exists()


def test_branches_are_merged_and_checked_at_the_end(
    cli: RunCli, script: Script, repo: Path, git: GitRun, router: Router, deliver: Callable[[], int]
) -> None:
    (repo / ".dual.toml").write_text('check = ["cat one.txt two.txt", "false"]\n')
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", "checks")
    done = cli("execute", "--platform", "codex", *(script(write=[f"{name}.txt", "x"]) for name in ("one", "two")))
    assert done.returncode == 1
    assert "Merged on dual/" in done.stdout
    assert done.stdout.count("git diff") == 1
    assert "git merge" not in done.stdout
    assert "passed: cat one.txt two.txt\n  FAILED: false" in done.stdout
    assert "does not have yet: 0" in cli("send").stdout
    assert deliver() == 0
    assert [outcomes[-1].tests_passed for _, outcomes, _ in router.journal.history()] == [False, False]


def test_branches_in_conflict_wait_for_a_person(cli: RunCli, script: Script) -> None:
    done = cli("execute", "--platform", "codex", *(script(write=["a.txt", name]) for name in ("one", "two")))
    assert done.returncode == 8
    assert "in conflict: 2-write-a-txt-two (a.txt)" in done.stdout


def test_a_task_after_one_that_needs_a_person_waits_for_him(
    cli: RunCli, script: Script, tmp_path: Path, archive: Archive, home: Path
) -> None:
    tasks = tmp_path / "tasks.jsonl"
    lines = [
        {"task": "explain it", "name": "talk", "platform": "claude-code"},
        {"task": script(say="after it"), "name": "work", "after": ["talk"]},
        {"task": script(say="meanwhile"), "name": "other"},
    ]
    tasks.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = cli("execute", "--platform", "codex", "--tasks-file", str(tasks), "--json")
    assert done.returncode == 8
    told = json.loads(done.stdout)
    assert [task["status"] for task in told["tasks"]] == ["waiting", "queued", "succeeded"]
    refused = cli("attach", told["run_id"])
    assert (refused.returncode, "no terminal here" in refused.stderr) == (2, True)
    archive.close(archive.entries()[0].record, State.SUCCEEDED, "accepted by the user")
    assert cli("watch", told["run_id"]).returncode == 0
    assert states(archive) == [State.SUCCEEDED] * 3


def test_a_run_that_cannot_be_read_is_given_up_and_said(
    cli: RunCli, script: Script, archive: Archive, detach: Detach, home: Path, tmp_path: Path
) -> None:
    run = detach(script(run=waiting_for(tmp_path / "go", tmp_path / "log")))
    until((tmp_path / "log").exists)
    (archive.folder / "runs" / run / archive.entries()[0].record.worker / "run.json").write_text("?")
    (tmp_path / "go").touch()
    until(lambda: RunFolder(archive.folder / "runs" / run).has_ended)
    assert "run.json: can't be read" in RunFolder(archive.folder / "runs" / run).problem


def test_only_one_worker_carries_out_and_it_leaves_by_itself(cli: RunCli, environ: dict[str, str], home: Path) -> None:
    argv = [sys.executable, "-c", "from runner.cli import entry; entry()", "worker"]
    with subprocess.Popen(argv, env={**environ, "RUNNER_WORKER_IDLE_S": "0.5"}) as worker:
        until(lambda: is_running(home))
        refused = cli("worker")
        assert (refused.returncode, "held by another runner" in refused.stderr) == (3, True)
        assert worker.wait() == 0
    assert not is_running(home)


def test_the_log_of_a_task_is_followed_to_its_end(
    detach: Detach, cli: RunCli, script: Script, archive: Archive, tmp_path: Path
) -> None:
    run = detach(script(say="I begin.", run=waiting_for(tmp_path / "go", tmp_path / "log"), fail="no idea"))
    until((tmp_path / "log").exists)
    threading.Timer(0.3, (tmp_path / "go").touch).start()
    told = cli("logs", "-f", run).stdout
    assert "I begin.\n" in told
    assert told.endswith("failed: no idea\n")


def test_without_a_run_there_is_nothing_to_watch(cli: RunCli) -> None:
    refused = cli("watch")
    assert (refused.returncode, "`runner execute` starts one" in refused.stderr) == (2, True)
    assert cli("attach").returncode == 2


def entry_named(archive: Archive, name: str) -> Entry:
    """The task of this name."""
    return next(entry for entry in archive.entries() if entry.record.worker == name)
