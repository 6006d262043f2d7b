"""The user's repository is understood, or refused with the way out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import BadInput, GitFailed, RepositoryUnusable
from runner.git import Git
from runner.repository import Checkout, Repository


def test_a_repository_is_found_from_a_folder_inside_it(repo: Path) -> None:
    (repo / "deep/er").mkdir(parents=True)
    assert Repository.around(repo / "deep/er") == Repository(repo, repo / ".git")


def test_outside_a_repository_the_way_into_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(RepositoryUnusable, match=r"not a git repository.*git init"):
        Repository.around(tmp_path)


def test_a_repository_without_commits_is_refused(tmp_path: Path, git: Callable[..., str]) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(RepositoryUnusable, match=r"no commit yet.*--allow-empty"):
        Repository.around(tmp_path).resolve("HEAD")


@pytest.mark.parametrize("ref", ["no-such-branch", "--all", "HEAD^{tree}"])
def test_a_base_that_names_no_commit_is_refused(repository: Repository, ref: str) -> None:
    with pytest.raises(BadInput, match="no such commit"):
        repository.resolve(ref)


def test_looking_notes_head_branch_and_changes(repository: Repository, repo: Path) -> None:
    head = repository.resolve("main")
    assert repository.look() == Checkout(head, "main", "")
    (repo / "new.txt").touch()
    assert repository.look() == Checkout(head, "main", "?? new.txt")


def test_git_ignores_where_a_hook_points_it(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert Git(repo)("rev-parse", "--is-inside-work-tree") == "true"


def test_a_git_failure_says_what_git_said(repo: Path) -> None:
    with pytest.raises(GitFailed, match=f"git checkout nothing failed in {repo}: error: pathspec"):
        Git(repo)("checkout", "nothing")
