"""`runner clean`: only what can't be missed is removed, unless it is named and forced."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.acceptance.harvest import Finished
from runner.errors import GitFailed
from runner.lock import locked
from runner.merging.leftovers import Leftovers
from runner.runs.records import Entry
from runner.runs.state import State

GitRun = Callable[..., str]
RunCli = Callable[..., Any]
Work = Callable[..., Entry]
RUN, LATER = "20261124-090000-abcd", "20261124-100000-abcd"


@pytest.fixture
def clean(cli: RunCli) -> Callable[..., dict[str, dict[str, Any]]]:
    """Cleans and returns what was said of each run."""

    def run(*args: str) -> dict[str, dict[str, Any]]:
        done = cli("clean", "--json", *args)
        assert done.returncode == 0, done.stderr
        return {one["run_id"]: one for one in json.loads(done.stdout)["runs"]}

    return run


Clean = Callable[..., dict[str, dict[str, Any]]]


def left(place: Finished, run: str = RUN) -> tuple[int, int, bool]:
    """How many worktrees and branches there are of a run, and whether its files are."""
    archive, git = place.archive, place.repository.git
    trees = [path for path in (archive.folder / "worktrees").glob(f"{run}-*") if path.is_dir()]
    branches = git("for-each-ref", f"refs/heads/dual/{run}/").splitlines()
    assert len(git("worktree", "list").splitlines()) - 1 == len(list((archive.folder / "worktrees").glob("*")))
    return len(trees), len(branches), (archive.folder / "runs" / run).exists()


def test_merged_runs_go_and_others_stay(
    cli: RunCli, clean: Clean, work: Work, place: Finished, repo: Path, git: GitRun
) -> None:
    work("1-a", a_txt="1\n")
    work("2-b", b_txt="2\n")
    work("1-c", run=LATER, c_txt="3\n")
    assert cli("accept", RUN).returncode == 0
    shown = cli("clean").stdout
    assert "can go\n" in shown
    assert f"  kept: branch dual/{LATER}/1-c: not merged\n" in shown
    assert shown.endswith("MiB can go\n  next: runner clean --all\n")
    assert left(place) == (3, 3, True)
    done = cli("clean", "--all").stdout
    assert f"{RUN}  " in done
    assert " MiB  removed\n" in done
    assert "MiB freed; --force with the run named removes the rest too" in done
    assert left(place) == (0, 0, False)
    assert left(place, LATER) == (1, 1, True)
    assert git(repo, "show", "main:b.txt") == "2"


def test_a_dry_run_only_shows(cli: RunCli, clean: Clean, work: Work, place: Finished) -> None:
    work("1-a")
    told = clean("--all", "--dry-run")[RUN]
    assert [(item["kind"], item["goes"]) for item in told["items"]] == [
        ("worktree", True), ("branch", True), ("files", True),
    ]  # fmt: skip
    assert told["items"][0]["bytes"] > 0
    assert left(place) == (1, 1, True)
    assert cli("clean", RUN[:11], "--dry-run").stdout.endswith(f"next: runner clean {RUN[:11]}\n")


def test_unmerged_and_uncommitted_work_goes_only_by_force(
    cli: RunCli, clean: Clean, work: Work, place: Finished
) -> None:
    unmerged, dirty = work("1-a", a_txt="1\n"), work("2-b")
    (dirty.record.cwd / "draft.txt").touch()
    reasons = {item["name"]: item["reason"] for item in clean(RUN)[RUN]["items"]}
    assert reasons[str(unmerged.record.cwd)] == "not merged"
    assert reasons[str(dirty.record.cwd)] == "uncommitted changes in 1 files"
    assert reasons[f"dual/{RUN}/2-b"] == "its worktree stays"
    assert left(place) == (2, 2, True)
    clean(RUN, "--force")
    assert left(place) == (0, 0, False)


def test_work_that_is_in_another_branch_or_on_a_remote_is_merged(
    clean: Clean, work: Work, place: Finished, repo: Path, git: GitRun
) -> None:
    work("1-a", a_txt="1\n")
    git(repo, "update-ref", "refs/remotes/origin/pr", f"dual/{RUN}/1-a")
    clean("--all")
    assert left(place) == (0, 0, False)


def squash(repo: Path, git: GitRun, branch: str) -> None:
    git(repo, "merge", "--quiet", "--squash", branch)
    git(repo, "commit", "--quiet", "--message", f"{branch} as one")


def add(repo: Path, git: GitRun, name: str) -> None:
    (repo / name).write_text("later\n")
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", name)


@pytest.mark.parametrize("how", ["squash", "pick", "rebase"])
def test_work_whose_change_is_in_another_branch_is_merged(
    clean: Clean, work: Work, place: Finished, repo: Path, git: GitRun, how: str
) -> None:
    entry, branch = work("1-a", a_txt="1\n"), f"dual/{RUN}/1-a"
    add(entry.record.cwd, git, "more.txt")
    add(repo, git, "meanwhile.txt")
    if how == "squash":
        squash(repo, git, branch)
    else:
        git(repo, "cherry-pick", *(["--no-commit"] if how == "pick" else []), f"main...{branch}", "--right-only")
        git(repo, "diff", "--cached", "--quiet") if how == "rebase" else git(repo, "commit", "-qm", "picked")
    add(repo, git, "afterwards.txt")
    assert git(repo, "branch", "--contains", branch, "main") == ""
    clean("--all")
    assert left(place) == (0, 0, False)


def test_workers_go_with_their_integration_that_was_squashed(
    cli: RunCli, clean: Clean, work: Work, place: Finished, repo: Path, git: GitRun
) -> None:
    work("1-a", a_txt="1\n")
    work("2-b", b_txt="2\n")
    assert cli("accept", RUN, "--branch", f"dual/{RUN}/kept").returncode == 0
    squash(repo, git, f"dual/{RUN}/integration")
    clean("--all")
    assert left(place) == (0, 0, False)


def test_half_of_a_change_elsewhere_is_not_merged(
    clean: Clean, work: Work, place: Finished, repo: Path, git: GitRun
) -> None:
    entry = work("1-a", a_txt="1\n")
    squash(repo, git, f"dual/{RUN}/1-a")
    add(entry.record.cwd, git, "more.txt")
    assert {item["reason"] for item in clean("--all")[RUN]["items"]} == {"not merged", ""}
    assert left(place) == (1, 1, True)


def test_work_that_left_its_branch_is_not_taken_for_merged(
    clean: Clean, work: Work, place: Finished, git: GitRun
) -> None:
    entry = work("1-a")
    git(entry.record.cwd, "checkout", "--quiet", "--detach")
    git(entry.record.cwd, "commit", "--quiet", "--allow-empty", "--message", "lost otherwise")
    assert clean("--all")[RUN]["items"][0]["reason"] == "not merged"
    assert left(place) == (1, 0, True)


@pytest.mark.parametrize(
    ("state", "reason"),
    [(None, "interrupted: `runner resume"), (State.WAITING, "a task of it waits"), (State.SUCCEEDED, "")],
)
def test_a_run_that_may_go_on_is_kept_unless_it_is_forced(
    clean: Clean, work: Work, place: Finished, state: State | None, reason: str
) -> None:
    work("1-a", state)
    told = clean("--all")[RUN]
    assert told["reason"].startswith(reason)
    assert left(place) == ((1, 1, True) if reason else (0, 0, False))
    if reason:
        clean(RUN, "--force")
        assert left(place) == (0, 0, False)


def test_a_workflow_under_way_is_never_touched(clean: Clean, work: Work, place: Finished) -> None:
    work("1-a")
    with locked(place.archive.folder / "runs" / RUN / "workflow.lock", 0):
        assert clean(RUN, "--force")[RUN]["living"]
    assert left(place) == (1, 1, True)


def test_a_branch_that_the_user_has_checked_out_stays(
    cli: RunCli, work: Work, place: Finished, repo: Path, git: GitRun
) -> None:
    entry = work("1-a", a_txt="1\n")
    git(repo, "worktree", "remove", "--force", str(entry.record.cwd))
    git(repo, "checkout", "--quiet", f"dual/{RUN}/1-a")
    assert f"branch dual/{RUN}/1-a: checked out in {repo}" in cli("clean", "--all").stdout
    assert cli("clean", RUN, "--force").returncode == 3
    assert git(repo, "branch", "--show-current") == f"dual/{RUN}/1-a"


def test_leftovers_without_records_and_strange_folders_are_found(
    cli: RunCli, clean: Clean, work: Work, place: Finished
) -> None:
    work("1-a")
    shutil.rmtree(place.archive.folder / "runs" / RUN)
    (place.archive.folder / "worktrees" / f"{RUN}-1-a.broken").mkdir()
    (place.archive.folder / "worktrees" / "nothing of ours").mkdir()
    assert "no checkout of this repository" in cli("clean", "--all").stdout
    clean(RUN, "--force")
    assert [path.name for path in (place.archive.folder / "worktrees").iterdir()] == ["nothing of ours"]


def test_what_moved_since_it_was_looked_at_stays(work: Work, place: Finished, git: GitRun) -> None:
    entry = work("1-a")
    leftovers = Leftovers(place.repository, place.archive, 5)
    (found,) = leftovers.look()
    (entry.record.cwd / "late.txt").touch()
    with pytest.raises(GitFailed, match="contains modified or untracked files"):
        leftovers.remove(found.going(force=False))
    git(entry.record.cwd, "add", "--all")
    git(entry.record.cwd, "commit", "--quiet", "--message", "late")
    with pytest.raises(GitFailed, match="moved meanwhile"):
        leftovers.remove([item for item in found.items if item.kind == "branch"])


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("nothing",), "no run 'nothing' in this repository"),
        (("--all", "20261124"), "name runs, or say --all, not both"),
        (("--all", "--force"), "--force needs the runs named"),
    ],
)
def test_what_cannot_be_asked_for_is_said(cli: RunCli, args: tuple[str, ...], told: str) -> None:
    done = cli("clean", *args)
    assert (done.returncode, told in done.stderr) == (2, True)


def test_where_there_is_nothing_it_is_said(cli: RunCli, work: Work) -> None:
    assert cli("clean").stdout == "there is nothing to clean\n"
    work("1-a", a_txt="1\n")
    assert cli("clean").stdout.endswith("nothing can go\n")
