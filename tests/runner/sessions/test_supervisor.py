"""The process beside a session: it outlives its starter, keeps the limits and leaves nothing running."""

import json
import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from runner.census import kill_marked, marked
from runner.errors import StorageUnavailable
from runner.process import Command
from runner.sessions.attempt import Attempt, Ended, ask_to_end, attempts, is_supervised, kill_supervisor
from runner.sessions.supervisor import Clock

ENV = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COVERAGE_")}
READY = "print('ready', flush=True)"


class Case:
    """One attempt at running a Python program under a supervisor."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.id = folder, str(uuid.uuid4())

    def start(self, code: str, **limits: float) -> Attempt:
        """Start it; the program runs `code`."""
        command = Command((sys.executable, "-c", code), self.folder, ENV)
        given = {"wall_s": 60.0, "silence_s": 60.0, "grace_s": 0.3, **limits}
        return Attempt.start(self.folder, command, self.id, given, resumed=False)

    def wait_for(self, met: Callable[[], object]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + 90
        while not met():
            assert time.monotonic() < deadline
            threading.Event().wait(0.02)

    def ready(self) -> None:
        """Wait until the program has printed something."""
        output = self.folder / "output.jsonl"
        self.wait_for(lambda: output.exists() and output.stat().st_size)

    def end(self) -> Ended:
        """Wait for the end and return what was written of it."""
        self.wait_for(lambda: not is_supervised(self.folder))
        ended = attempts(self.folder)[-1].ended
        assert ended, [path.read_text() for path in self.folder.glob("attempt-*/supervisor.txt")]
        assert marked(self.id) == []
        return ended

    def pid(self, name: str) -> int:
        """Number of one of the processes, once both run."""
        begun = attempts(self.folder)[-1].folder / "begun.json"
        self.wait_for(begun.exists)
        return int(json.loads(begun.read_bytes())[name])


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    """A session's folder; nothing of it stays after the test."""
    case = Case(tmp_path)
    yield case
    kill_supervisor(case.folder)
    kill_marked(case.id)


def test_a_program_that_ends_is_written_down_with_its_code(case: Case) -> None:
    case.start("raise SystemExit(7)")
    ended = case.end()
    assert (ended.code, ended.cause) == (7, "")
    assert ended.running_s < 30


def test_a_program_that_cannot_be_started_is_written_down_with_the_reason(case: Case) -> None:
    command = Command(("/no/such/program",), case.folder, ENV)
    limits = {"wall_s": 9.0, "silence_s": 9.0, "grace_s": 0.3}
    Attempt.start(case.folder, command, case.id, limits, resumed=False)
    ended = case.end()
    assert (ended.code, ended.cause, ended.problem) == (None, "unstartable", "No such file or directory")


@pytest.mark.parametrize(("limits", "cause"), [({"wall_s": 1.0}, "timed_out"), ({"silence_s": 1.0}, "stalled")])
def test_a_program_past_a_limit_is_ended_however_deaf_it_is(case: Case, limits: dict[str, float], cause: str) -> None:
    deaf = ("sh", "-c", "trap '' INT TERM HUP; echo ready; while :; do sleep 1; done")
    given = {"wall_s": 60.0, "silence_s": 60.0, "grace_s": 0.3, **limits}
    Attempt.start(case.folder, Command(deaf, case.folder, ENV), case.id, given, resumed=False)
    ended = case.end()
    assert (ended.code, ended.cause) == (-9, cause)


def test_a_program_may_end_by_itself_on_the_first_signal(case: Case) -> None:
    case.start(f"import signal, sys; signal.signal(2, lambda *_: sys.exit(5)); {READY}; signal.pause()")
    case.ready()
    ask_to_end(case.folder)
    ended = case.end()
    assert (ended.code, ended.cause) == (5, "cancelled")


def test_a_program_that_keeps_talking_is_not_silent(case: Case) -> None:
    case.start("import time; [(print('.', flush=True), time.sleep(0.3)) for _ in range(6)]", silence_s=1.0)
    assert case.end().cause == ""


