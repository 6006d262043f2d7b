"""Processes: the only module that starts any, and the one that makes sure none stays behind."""

import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import psutil

from runner.errors import ProgramMissing

MARK = "RUNNER_SESSION_ID"
"""Variable by which every process of a session is found again, those that left its process group too."""
POLL_S = 0.05
KILL_S = 5.0
"""Longest that what was killed is waited for; the kernel may keep a process that waits for a disk."""
TIMED_OUT = 124


@dataclass(frozen=True)
class Command:
    """A program to start, completely described."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    stdin: Path | None = None
    """File the program reads; None is `/dev/null`."""

    def shell(self) -> str:
        """The command as a line to paste into a shell."""
        source = f" < {shlex.quote(str(self.stdin))}" if self.stdin else ""
        return f"cd {shlex.quote(str(self.cwd))} && {shlex.join(self.argv)}{source}"


@dataclass(frozen=True)
class Completed:
    """A short command that ended; `code` is 124 where it ran past its limit."""

    code: int
    out: str
    err: str


def run(argv: tuple[str, ...], *, cwd: Path | None = None, env: Mapping[str, str], limit_s: float = 60) -> Completed:
    """Run a short command to its end, apart from the terminal: Ctrl-C must not cut it in two.

    Raises:
        ProgramMissing: it can't be started.
    """
    # Files, not pipes: a daemon that the command leaves behind would keep a pipe open, and us waiting.
    with TemporaryFile() as out, TemporaryFile() as err:
        try:
            popen = subprocess.Popen(
                argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )
        except OSError as error:
            raise _unstartable(argv[0], error) from error
        try:
            code = popen.wait(limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(popen.pid, signal.SIGKILL)
            popen.wait()
            return Completed(TIMED_OUT, "", f"no answer after {limit_s:g} s")
        return Completed(code, _text(out), _text(err))


class AgentProcess:
    """A headless program in its own process group, its output going to files."""

    def __init__(self, command: Command, mark: str, stdout: Path, stderr: Path) -> None:
        """Start `command`, marked with `mark`; raises `ProgramMissing` where that fails."""
        self.mark = mark
        with ExitStack() as files:
            source = files.enter_context((command.stdin or Path(os.devnull)).open("rb"))
            out, err = (files.enter_context(path.open("wb")) for path in (stdout, stderr))
            try:
                self._popen = subprocess.Popen(
                    command.argv, cwd=command.cwd, env={**command.env, MARK: mark},
                    stdin=source, stdout=out, stderr=err, start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise _unstartable(command.argv[0], error) from error

    @property
    def pid(self) -> int:
        """Number of the process, and of its group."""
        return self._popen.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._popen.poll()

    def end(self, grace_s: float) -> int:
        """End the program, gently first, and kill all that it left behind; return its exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self.poll() is not None:
                break
            os.killpg(self._popen.pid, number)
            try:
                self._popen.wait(grace_s if number != signal.SIGKILL else None)
            except subprocess.TimeoutExpired:
                continue
        kill_marked(self.mark)
        return self._popen.wait()


def kill_marked(mark: str) -> None:
    """Kill every process that carries `mark`, until a look finds none: they may fork meanwhile."""
    deadline = time.monotonic() + KILL_S
    while (left := marked(mark)) and time.monotonic() < deadline:
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(POLL_S)


def marked(mark: str) -> list[psutil.Process]:
    """The living processes that carry `mark`."""
    return [process for process in psutil.process_iter() if _mark_of(process) == mark]


def is_alive(pid: int, started: float) -> bool:
    """True where the process of this number is still the one that started then."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def run_in_terminal(command: Command, mark: str, stop: threading.Event, grace_s: float) -> int:
    """Give the terminal to `command` until it ends, or until `stop`; return its exit code."""
    try:
        popen = subprocess.Popen(command.argv, cwd=command.cwd, env={**command.env, MARK: mark})
    except OSError as error:
        raise _unstartable(command.argv[0], error) from error
    while popen.poll() is None and not stop.wait(POLL_S):
        pass
    if popen.poll() is None:
        popen.terminate()
        with suppress(subprocess.TimeoutExpired):
            return popen.wait(grace_s)
        popen.kill()
    return popen.wait()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


def _unstartable(program: str, error: OSError) -> ProgramMissing:
    problem = f"can't be started ({error.strerror})"
    return ProgramMissing(program, problem, "install it again, or name another one by RUNNER_CLAUDE or RUNNER_CODEX")
