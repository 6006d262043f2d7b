"""A headless task may be carried out again after any crash, and by two at once: it is done once."""

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from router.labels import Platform
from router.service import Router
from runner.agents.scripted import ScriptedAgent
from runner.census import kill_marked, marked
from runner.environment import headless_environment
from runner.errors import Left
from runner.orders.opening import Order, open_run
from runner.runs.headless import HeadlessJob
from runner.runs.records import Closed
from runner.runs.run import Run
from runner.runs.state import State
from runner.sessions.attempt import attempts, is_supervised
from runner.settings import Settings
from runner.tasks.plan import Planned
from runner.terminal.progress import PlainProgress

GitRun = Callable[..., str]
Steps = tuple[dict[str, object], ...]


@pytest.fixture
def run(repo: Path, settings: Settings) -> Run:
    """A run in the repository."""
    return open_run(Order(()), settings, repo, PlainProgress())


@pytest.fixture
def job(router: Router) -> Callable[..., HeadlessJob]:
    """Makes tasks of steps for the scripted agent."""

    def make(*steps: dict[str, object], worker: str = "1-x") -> HeadlessJob:
        task = json.dumps(steps)
        decision = router.route(task, platform=Platform.CODEX)
        return HeadlessJob(
            Planned(worker, task, decision), ScriptedAgent(headless_environment("scripted", os.environ, "COVERAGE_*"))
        )

    return make


Job = Callable[..., HeadlessJob]


def tree(run: Run, worker: str = "1-x") -> Path:
    return run.archive.worktree(run.id, worker)


def folder(run: Run, worker: str = "1-x") -> Path:
    return run.archive.session(run.id, worker)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 90
    while not path.exists():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def left(job: HeadlessJob, run: Run, path: Path) -> None:
    """Begin a task and leave it, as a worker that is killed does, once `path` is there."""
    leaving = replace(run, leave=threading.Event())
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(job.carry_out, leaving)
        wait_for(path)
        leaving.leave.set()
        with pytest.raises(Left):
            doing.result()


def test_a_closed_task_is_not_done_again(run: Run, job: Job) -> None:
    task = job({"run": "echo one >> count"}, {"say": "done"})
    first = task.carry_out(run)
    assert (first.state, first.ending.attempts) == (State.SUCCEEDED, 1)
    again = task.carry_out(run)
    assert again == first
    assert (tree(run) / "count").read_text() == "one\n"


def test_two_who_carry_it_out_at_once_follow_one_session(run: Run, job: Job) -> None:
    task = job({"run": "echo one >> count"}, {"wait": 0.5}, {"say": "done"})
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(task.carry_out, [run, run])
    assert one.ending == other.ending
    assert len(attempts(folder(run))) == 1
    assert (tree(run) / "count").read_text() == "one\n"


def test_one_who_waits_for_another_follower_may_leave_and_may_stop_it(run: Run, job: Job) -> None:
    task = job({"run": "touch ready"}, {"wait": 300})
    with ThreadPoolExecutor(3) as pool:
        following = pool.submit(task.carry_out, run)
        wait_for(tree(run) / "ready")
        leaving, stopping = replace(run, leave=threading.Event()), replace(run, stop=threading.Event())
        leaving.leave.set()
        with pytest.raises(Left):
            pool.submit(task.carry_out, leaving).result()
        stopping.stop.set()
        assert pool.submit(task.carry_out, stopping).result().state is State.CANCELLED
        assert following.result().state is State.CANCELLED


def test_a_session_that_ended_while_nobody_followed_is_settled(run: Run, job: Job, repo: Path, git: GitRun) -> None:
    task = job({"run": "touch ready"}, {"write": ["made.txt", "made\n"]}, {"say": "done"})
    left(task, run, folder(run) / "attempt-1/begun.json")
    while is_supervised(folder(run)):
        threading.Event().wait(0.02)
    closed = task.carry_out(run)
    assert (closed.state, closed.ending.attempts, closed.ending.message) == (State.SUCCEEDED, 1, "done")
    assert git(repo, "show", f"{closed.record.branch}:made.txt") == "made"


def test_a_session_whose_supervisor_died_alone_is_resumed(run: Run, job: Job) -> None:
    task = job({"run": "echo one >> count"}, {"run": "touch ready; test -e go || sleep 300"}, {"say": "done"})
    left(task, run, tree(run) / "ready")
    begun = json.loads((folder(run) / "attempt-1/begun.json").read_bytes())
    os.kill(begun["supervisor"], signal.SIGKILL)
    (tree(run) / "go").touch()
    closed = task.carry_out(run)
    assert (closed.state, closed.ending.attempts) == (State.SUCCEEDED, 2)
    assert (tree(run) / "count").read_text() == "one\n"
    assert marked(closed.record.session_id) == []