def test_daemons_die_also_where_they_left_the_group_and_forgot_the_mark(case: Case) -> None:
    code = (
        "import os, subprocess as s; s.Popen(['setsid', 'sleep', '300']);"
        "s.Popen(['sh', '-c', 'env -i setsid sleep 300.5 & echo $!'])"
    )
    case.start(code)
    case.ready()
    forgetful = int((case.folder / "output.jsonl").read_text())
    case.end()
    assert not psutil.pid_exists(forgetful)


def test_a_supervisor_told_to_go_ends_its_program_and_says_that_it_was_interrupted(case: Case) -> None:
    case.start(f"import time; {READY}; time.sleep(300)")
    case.ready()
    os.kill(case.pid("supervisor"), signal.SIGTERM)
    assert case.end().cause == "interrupted"


def test_a_killed_supervisor_takes_its_program_with_it_and_leaves_no_end(case: Case) -> None:
    case.start(f"import time; {READY}; time.sleep(300)")
    case.ready()
    agent = case.pid("agent")
    kill_supervisor(case.folder)
    case.wait_for(lambda: not is_supervised(case.folder))
    case.wait_for(lambda: not psutil.pid_exists(agent) or psutil.Process(agent).status() == psutil.STATUS_ZOMBIE)
    assert attempts(case.folder)[-1].ended is None


def test_time_during_which_nobody_ran_is_not_silence(case: Case) -> None:
    case.start(f"import time; {READY}; time.sleep(1)", silence_s=3.0, wall_s=3.0)
    case.ready()
    both = [case.pid("supervisor"), case.pid("agent")]
    for pid in both:
        os.kill(pid, signal.SIGSTOP)
    threading.Event().wait(3.5)
    for pid in reversed(both):
        os.kill(pid, signal.SIGCONT)
    ended = case.end()
    assert (ended.code, ended.cause) == (0, "")
    assert ended.running_s < 3


def test_a_clock_that_is_set_is_no_time_that_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(tmp_path / "output.jsonl")
    clock.look()
    monkeypatch.setattr("time.time", lambda: 4e9)
    clock.look()
    assert (clock.running_s < 1, clock.silent_s < 1) == (True, True)


def test_a_stopped_program_is_silent(case: Case) -> None:
    case.start(f"import time; {READY}; time.sleep(300)", silence_s=1.0)
    case.ready()
    os.kill(case.pid("agent"), signal.SIGSTOP)
    assert case.end().cause == "stalled"


def test_a_further_attempt_begins_its_output_on_a_new_line(case: Case) -> None:
    case.start("print('half', end='')")
    case.end()
    case.start("print('whole')")
    case.end()
    assert (case.folder / "output.jsonl").read_text() == "half\nwhole\n"
    assert [attempt.number for attempt in attempts(case.folder)] == [1, 2]


def test_a_supervisor_is_small_and_starts_at_once(case: Case) -> None:
    began = time.monotonic()
    case.start(f"import time; {READY}; time.sleep(300)")
    supervisor = psutil.Process(case.pid("supervisor"))
    assert time.monotonic() - began < 3
    if not any(name.startswith("COVERAGE_") for name in ENV):
        assert supervisor.memory_info().rss < 15_000_000
    ask_to_end(case.folder)
    case.end()


def test_a_folder_without_a_session_has_no_supervisor(tmp_path: Path) -> None:
    assert not is_supervised(tmp_path)
    assert attempts(tmp_path) == []
    assert Attempt(tmp_path / "attempt-1").ended is None


def test_a_lock_that_cannot_be_opened_is_an_error_of_ours(case: Case) -> None:
    (case.folder / "lock").mkdir()
    with pytest.raises(StorageUnavailable, match="can't be opened"):
        case.start("pass")


def test_a_session_with_a_living_supervisor_gets_no_second_one(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.sessions.attempt._STARTING_S", 0.2)
    case.start(f"import time; {READY}; time.sleep(300)")
    with pytest.raises(StorageUnavailable, match="held by another supervisor"):
        case.start("pass")
    ask_to_end(case.folder)
    case.end()
    assert len(attempts(case.folder)) == 1
