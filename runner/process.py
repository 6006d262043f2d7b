"""Processes: the only module that starts any, and the one that makes sure none stays behind."""

import os
import shlex
import signal
import subprocess
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
_apart: set[int] = set()


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


def start_apart(argv: tuple[str, ...], env: Mapping[str, str], log: Path, keep: int) -> int:
    """Start a program that outlives this process, in a session of its own; returns its number.

    It has nothing to read, prints into `log`, and gets the open file `keep` as its file 3.

    Raises:
        ProgramMissing: it can't be started.
    """
    printed = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    # Duplicated even where the number is right already: only then it stays open.
    files = [(os.POSIX_SPAWN_DUP2, keep, 3), nothing, printed, (os.POSIX_SPAWN_DUP2, 1, 2)]
    try:
        pid = os.posix_spawn(argv[0], argv, dict(env), file_actions=files, setsid=True)
    except OSError as error:
        raise _unstartable(argv[0], error) from error
    _apart.add(pid)
    return pid


def reap() -> None:
    """Lay to rest what `start_apart` started and has ended."""
    for pid in list(_apart):
        try:
            ended = os.waitpid(pid, os.WNOHANG)[0] != 0
        except ChildProcessError:
            ended = True
        if ended:
            _apart.discard(pid)


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


def started_at(pid: int) -> float:
    """When a process started, in seconds by a clock that nobody sets: since the machine did; elsewhere since 1970.

    Raises:
        psutil.Error: there is no such process.
    """
    with suppress(OSError, ValueError, IndexError):
        after_its_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        return int(after_its_name.split()[19]) / os.sysconf("SC_CLK_TCK")
    return psutil.Process(pid).create_time()


def is_alive(pid: int, started: float) -> bool:
    """True where the process of this number is still the one that `started_at` then."""
    try:
        return abs(started_at(pid) - started) < 1 and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


class TerminalProcess:
    """An interactive program that shares our terminal, in a process group of its own if `own_group`."""

    def __init__(self, command: Command, mark: str, *, own_group: bool) -> None:
        """Start `command`, marked with `mark`; raises `ProgramMissing` where that fails."""
        env, group = {**command.env, MARK: mark}, 0 if own_group else None
        try:
            self._popen = subprocess.Popen(command.argv, cwd=command.cwd, env=env, process_group=group)
        except OSError as error:
            raise _unstartable(command.argv[0], error) from error

    @property
    def pid(self) -> int:
        """Number of the process, and of its group if that is its own."""
        return self._popen.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs or is stopped."""
        return self._popen.poll()

    @property
    def is_stopped(self) -> bool:
        """True while it is suspended, as by Ctrl-Z."""
        try:
            return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        except psutil.Error:
            return False

    def end(self, grace_s: float) -> int:
        """End the program, gently first; return its exit code."""
        if self.poll() is None:
            self._popen.terminate()
            self._popen.send_signal(signal.SIGCONT)
            with suppress(subprocess.TimeoutExpired):
                return self._popen.wait(grace_s)
            self._popen.kill()
        return self._popen.wait()


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
