"""A worker's checkout: made apart, and all that was done in it kept on its branch."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.checkout import worktree
from runner.checkout.repository import Repository
from runner.checkout.worktree import Diff, Worktree, git_folders
from runner.errors import GitFailed

GitRun = Callable[..., str]


@pytest.fixture
def tree(repository: Repository, tmp_path: Path) -> Worktree:
    return Worktree.add(repository, tmp_path / "trees/r1-1-x", "dual/r1/1-x", repository.resolve("HEAD"))


def test_the_checkout_of_the_user_stays_as_it_is(repository: Repository, tree: Worktree) -> None:
    (tree.path / "new.txt").touch()
    tree.settle("work")
    assert repository.look().changes == ""
    assert repository.look().branch == "main"


def test_a_failed_start_leaves_neither_folder_nor_branch(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/file").touch()
    with pytest.raises(GitFailed):
        Worktree.add(repository, tmp_path / "taken", "dual/r1/1-x", repository.resolve("HEAD"))
    assert repository.git("branch", "--list", "dual/*") == ""
    assert (tmp_path / "taken/file").exists()


def test_the_folders_of_a_commit_are_the_ones_git_uses(repository: Repository, tree: Worktree) -> None:
    own, objects, heads, log = git_folders(repository, tree.path, tree.branch)
    assert own == Path(tree.git("rev-parse", "--path-format=absolute", "--git-dir"))
    assert all(folder.is_dir() for folder in (own, objects, heads, log))
    assert (heads / "1-x").is_file()


def test_uncommitted_work_is_committed_under_our_name(tree: Worktree) -> None:
    (tree.path / "a.txt").write_text("hello\nworld\n")
    (tree.path / "bin").write_bytes(b"\0\1")
    commit = tree.settle("dual: work")
    assert tree.git("log", "-1", "--format=%H %an %s") == f"{commit} dual-orchestrator dual: work"
    assert tree.diff() == Diff(files=2, added=1, removed=0)


def test_without_changes_nothing_is_committed(tree: Worktree) -> None:
    assert tree.settle("nothing") == tree.base
    assert tree.diff() == Diff()


def test_the_hooks_of_the_user_do_not_stop_a_commit(repo: Path, tree: Worktree) -> None:
    hook = repo / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (tree.path / "new.txt").touch()
    assert tree.settle("work") != tree.base


@pytest.mark.parametrize("move", [("checkout", "--quiet", "-b", "other"), ("checkout", "--quiet", "--detach")])
def test_work_on_another_branch_is_found_on_ours(tree: Worktree, git: GitRun, move: tuple[str, ...]) -> None:
    git(tree.path, *move)
    (tree.path / "new.txt").touch()
    tree.settle("work")
    assert tree.diff().files == 1


def test_work_that_left_our_branch_behind_is_not_forced_onto_it(tree: Worktree, git: GitRun) -> None:
    (tree.path / "new.txt").touch()
    ours = tree.settle("work")
    git(tree.path, "checkout", "--quiet", "-b", "other", tree.base)
    assert tree.settle("elsewhere") == ours


def test_what_cannot_be_committed_is_said(tree: Worktree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worktree, "STALE_S", 0.1)
    lock = Path(tree.git("rev-parse", "--path-format=absolute", "--git-path", "refs/heads")) / "dual/r1/1-x.lock"
    lock.mkdir()
    (tree.path / "new.txt").touch()
    with pytest.raises(GitFailed, match=r"1-x\.lock"):
        tree.settle("work")
    assert (tree.path / "new.txt").exists()


def test_a_lock_that_a_killed_git_left_is_taken_away(tree: Worktree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worktree, "STALE_S", 0.1)
    Path(tree.git("rev-parse", "--path-format=absolute", "--git-path", "index.lock")).touch()
    (tree.path / "new.txt").touch()
    assert tree.settle("work") != tree.base


def test_of_a_deleted_worktree_what_was_committed_is_kept(tree: Worktree, git: GitRun) -> None:
    (tree.path / "new.txt").touch()
    git(tree.path, "add", "--all")
    git(tree.path, "commit", "--quiet", "--message", "in time")
    commit = git(tree.path, "rev-parse", "HEAD")
    shutil.rmtree(tree.path)
    assert tree.settle("too late") == commit
    assert tree.diff().files == 1
    assert tree.elsewhere() == ""


def test_a_branch_that_its_worker_deleted_is_made_again(tree: Worktree, git: GitRun) -> None:
    (tree.path / "new.txt").touch()
    git(tree.path, "checkout", "--quiet", "-b", "other")
    git(tree.path, "branch", "--quiet", "-D", tree.branch)
    assert tree.settle("work") == git(tree.path, "rev-parse", "other")
    assert tree.diff().files == 1


def test_work_that_is_not_on_our_branch_is_told(tree: Worktree, git: GitRun) -> None:
    (tree.path / "ours.txt").touch()
    tree.settle("work")
    git(tree.path, "checkout", "--quiet", "-b", "other", tree.base)
    (tree.path / "theirs.txt").touch()
    tree.settle("more")
    assert tree.elsewhere() == "other"
    git(tree.path, "checkout", "--quiet", "--detach")
    assert tree.elsewhere() == git(tree.path, "rev-parse", "HEAD")


@pytest.mark.parametrize("broken", ["gitfile", "moved"])
def test_a_worktree_that_lost_its_repository_is_joined_to_it_again(
    tree: Worktree, repo: Path, tmp_path: Path, broken: str
) -> None:
    (tree.path / "new.txt").touch()
    if broken == "gitfile":
        (tree.path / ".git").unlink()
    else:
        repo.rename(tmp_path / "elsewhere")
        tree = Worktree(tree.path, tree.branch, tree.base, tmp_path / "elsewhere")
    whole = [tree.is_whole, tree.settle("work") != tree.base, tree.is_whole]
    assert whole == [False, True, True]
    assert tree.diff().files == 1


def test_a_worktree_that_became_another_repository_is_said_to_be_none(tree: Worktree, git: GitRun) -> None:
    (tree.path / ".git").unlink()
    git(tree.path, "init", "--quiet")
    with pytest.raises(GitFailed, match="no longer a checkout"):
        tree.settle("work")


def test_attaching_finds_what_is_there(repository: Repository, tree: Worktree) -> None:
    (tree.path / "half.txt").touch()
    assert Worktree.attach(repository, tree.path, tree.branch, tree.base) == tree
    assert (tree.path / "half.txt").exists()


@pytest.mark.parametrize("state", ["nothing", "branch", "half made", "deleted"])
def test_attaching_makes_what_is_missing(repository: Repository, tmp_path: Path, git: GitRun, state: str) -> None:
    path, branch, base = tmp_path / "trees/r2-1-x", "dual/r2/1-x", repository.resolve("HEAD")
    if state == "branch":
        git(repository.root, "branch", branch)
    if state in {"half made", "deleted"}:
        Worktree.add(repository, path, branch, base)
    if state == "half made":
        (path / "a.txt").unlink()
        (repository.common_dir / "worktrees/r2-1-x/locked").write_text("initializing")
    if state == "deleted":
        shutil.rmtree(path)
    tree = Worktree.attach(repository, path, branch, base)
    assert tree.is_whole
    assert tree.git("status", "--porcelain") == ""
    assert tree.git("branch", "--show-current") == branch
