"""Git's folders are found as git itself finds them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.checkout.gitdir import GitDir
from runner.checkout.repository import Repository

GitRun = Callable[..., str]


@pytest.fixture
def checkouts(repo: Path, tmp_path: Path, git: GitRun) -> dict[str, Path]:
    """A checkout, one of its worktrees, a repository whose git folder lies elsewhere, and a submodule."""
    git(repo, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "tree"))
    git(tmp_path, "clone", "--quiet", "--separate-git-dir", str(tmp_path / "apart.git"), str(repo), "apart")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "apart"), "part")
    return {"main": repo, "worktree": tmp_path / "tree", "apart": tmp_path / "apart", "submodule": repo / "part"}


@pytest.mark.parametrize("kind", ["main", "worktree", "apart", "submodule"])
def test_the_folders_are_those_that_git_names(checkouts: dict[str, Path], git: GitRun, kind: str) -> None:
    root = checkouts[kind]
    named = git(root, "rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir")
    assert GitDir.of(root) == GitDir(*map(Path, named.splitlines()))
    assert Repository.at(root) == Repository.around(root)


def test_a_folder_that_is_no_checkout_has_none(tmp_path: Path, repo: Path, git: GitRun) -> None:
    git(repo, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "tree"))
    (tmp_path / "tree/.git").write_bytes(b"gitdir: \xff\n")
    (tmp_path / "half/.git").mkdir(parents=True)
    assert [GitDir.of(tmp_path / name) for name in (".", "nowhere", "tree", "half")] == [None] * 4
