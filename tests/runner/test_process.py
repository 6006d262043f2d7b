"""Processes start apart from the terminal, and nothing of them stays."""

import os
import sys
import threading
import uuid
from pathlib import Path

import pytest

from runner.census import is_alive, kill_marked, marked
from runner.errors import ProgramMissing
from runner.process import AgentProcess, Command, run


def start(tmp_path: Path, code: str, mark: str) -> AgentProcess:
    """Start a Python program that prints a line once it is ready, and wait for that line."""
    command = Command((sys.executable, "-u", "-c", code), tmp_path, os.environ)
    process = AgentProcess(command, mark, tmp_path / "out", tmp_path / "err")
    while not (tmp_path / "out").read_text() and process.poll() is None:
        threading.Event().wait(0.02)
    return process


def test_a_command_is_shown_as_a_line_for_the_shell() -> None:
    command = Command(("codex", "exec", "a b"), Path("/some where"), {}, Path("/in put"))
    assert command.shell() == "cd '/some where' && codex exec 'a b' < '/in put'"


def test_a_short_command_that_takes_too_long_counts_as_failed() -> None:
    done = run(("sleep", "5"), env=os.environ, limit_s=0.1)
    assert (done.code, done.err) == (124, "no answer after 0.1 s")


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ProgramMissing, match=r"no-such-program can't be started \(No such file"):
        run(("no-such-program",), env=os.environ)


def test_an_agent_that_is_not_there_is_named(tmp_path: Path) -> None:
    command = Command(("/no/such/agent",), tmp_path, {})
    with pytest.raises(ProgramMissing, match="/no/such/agent"):
        AgentProcess(command, "mark", tmp_path / "out", tmp_path / "err")


def test_a_program_may_end_by_itself_on_sigint(tmp_path: Path) -> None:
    code = "import signal, sys; signal.signal(2, lambda *_: sys.exit(7)); print('ready'); signal.pause()"
    assert start(tmp_path, code, str(uuid.uuid4())).end(grace_s=5) == 7


@pytest.mark.parametrize(("deaf_to", "code"), [((2,), -15), ((2, 15), -9)])
def test_a_program_deaf_to_a_signal_gets_the_next(tmp_path: Path, deaf_to: tuple[int, ...], code: int) -> None:
    ignoring = "".join(f"signal.signal({number}, signal.SIG_IGN);" for number in deaf_to)
    process = start(tmp_path, f"import signal;{ignoring}print('ready')\nwhile True: signal.pause()", str(uuid.uuid4()))
    assert process.end(grace_s=0.2) == code


def test_a_child_that_left_the_group_is_killed_too(tmp_path: Path) -> None:
    code = "import subprocess; subprocess.Popen(['sleep', '300'], start_new_session=True); print('ready')"
    mark = str(uuid.uuid4())
    process = start(tmp_path, code, mark)
    assert marked(mark)
    process.end(grace_s=5)
    assert marked(mark) == []


def test_killing_what_nobody_carries_kills_nothing() -> None:
    kill_marked(str(uuid.uuid4()))
    assert is_alive(os.getpid(), started=0) is False


def test_a_number_without_a_process_is_not_alive() -> None:
    assert is_alive(2**22 - 1, started=0) is False
