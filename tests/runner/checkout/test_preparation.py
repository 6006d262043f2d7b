"""A new worktree is made ready: ignored files copied, its setup run once."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.checkout.preparation import prepare
from runner.checkout.project import Project
from runner.checkout.repository import Repository
from runner.checkout.worktree import Worktree
from runner.errors import SetupFailed, StorageUnavailable

GitRun = Callable[..., str]
Ready = Callable[..., Worktree]


@pytest.fixture
def ignoring(repo: Path, git: GitRun) -> Path:
    """The repository, ignoring a few things that are there."""
    (repo / ".gitignore").write_text(".env*\n/build/\n*.local\n")
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", "ignore")
    for name in (".env", "sub/.env", "sub/x.local", "build/deep/out.o", "known.txt"):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(name)
    return repo


@pytest.fixture
def ready(ignoring: Path, repository: Repository, tmp_path: Path) -> Ready:
    """Makes a worktree and prepares it as a project says."""

    def make(base: str = "HEAD", **project: object) -> Worktree:
        path = tmp_path / "trees/r1-1-x"
        tree = Worktree.attach(repository, path, "dual/r1/1-x", repository.resolve(base))
        prepare(tree, ignoring, Project.model_validate(project), os.environ)
        return tree

    return make


def names(tree: Worktree) -> set[str]:
    """The files in a worktree that git does not know."""
    return set(filter(None, tree.git("ls-files", "--others", "-z").split("\0")))


@pytest.mark.parametrize(
    ("patterns", "copied"),
    [
        ([], set()),
        ([".env"], {".env", "sub/.env"}),
        (["/.env"], {".env"}),
        (["sub/*.local", "nothing"], {"sub/x.local"}),
        (["build/"], {"build/deep/out.o"}),
        (["build"], {"build/deep/out.o"}),
        (["known.txt"], set()),
    ],
)
def test_ignored_files_are_copied_by_pattern(ready: Ready, patterns: list[str], copied: set[str]) -> None:
    tree = ready(copy=patterns)
    assert names(tree) == copied
    assert all((tree.path / name).read_text() == name for name in copied)
    assert tree.git("status", "--porcelain") == ""


def test_what_is_not_ignored_in_the_worktree_is_not_left_there(ready: Ready) -> None:
    tree = ready(base="HEAD^", copy=[".env"])
    assert names(tree) == set()
    assert tree.settle("nothing") == tree.base


def test_nothing_is_written_through_a_link_of_the_worktree(
    ready: Ready, ignoring: Path, git: GitRun, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (ignoring / "sub").rename(ignoring / "kept")
    (ignoring / "sub").symlink_to(tmp_path / "outside")
    git(ignoring, "add", "sub")
    git(ignoring, "commit", "--quiet", "--message", "link")
    git(ignoring, "rm", "--quiet", "--cached", "sub")
    (ignoring / "sub").unlink()
    (ignoring / "kept").rename(ignoring / "sub")
    assert names(ready(copy=[".env"])) == {".env"}
    assert list((tmp_path / "outside").iterdir()) == []


def test_the_setup_runs_once_in_a_new_worktree(ready: Ready) -> None:
    project = {"copy": [".env"], "setup": "cat .env > seen.local; echo again >> count.local"}
    ready(**project)
    tree = ready(**project)
    assert (tree.path / "seen.local").read_text() == ".env"
    assert (tree.path / "count.local").read_text() == "again\n"


def test_a_setup_that_fails_is_told_with_its_output_and_tried_again(ready: Ready) -> None:
    with pytest.raises(
        SetupFailed, match=r"setup `echo lock is stale; exit 3` ended with code 3: lock is stale"
    ) as failed:
        ready(setup="echo lock is stale; exit 3")
    assert (failed.value.code, failed.value.output) == (3, "lock is stale")
    ready(setup="touch done.local")


def test_a_setup_that_runs_too_long_is_ended(ready: Ready) -> None:
    with pytest.raises(SetupFailed, match=r"ran past its limit of 0\.2 s"):
        ready(setup="sleep 60", setup_timeout_s=0.2)


def test_a_file_that_cannot_be_copied_is_said(ready: Ready, ignoring: Path, git: GitRun) -> None:
    (ignoring / "sub").rename(ignoring / "kept")
    (ignoring / "sub").write_text("a file here\n")
    git(ignoring, "add", "sub")
    git(ignoring, "commit", "--quiet", "--message", "file")
    git(ignoring, "rm", "--quiet", "--cached", "sub")
    (ignoring / "sub").unlink()
    (ignoring / "kept").rename(ignoring / "sub")
    with pytest.raises(StorageUnavailable, match=r"sub/\.env: can't be copied"):
        ready(copy=["sub/.env"])
