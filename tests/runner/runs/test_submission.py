"""Runs are handed to the worker as files, which may be missing, damaged, or not writable."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from runner.checkout.project import Project
from runner.errors import StorageUnavailable
from runner.pace import Pace
from runner.runs.executor import is_running, take_lock
from runner.runs.notes import Notes
from runner.runs.standing import standings
from runner.runs.submission import RunFolder, Submission, read_submission
from runner.sessions.session import Limits


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "home/repositories/project-1/runs/20261124-1")


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    return Submission(
        run_id="20261124-1", repository=tmp_path, base="1234", base_name="main", cwd=tmp_path,
        limits=Limits(10, 5, 1), lock_wait_s=1, project=Project(check=("make test",)), at_once=2, programs={},
        workers=("1-a",),
    )  # fmt: skip


def test_what_was_submitted_is_read_again(folder: RunFolder, submission: Submission, tmp_path: Path) -> None:
    folder.submit(submission, {"codex": {"PATH": "/bin"}})
    assert folder.submission == read_submission(folder.path) == submission
    assert folder.environment == {"codex": {"PATH": "/bin"}}
    assert RunFolder.open_ones(tmp_path / "home") == {"20261124-1.1": folder}
    folder.end("a reason")
    assert (folder.has_ended, folder.problem, folder.environment) == (True, "a reason", {})
    assert RunFolder.open_ones(tmp_path / "home") == {}
    folder.submit(submission.model_copy(update={"number": 2}), {})
    assert (folder.has_ended, folder.problem) == (False, "")
    assert RunFolder.open_ones(tmp_path / "home") == {"20261124-1.2": folder}


def test_a_run_that_was_removed_is_waited_for_no_longer(folder: RunFolder, submission: Submission) -> None:
    folder.submit(submission, {})
    assert not folder.has_ended
    shutil.rmtree(folder.path)
    assert folder.has_ended


def test_a_damaged_file_is_no_submission(folder: RunFolder, submission: Submission, tmp_path: Path) -> None:
    folder.submit(submission, {})
    folder.marker.write_text("?")
    (folder.path / "submission.json").write_text("{}")
    assert RunFolder.open_ones(tmp_path / "home") == {}
    assert folder.submission is None
    with pytest.raises(StorageUnavailable, match=r"submission\.json: can't be read"):
        read_submission(folder.path)


def test_a_run_and_a_task_of_it_are_cancelled_apart(folder: RunFolder) -> None:
    folder.cancel("1-a")
    assert (folder.is_cancelled(), folder.is_cancelled("1-a"), folder.is_cancelled("2-b")) == (False, True, False)
    folder.cancel()
    assert (folder.is_cancelled(), folder.is_cancelled("2-b")) == (True, True)


def test_a_note_that_cannot_be_kept_fails_nothing(folder: RunFolder) -> None:
    Notes(folder).note("nowhere to keep it")
    folder.path.mkdir(parents=True)
    notes = Notes(folder)
    with notes.shown(), notes.hidden():
        notes.note("kept")
        notes.started("1-a", "codex")
        notes.ended("1-a", "succeeded", "")
    told = (folder.path / "notes.jsonl").read_text().splitlines()
    assert told == ['{"note": "kept"}', '{"started": "1-a", "program": "codex"}']


def test_the_lock_has_one_holder(tmp_path: Path) -> None:
    assert take_lock(tmp_path) is not None
    assert take_lock(tmp_path) is None
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable):
        take_lock(tmp_path / "file")
    (tmp_path / "other/executor/lock").mkdir(parents=True)
    with pytest.raises(StorageUnavailable, match="can't be opened"):
        take_lock(tmp_path / "other")
    assert not is_running(tmp_path)


def test_the_worker_reads_its_settings_from_the_environment() -> None:
    assert Pace.read({}) == Pace()
    changed = Pace.read({"RUNNER_WORKER_IDLE_S": "0.5", "RUNNER_PROGRAM_SESSIONS": "3", "RUNNER_STAGGER_S": ""})
    assert changed == replace(Pace(), worker_idle_s=0.5, program_sessions=3)


def test_what_cannot_be_read_is_listed_as_such(tmp_path: Path) -> None:
    task = tmp_path / "runs/20261124-1/1-a"
    task.mkdir(parents=True)
    (tmp_path / "runs/20261124-1/2-b").mkdir()
    (tmp_path / "runs/20261124-2").mkdir()
    (task / "run.json").write_text("?")
    ((run, (listed,)),) = standings(tmp_path)
    assert (run, listed.folder, listed.state, listed.branch) == ("20261124-1", task, "unreadable", "")
