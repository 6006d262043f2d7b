"""A repository that was moved keeps its runs; a copy of it has none."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.acceptance.harvest import Finished
from runner.checkout.moved import follow_move
from runner.checkout.repository import Repository
from runner.runs.records import Entry

GitRun = Callable[..., str]
RunCli = Callable[..., Any]
Work = Callable[..., Entry]
RUN = "20261124-090000-abcd"


@pytest.fixture
def known(place: Finished, work: Work) -> Entry:
    """A run of a repository whose folder says where it is."""
    entry = work("1-a", a_txt="moved with it\n")
    (place.archive.folder / "repository.txt").write_text(f"{place.repository.root}\n")
    return entry


def test_a_moved_repository_keeps_its_runs_and_worktrees(
    known: Entry, repo: Path, cli: RunCli, git: GitRun, tmp_path: Path
) -> None:
    (known.record.cwd / "late.txt").touch()
    moved = tmp_path / "elsewhere" / "renamed"
    moved.parent.mkdir()
    repo.rename(moved)
    assert RUN in cli("status", cwd=moved).stdout
    assert git(known.record.cwd, "status", "--porcelain") == "?? late.txt"
    assert cli("accept", RUN, cwd=moved).returncode == 0
    assert (moved / "a.txt").read_text() == "moved with it\n"
    assert "uncommitted changes in 1 files" in cli("clean", RUN, cwd=moved).stdout
    assert cli("clean", RUN, "--force", cwd=moved).returncode == 0
    assert not known.record.cwd.exists()


def test_a_copied_repository_has_no_part_in_them(
    known: Entry, repo: Path, cli: RunCli, git: GitRun, tmp_path: Path
) -> None:
    shutil.copytree(repo, tmp_path / "copy")
    assert RUN not in cli("status", cwd=tmp_path / "copy").stdout
    assert RUN in cli("status").stdout


def test_worktrees_of_others_lead_nowhere(known: Entry, repo: Path, cli: RunCli, git: GitRun, tmp_path: Path) -> None:
    git(repo, "worktree", "remove", "--force", str(known.record.cwd))
    git(repo, "worktree", "add", "--quiet", "--detach", str(tmp_path / "own"))
    repo.rename(tmp_path / "moved")
    assert RUN not in cli("status", cwd=tmp_path / "moved").stdout


def test_a_folder_that_does_not_say_where_it_was_is_not_followed(
    known: Entry, place: Finished, repo: Path, cli: RunCli, tmp_path: Path
) -> None:
    (place.archive.folder / "repository.txt").unlink()
    repo.rename(tmp_path / "moved")
    assert RUN not in cli("status", cwd=tmp_path / "moved").stdout


def test_two_that_follow_at_once_agree(known: Entry, place: Finished, repo: Path, tmp_path: Path) -> None:
    repo.rename(tmp_path / "moved")
    moved, new = Repository.around(tmp_path / "moved"), place.archive.folder.with_name("moved-0")
    assert follow_move(moved, new)
    (place.archive.folder / "repository.txt").write_text(f"{repo}\n")
    assert follow_move(moved, new)
    assert new.resolve() == place.archive.folder.resolve()
