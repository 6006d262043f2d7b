"""Processes: the only module that starts any, and the one that makes sure none stays behind."""

import os
import select
import shlex
import signal
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import psutil

from runner.census import MARK, kill_marked
from runner.errors import ProgramMissing

POLL_S = 0.05
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
            code = _wait(popen, limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(popen.pid, signal.SIGKILL)
            popen.wait()
            return Completed(TIMED_OUT, "", f"no answer after {limit_s:g} s")
        return Completed(code, _text(out), _text(err))


def _wait(popen: "subprocess.Popen[bytes]", limit_s: float) -> int:
    """Wait for the end of a process; with a limit, `Popen.wait` itself would look only every few milliseconds."""
    try:
        descriptor = os.pidfd_open(popen.pid)
    except (AttributeError, OSError):  # macOS, or an old kernel
        return popen.wait(limit_s)
    try:
        end = select.poll()
        end.register(descriptor, select.POLLIN)
        end.poll(limit_s * 1000)
    finally:
        os.close(descriptor)
    return popen.wait(0)


class _Process:
    """What a program that was started is, whichever way it was."""

    _popen: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        """Number of the process, and of its group where it has one of its own."""
        return self._popen.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs or is stopped."""
        return self._popen.poll()


class AgentProcess(_Process):
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


class TerminalProcess(_Process):
    """An interactive program that shares our terminal, in a process group of its own if `own_group`."""

    def __init__(self, command: Command, mark: str, *, own_group: bool) -> None:
        """Start `command`, marked with `mark`; raises `ProgramMissing` where that fails."""
        env, group = {**command.env, MARK: mark}, 0 if own_group else None
        try:
            self._popen = subprocess.Popen(command.argv, cwd=command.cwd, env=env, process_group=group)
        except OSError as error:
            raise _unstartable(command.argv[0], error) from error

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


def _unstartable(program: str, error: OSError) -> ProgramMissing:
    problem = f"can't be started ({error.strerror})"
    return ProgramMissing(program, problem, "install it again, or name another one by RUNNER_CLAUDE or RUNNER_CODEX")
