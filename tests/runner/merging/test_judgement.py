"""`runner accept` and `runner reject`: work is taken over forwards only, and the router learns the verdict."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from router.labels import Status
from router.schemas import Outcome
from router.service import Router
from runner.acceptance.harvest import Finished
from runner.census import started_at
from runner.merging.integration import Integration
from runner.runs.records import Entry
from runner.runs.state import State

GitRun = Callable[..., str]
RunCli = Callable[..., Any]
Work = Callable[..., Entry]
RUN = "20261124-090000-abcd"


@pytest.fixture
def accept(cli: RunCli) -> Callable[..., dict[str, Any]]:
    """Accepts the run and returns what was said for programs."""

    def run(*args: str, command: str = "accept") -> dict[str, Any]:
        done = cli(command, RUN[:15], "--json", *args)
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return run


Accept = Callable[..., dict[str, Any]]


def learned(router: Router) -> dict[str, Outcome]:
    """The latest outcome of each task, by its text."""
    return {stored.task: outcomes[-1] for stored, outcomes, _ in router.journal.history() if outcomes}


def test_the_only_branch_of_a_run_is_taken_over(
    accept: Accept, work: Work, repo: Path, git: GitRun, router: Router, place: Finished
) -> None:
    work("1-a", a_txt="hello\nmore\n")
    (repo / "untracked.txt").touch()
    told = accept()
    assert (told["branch"], told["how"], told["workers"]) == ("main", "forwarded", ["1-a"])
    assert git(repo, "rev-parse", "main") == told["commit"] == git(repo, "rev-parse", f"dual/{RUN}/1-a")
    assert (repo / "a.txt").read_text() == "hello\nmore\n"
    assert git(repo, "status", "--porcelain") == "?? untracked.txt"
    assert told["next"] == f"runner clean {RUN}"
    entry = place.archive.entry(RUN, "1-a")
    assert entry is not None
    assert entry.ending is not None
    assert entry.ending.accepted
    outcome = learned(router)["task of 1-a"]
    assert (outcome.accepted, outcome.status, outcome.run_id) == (True, Status.SUCCEEDED, RUN)
    assert told["outcomes_unsent"] == 0


def test_several_branches_are_merged_first_and_a_conflict_is_left(
    accept: Accept, cli: RunCli, work: Work, repo: Path, git: GitRun, router: Router
) -> None:
    work("1-a", a_txt="from 1\n")
    work("2-b", a_txt="from 2\n")
    work("3-c", State.FAILED, c_txt="half\n")
    told = accept()
    assert (told["workers"], told["how"]) == (["1-a"], "forwarded")
    assert [(part["worker"], part["reason"]) for part in told["left"]] == [
        ("2-b", "in conflict in a.txt"), ("3-c", "failed: completed"),
    ]  # fmt: skip
    assert told["next"] == f"git merge dual/{RUN}/2-b"
    assert (repo / "a.txt").read_text() == "from 1\n"
    assert git(repo, "show", f"dual/{RUN}/2-b:a.txt") == "from 2"
    assert {task: outcome.accepted for task, outcome in learned(router).items()} == {"task of 1-a": True}
    shown = cli("accept", RUN).stdout
    assert f"{RUN}: accepted; main has it already\n" in shown
    assert f"  not in it: dual/{RUN}/2-b, in conflict in a.txt\n" in shown


def test_a_conflict_that_was_solved_by_hand_is_accepted_too(
    accept: Accept, work: Work, place: Finished, git: GitRun
) -> None:
    work("1-a", a_txt="from 1\n")
    work("2-b", a_txt="from 2\n")
    assert accept()["workers"] == ["1-a"]
    path = Integration.open(place, place.base).tree.path
    git(path, "merge", "--quiet", "--strategy-option", "theirs", "--message", "both", f"dual/{RUN}/2-b")
    told = accept()
    assert (told["workers"], told["left"]) == (["1-a", "2-b"], [])


@pytest.mark.parametrize("blocking", ["a.txt", "new.txt", "ignored.log"])
def test_what_is_uncommitted_is_never_written_over(
    accept: Accept, cli: RunCli, work: Work, repo: Path, git: GitRun, blocking: str
) -> None:
    (repo / ".git/info/exclude").write_text("*.log\n")
    entry = work("1-a", a_txt="theirs\n", new_txt="theirs\n")
    if blocking == "ignored.log":
        (entry.record.cwd / blocking).write_text("theirs\n")
        git(entry.record.cwd, "add", "--force", blocking)
        git(entry.record.cwd, "commit", "--quiet", "--amend", "--no-edit")
    (repo / blocking).write_text("mine\n")
    before = (git(repo, "rev-parse", "HEAD"), git(repo, "status", "--porcelain", "--ignored"))
    told = accept()
    assert (git(repo, "rev-parse", "HEAD"), git(repo, "status", "--porcelain", "--ignored")) == before
    assert (repo / blocking).read_text() == "mine\n"
    assert (told["branch"], told["how"]) == (f"accepted/{RUN}", "opened")
    assert "main can't be moved: " in told["reason"]
    assert blocking in told["reason"]
    assert git(repo, "rev-parse", f"accepted/{RUN}") == told["commit"]
    assert told["next"] == f"git merge accepted/{RUN}"
    assert f"it lies on accepted/{RUN}, for main can't be moved" in cli("accept", RUN).stdout


def test_changes_in_other_files_are_no_obstacle(accept: Accept, work: Work, repo: Path, git: GitRun) -> None:
    work("1-a", new_txt="new\n")
    (repo / "a.txt").write_text("mine\n")
    assert accept()["how"] == "forwarded"
    assert (repo / "a.txt").read_text() == "mine\n"
    assert git(repo, "status", "--porcelain") == "M a.txt"


def test_a_branch_that_moved_on_is_left_alone(accept: Accept, work: Work, repo: Path, git: GitRun) -> None:
    work("1-a", new_txt="new\n")
    git(repo, "commit", "--quiet", "--allow-empty", "--message", "meanwhile")
    head = git(repo, "rev-parse", "main")
    told = accept()
    assert told["reason"] == "main has moved on since the run began"
    assert git(repo, "rev-parse", "main") == head


def test_a_branch_that_is_checked_out_nowhere_is_moved_all_the_same(
    accept: Accept, work: Work, repo: Path, git: GitRun
) -> None:
    work("1-a", new_txt="new\n")
    git(repo, "checkout", "--quiet", "-b", "other")
    told = accept()
    assert (told["branch"], told["how"]) == ("main", "forwarded")
    assert git(repo, "rev-parse", "main") == told["commit"]
    assert not (repo / "new.txt").exists()


def test_a_branch_in_another_worktree_is_moved_there(
    accept: Accept, work: Work, repo: Path, git: GitRun, tmp_path: Path
) -> None:
    work("1-a", new_txt="new\n")
    git(repo, "checkout", "--quiet", "--detach")
    git(repo, "worktree", "add", "--quiet", tmp_path / "second", "main")
    assert accept()["how"] == "forwarded"
    assert (tmp_path / "second/new.txt").exists()


def test_a_branch_that_a_rebase_is_at_work_on_is_left_alone(
    accept: Accept, work: Work, repo: Path, git: GitRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repo, "commit", "--quiet", "--allow-empty", "--message", "more")
    work("1-a", new_txt="new\n")
    monkeypatch.setenv("GIT_SEQUENCE_EDITOR", "echo break >")
    git(repo, "rebase", "--quiet", "--interactive", "HEAD^")
    told = accept()
    assert told["how"] == "opened"
    assert "main can't be moved" in told["reason"]


@pytest.mark.parametrize(("name", "how"), [("release", "opened"), ("stable", "forwarded")])
def test_another_branch_may_be_named(accept: Accept, work: Work, repo: Path, git: GitRun, name: str, how: str) -> None:
    git(repo, "branch", "stable")
    work("1-a", new_txt="new\n")
    told = accept("--branch", name)
    assert (told["branch"], told["how"], told["reason"]) == (name, how, "")
    assert git(repo, "rev-parse", name) == told["commit"]
    assert not (repo / "new.txt").exists()


def test_a_run_that_began_at_a_commit_gets_a_branch(accept: Accept, work: Work, repo: Path, git: GitRun) -> None:
    work("1-a", base=git(repo, "rev-parse", "HEAD"), new_txt="new\n")
    told = accept()
    assert (told["branch"], told["reason"]) == (f"accepted/{RUN}", "the run began at no branch")


def test_what_cannot_be_accepted_is_said(cli: RunCli, work: Work, repo: Path, git: GitRun) -> None:
    work("1-a", State.FAILED, new_txt="half\n")
    for args, told in (
        (("accept", "nothing"), "no run 'nothing'"),
        (("accept", RUN), f"nothing to accept: 1-a failed: completed; `runner retry {RUN}`"),
        (("accept", RUN, "--branch", "a..b"), "nothing to accept"),
    ):
        done = cli(*args)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    work("1-a", new_txt="whole\n")
    assert "git takes no such name" in cli("accept", RUN, "--branch", "a..b").stderr
    git(repo, "branch", f"accepted/{RUN}")
    git(repo, "commit", "--quiet", "--allow-empty", "--message", "meanwhile")
    assert "holds other work; name another one by --branch" in cli("accept", RUN).stderr


def test_a_run_that_is_under_way_is_left_to_it(cli: RunCli, work: Work, place: Finished) -> None:
    entry = work("1-a", None)
    import os

    living = {"runner_pid": os.getpid(), "runner_started": started_at(os.getpid())}
    place.archive.begin(entry.record.model_copy(update=living))
    for command in ("accept", "reject"):
        done = cli(command, RUN)
        assert (done.returncode, "still under way (1-a); `runner watch" in done.stderr) == (2, True), done.stderr
    assert "kept: under way" in cli("clean", RUN, "--force").stdout


def test_a_run_without_changes_is_accepted_as_it_is(accept: Accept, cli: RunCli, work: Work, sit: Work) -> None:
    work("1-a")
    sit("2-b")
    told = accept()
    assert (told["branch"], told["workers"]) == (None, ["1-a", "2-b"])
    assert "there was nothing to merge" in cli("accept", RUN).stdout


def test_a_task_that_a_workflow_carried_out_is_judged_there(cli: RunCli, sit: Work) -> None:
    sit("1-a", reason="workflow run 20261124-090001-beef; accepted")
    done = cli("accept", RUN)
    assert f"run {RUN} was carried out as run 20261124-090001-beef; name that one" in done.stderr


@pytest.mark.parametrize(("check", "passed"), [("true", True), ("false", False)])
def test_the_router_learns_whether_the_checks_passed(
    accept: Accept, work: Work, repo: Path, git: GitRun, router: Router, check: str, passed: bool
) -> None:
    (repo / ".dual.toml").write_text(f'check = ["{check}"]\n')
    work("1-a", a_txt="1\n")
    work("2-b", a_txt="2\n")
    accept()
    assert {task: one.tests_passed for task, one in learned(router).items()} == {"task of 1-a": passed}


def test_rejected_work_stays_on_its_branches_and_the_router_learns_it(
    accept: Accept, cli: RunCli, work: Work, repo: Path, git: GitRun, router: Router
) -> None:
    work("1-a", new_txt="new\n")
    work("2-b", State.TIMED_OUT, half_txt="half\n")
    told = accept(command="reject")
    assert (told["accepted"], told["branch"], told["workers"]) == (False, None, ["1-a", "2-b"])
    assert git(repo, "show", f"dual/{RUN}/1-a:new.txt") == "new"
    assert {task: (one.status, one.accepted) for task, one in learned(router).items()} == {
        "task of 1-a": (Status.REJECTED, False), "task of 2-b": (Status.TIMED_OUT, False),
    }  # fmt: skip
    assert f"{RUN}: rejected; its branches stay\n  next: runner clean {RUN} --force\n" in cli("reject", RUN).stdout
    assert accept()["how"] == "forwarded"
    assert (learned(router)["task of 1-a"].status, learned(router)["task of 1-a"].accepted) == (Status.SUCCEEDED, True)


def test_without_a_router_the_verdict_waits_for_it(accept: Accept, cli: RunCli, work: Work, router: Router) -> None:
    work("1-a", new_txt="new\n")
    done = cli("accept", RUN, "--json", RUNNER_ROUTER_URL="http://127.0.0.1:9")
    assert (done.returncode, json.loads(done.stdout)["outcomes_unsent"]) == (0, 1)
    assert learned(router) == {}
    assert accept()["outcomes_unsent"] == 0
    assert learned(router)["task of 1-a"].accepted


def test_a_failed_check_is_told(accept: Accept, cli: RunCli, work: Work, repo: Path) -> None:
    (repo / ".dual.toml").write_text('check = ["false"]\n')
    work("1-a", new_txt="new\n")
    assert accept()["failed_checks"] == ["false"]
    assert "  its check failed: false\n" in cli("accept", RUN).stdout
