"""A worker's checkout: made apart, and all that was done in it kept on its branch."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import GitFailed
from runner.repository import Repository
from runner.worktree import Diff, Worktree, git_folders

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


def test_what_cannot_be_committed_is_said(tree: Worktree) -> None:
    lock = Path(tree.git("rev-parse", "--path-format=absolute", "--git-path", "index.lock"))
    lock.touch()
    (tree.path / "new.txt").touch()
    with pytest.raises(GitFailed, match=r"index\.lock"):
        tree.settle("work")
    assert (tree.path / "new.txt").exists()
