"""The foreground of a terminal given to a program and taken back: what a shell does for its jobs.

The program has a process group of its own there, so that Ctrl-C and Ctrl-Z reach it and nothing else of ours.
"""

import os
import signal
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from runner.process import POLL_S, Command, TerminalProcess


def run_in_foreground(command: Command, mark: str, terminal: int, is_over: Callable[[], bool], grace_s: float) -> int:
    """Let `command` have the foreground of `terminal` until it ends, or `is_over`; return its exit code.

    When it is suspended, so are we and all of our process group, and it goes on when we do.

    Raises:
        ProgramMissing: it can't be started.
    """
    mine = _is_ours(terminal)
    process = TerminalProcess(command, mark, own_group=mine)
    job = _Job(terminal, process, _mode(terminal))
    try:
        if mine:
            job.bring_forward()
        while process.poll() is None and not is_over():
            time.sleep(POLL_S)
            if mine and process.is_stopped:
                job.suspend(is_over)
        return process.end(grace_s)
    finally:
        if mine:
            _give(terminal, os.getpgrp())


@dataclass(frozen=True)
class _Job:
    terminal: int
    process: TerminalProcess
    usual: list[Any]
    """The mode of the terminal before."""

    def bring_forward(self) -> None:
        """Give it the terminal, and have it go on where it was stopped for not having it."""
        _give(self.terminal, self.process.pid)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGCONT)

    def suspend(self, is_over: Callable[[], bool]) -> None:
        """Be suspended as it is: the shell that started us gets the terminal, until it brings us back."""
        theirs = _mode(self.terminal)
        _give(self.terminal, os.getpgrp())
        _set_mode(self.terminal, self.usual)
        os.killpg(os.getpgrp(), signal.SIGTSTP)
        while not _is_ours(self.terminal) and not is_over():  # `bg`: we have nothing to do without the terminal
            os.kill(os.getpid(), signal.SIGTTIN)
            time.sleep(POLL_S)
        _set_mode(self.terminal, theirs)
        self.bring_forward()


def _mode(terminal: int) -> list[Any]:
    try:
        return termios.tcgetattr(terminal)
    except termios.error:  # it may be gone by now
        return []


def _set_mode(terminal: int, mode: list[Any]) -> None:
    with _not_stopped(), suppress(termios.error):
        if mode:
            termios.tcsetattr(terminal, termios.TCSADRAIN, mode)


def _is_ours(terminal: int) -> bool:
    """True where `terminal` controls us and we are in its foreground."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False


def _give(terminal: int, group: int) -> None:
    with _not_stopped(), suppress(OSError):  # it may be gone by now
        os.tcsetpgrp(terminal, group)


@contextmanager
def _not_stopped() -> Iterator[None]:
    """While inside, we may change a terminal from its background without being stopped for it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
