"""The user's repository is understood, or refused with the way out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.checkout.git import Git
from runner.checkout.repository import Checkout, Repository, refuse_dirty
from runner.errors import BadInput, DirtyCheckout, GitFailed, RepositoryUnusable


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
    assert repository.look() == Checkout(head, "main")
    (repo / "new file.txt").touch()
    assert repository.look() == Checkout(head, "main", "? new file.txt")


def test_looking_tells_known_files_from_others(repository: Repository, repo: Path, git: Callable[..., str]) -> None:
    (repo / "b c.txt").write_text("to be moved\n")
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", "more")
    git(repo, "mv", "b c.txt", "d e.txt")
    (repo / "a.txt").unlink()
    (repo / "ünew").touch()
    looked = repository.look()
    assert (looked.tracked, looked.untracked) == (["a.txt", "d e.txt"], ["ünew"])


def test_looking_notes_what_changed_files_hold_and_the_stash(
    repository: Repository, repo: Path, git: Callable[..., str]
) -> None:
    (repo / "a.txt").write_text("mine\n")
    before = repository.look()
    (repo / "a.txt").write_text("not mine\n")
    changed = repository.look()
    assert changed.changes == before.changes
    assert changed != before
    git(repo, "stash")
    assert repository.look().stashes == git(repo, "rev-parse", "stash")
    git(repo, "checkout", "--quiet", "--detach")
    assert repository.look().branch == ""


def test_a_checkout_with_changes_that_workers_would_not_see_is_refused_unless_allowed(
    repository: Repository, repo: Path
) -> None:
    assert refuse_dirty(repository, repository.look(), allow=False) is None
    (repo / "new.txt").touch()
    assert refuse_dirty(repository, repository.look(), allow=False) == (
        "workers start from a commit: they do not see new.txt"
    )
    (repo / "a.txt").write_text("changed\n")
    with pytest.raises(
        DirtyCheckout, match=r"uncommitted changes in a\.txt; commit or stash them.*--allow-dirty"
    ) as refused:
        refuse_dirty(repository, repository.look(), allow=False)
    assert (refused.value.files, refused.value.exit_code) == (("a.txt",), 2)
    assert refuse_dirty(repository, repository.look(), allow=True) == (
        "workers start from a commit: they do not see a.txt, new.txt"
    )


def test_of_many_changes_some_are_named() -> None:
    assert str(DirtyCheckout("here", list("abcdefg"))).startswith("here: uncommitted changes in a, b, c, d and 3 more;")


def test_git_ignores_where_a_hook_points_it(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert Git(repo)("rev-parse", "--is-inside-work-tree") == "true"


def test_a_git_failure_says_what_git_said(repo: Path) -> None:
    with pytest.raises(GitFailed, match=f"git checkout nothing failed in {repo}: error: pathspec"):
        Git(repo)("checkout", "nothing")
