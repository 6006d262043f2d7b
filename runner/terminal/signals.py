"""Ctrl-C and its kin: noted for the run to stop in good order, or left to the program that has the terminal."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_Handler = Callable[[int, FrameType | None], None]


@contextmanager
def stopping(stop: threading.Event, leave: threading.Event | None = None) -> Iterator[None]:
    """While inside, SIGINT, SIGTERM and SIGHUP set `stop` and do nothing else; SIGHUP sets `leave` first, if given."""
    terminals = [descriptor for descriptor in (0, 1, 2) if os.isatty(descriptor)]

    def hang_up(*_: object) -> None:
        if leave:
            leave.set()
        stop.set()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in terminals:  # the terminal is gone: writing to it would raise, in the middle of settling
            os.dup2(nowhere, descriptor)

    with _handled((signal.SIGINT, signal.SIGTERM), lambda *_: stop.set()), _handled((signal.SIGHUP,), hang_up):
        yield


@contextmanager
def deaf_to_keys() -> Iterator[None]:
    """While inside, Ctrl-C and Ctrl-\\ are for the program in the foreground.

    A handler, not SIG_IGN: what is ignored stays ignored in programs started meanwhile.
    """
    with _handled((signal.SIGINT, signal.SIGQUIT), lambda *_: None):
        yield


@contextmanager
def _handled(numbers: tuple[signal.Signals, ...], handler: _Handler) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in numbers}
    for number, old in before.items():
        if old is not signal.SIG_IGN:  # `nohup` and `&` ask not to be stopped
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
