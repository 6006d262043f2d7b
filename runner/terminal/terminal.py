"""The person's terminal: lent to an interactive program, and asked for a key."""

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from runner.process import Command
from runner.terminal.foreground import run_in_foreground
from runner.terminal.signals import deaf_to_keys


def has_terminal() -> bool:
    """True where a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def lend(
    command: Command, mark: str, stop: threading.Event, grace_s: float, leave: threading.Event | None = None
) -> int:
    """Run an interactive program in the foreground; return its exit code with the terminal as it was before.

    It is ended when `stop` or `leave` is set.
    """
    stdin = sys.stdin.fileno()
    with _restored(stdin), deaf_to_keys():
        return run_in_foreground(command, mark, stdin, lambda: stop.is_set() or bool(leave and leave.is_set()), grace_s)


def ask(question: str, keys: Mapping[str, str], stop: threading.Event) -> str | None:
    """Ask for one of `keys` (key: meaning) and return it; None where the terminal closes or `stop` is set."""
    if stop.is_set():
        return None
    stdin = sys.stdin.fileno()
    with _restored(stdin):
        tty.setcbreak(stdin, termios.TCSAFLUSH)  # keys typed earlier were meant for another program
        choices = "  ".join(f"[{key}] {meaning}" for key, meaning in keys.items())
        sys.stderr.write(f"{question}  {choices} ")
        sys.stderr.flush()
        key = _read_key(stdin, keys, stop)
        sys.stderr.write(f"{keys.get(key or '', '')}\n")
    return key


def _read_key(stdin: int, keys: Mapping[str, str], stop: threading.Event) -> str | None:
    while not stop.is_set():
        if not select.select([stdin], [], [], 0.1)[0]:
            continue
        typed = os.read(stdin, 1).decode(errors="replace").lower()
        if not typed:
            return None
        if typed in keys:
            return typed
    return None


@contextmanager
def _restored(stdin: int) -> Iterator[None]:
    before = termios.tcgetattr(stdin)
    try:
        yield
    finally:
        with suppress(termios.error):  # it may be gone by now
            termios.tcsetattr(stdin, termios.TCSADRAIN, before)