def test_a_rate_limited_task_goes_on_once_its_time_has_come(run: Run, job: Job) -> None:
    task = job({"run": "echo one >> count"}, {"limit": 4}, {"say": "done"})
    limited = task.carry_out(run)
    assert limited.state is State.RATE_LIMITED
    assert limited.ending.resets_at is not None
    while time.time() < limited.ending.resets_at.timestamp():
        threading.Event().wait(0.1)
    closed = task.carry_out(run)
    assert (closed.state, closed.ending.attempts) == (State.SUCCEEDED, 2)
    assert (tree(run) / "count").read_text() == "one\n"


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        (({"say": "I looked.\n\nWhich one do you want, A or B?"},), State.NEEDS_INPUT),
        (({"write": ["a", "b"]}, {"say": "Done. Anything else?"}), State.SUCCEEDED),
        (({"say": "It is answered."},), State.SUCCEEDED),
    ],
)
def test_a_question_in_the_place_of_work_needs_an_answer(run: Run, job: Job, steps: Steps, state: State) -> None:
    assert job(*steps).carry_out(run).state is state


def test_half_a_worktree_that_a_killed_runner_left_is_made_again(run: Run, job: Job, repo: Path, git: GitRun) -> None:
    task = job({"write": ["made.txt", "made\n"]})
    git(repo, "worktree", "add", "-q", "--no-checkout", "-b", task.branch(run), str(tree(run)))
    git(repo, "worktree", "lock", str(tree(run)))
    closed = task.carry_out(run)
    assert closed.state is State.SUCCEEDED
    assert closed.ending.diff
    assert closed.ending.diff.files == 1


def test_a_session_whose_worktree_is_gone_when_it_is_resumed_gets_it_back(
    run: Run, job: Job, repo: Path, git: GitRun
) -> None:
    commit = "git add -A && git -c user.name=w -c user.email=w@localhost commit -qm work"
    task = job({"write": ["kept.txt", "kept\n"]}, {"run": commit}, {"run": "touch ready; test -e go || sleep 300"})
    left(task, run, tree(run) / "ready")
    begun = json.loads((folder(run) / "attempt-1/begun.json").read_bytes())
    os.kill(begun["supervisor"], signal.SIGKILL)
    while is_supervised(folder(run)):
        threading.Event().wait(0.02)
    shutil.rmtree(tree(run))
    stopper = replace(run, stop=threading.Event())
    stopper.stop.set()
    closed = task.carry_out(stopper)
    assert closed.state is State.CANCELLED
    assert git(repo, "show", f"{closed.record.branch}:kept.txt") == "kept"


def test_an_agent_that_deletes_its_worktree_loses_no_commit(run: Run, job: Job, repo: Path, git: GitRun) -> None:
    commit = "git add -A && git -c user.name=w -c user.email=w@localhost commit -qm work"
    closed = job({"write": ["kept.txt", "kept\n"]}, {"run": commit}, {"run": 'rm -rf "$PWD"'}).carry_out(run)
    assert git(repo, "show", f"{closed.record.branch}:kept.txt") == "kept"
    assert "deleted" in closed.ending.reason


def test_an_agent_that_works_on_another_branch_is_followed_there(run: Run, job: Job, repo: Path, git: GitRun) -> None:
    commit = "git switch -qc other && git add -A && git -c user.name=w -c user.email=w@localhost commit -qm work"
    closed = job({"write": ["moved.txt", "moved\n"]}, {"run": commit}).carry_out(run)
    seen = git(repo, "branch", "--all", "--contains", git(repo, "rev-parse", "other"))
    assert str(closed.record.branch) in seen or "other" in closed.ending.reason


def test_sessions_end_when_the_money_of_the_run_is_spent(run: Run, job: Job) -> None:
    poor = replace(run, limits=replace(run.limits, run_cost_usd=0.5))
    first = job({"use": 500_000}, {"say": "dear"}).carry_out(poor)
    assert first.ending.cost_usd == 0.5
    second = job({"say": "never"}, worker="2-y").carry_out(poor)
    assert isinstance(second, Closed)
    assert (second.state, second.ending.attempts) == (State.BUDGET_EXHAUSTED, 0)
    assert not tree(run, "2-y").exists()


@pytest.mark.parametrize("damage", ["gone", "unlinked"])
def test_a_damaged_worktree_is_mended_before_the_session_goes_on(
    run: Run, job: Job, repo: Path, git: GitRun, damage: str
) -> None:
    commit = "git add -A && git -c user.name=w -c user.email=w@localhost commit -qm work"
    waiting = f"touch ready; test -e {folder(run)}/go || sleep 300"
    task = job({"write": ["kept.txt", "kept\n"]}, {"run": commit}, {"run": waiting}, {"write": ["late.txt", "late\n"]})
    left(task, run, tree(run) / "ready")
    begun = json.loads((folder(run) / "attempt-1/begun.json").read_bytes())
    os.kill(begun["supervisor"], signal.SIGKILL)
    while is_supervised(folder(run)):
        threading.Event().wait(0.02)
    kill_marked(begun_session(run))
    shutil.rmtree(tree(run)) if damage == "gone" else (tree(run) / ".git").unlink()
    (folder(run) / "go").touch()
    closed = task.carry_out(run)
    assert (closed.state, closed.ending.attempts) == (State.SUCCEEDED, 2)
    for name in ("kept", "late"):
        assert git(repo, "show", f"{closed.record.branch}:{name}.txt") == name


def begun_session(run: Run) -> str:
    """The mark of the first task's processes."""
    entry = run.archive.entry(run.id, "1-x")
    assert entry
    return entry.record.session_id
