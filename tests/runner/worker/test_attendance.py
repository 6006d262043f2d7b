"""Sessions are let in one after the other, and only so many of one program."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from runner.runs.submission import RunFolder
from runner.worker.attendance import Attendance

PATIENCE_S = 20.0


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """The folder of a run, of which nothing is there yet."""
    return RunFolder(tmp_path / "repositories/project/runs/r1")


@pytest.fixture
def full() -> Iterator[Attendance]:
    """One that has a single seat for each program."""
    attendance = Attendance()
    attendance.seats = 1
    yield attendance
    attendance.leave.set()


def waiting(attendance: Attendance, run: RunFolder, worker: str, program: str, stops: list[bool]) -> threading.Thread:
    """A session that comes in another thread; `stops` says afterwards whether it was to end when it was let in."""

    def come() -> None:
        with attendance.seat(run, worker, program, 0.0, begun=False) as stop:
            stops.append(stop.is_set())

    thread = threading.Thread(target=come)
    thread.start()
    return thread


def test_another_session_of_the_program_waits_for_the_seat(full: Attendance, run: RunFolder) -> None:
    stops: list[bool] = []
    with ExitStack() as first:
        first.enter_context(full.seat(run, "1-a", "codex", 0.0, begun=False))
        second = waiting(full, run, "2-b", "codex", stops)
        with full.seat(run, "3-c", "claude", 0.0, begun=False):
            assert stops == []
    second.join(PATIENCE_S)
    assert stops == [False]


def test_a_session_that_has_begun_waits_for_none(full: Attendance, run: RunFolder) -> None:
    with (
        full.seat(run, "1-a", "codex", 0.0, begun=False),
        full.seat(run, "2-b", "codex", 0.0, begun=True) as stop,
    ):
        assert not stop.is_set()


def test_who_waits_for_a_seat_is_told_to_end(full: Attendance, run: RunFolder) -> None:
    stops: list[bool] = []
    with full.seat(run, "1-a", "codex", 0.0, begun=False):
        second = waiting(full, run, "2-b", "codex", stops)
        run.cancel("2-b")
        while second.is_alive():
            full.look()
            second.join(0.05)
    assert stops == [True]
