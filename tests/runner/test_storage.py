"""Files are written whole, and locks are held by one process at a time."""

import os
from pathlib import Path

import pytest

from runner.errors import Busy, StorageUnavailable
from runner.lock import locked
from runner.storage import make_folder, write_whole


def test_a_file_is_written_whole_with_the_folders_above_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a/b.json", "{}")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.json"]


def test_a_folder_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable, match=r"file/folder: can't be made.*RUNNER_HOME"):
        make_folder(tmp_path / "file/folder")


def test_a_failed_write_leaves_the_older_file(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/file").touch()
    with pytest.raises(StorageUnavailable, match=r"can't be written"):
        write_whole(tmp_path / "taken", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_lock_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(StorageUnavailable, match="can't be opened"), locked(tmp_path / "lock", wait_s=0):
        pass


def test_a_folder_is_for_the_user_alone(tmp_path: Path) -> None:
    make_folder(tmp_path / "mine")
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o700


def test_a_held_lock_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "lock", wait_s=0),
        pytest.raises(Busy, match=r"after 0\.1 s"),
        locked(tmp_path / "lock", 0.1),
    ):
        pass
    with locked(tmp_path / "lock", wait_s=0):
        assert os.access(tmp_path / "lock", os.R_OK)
