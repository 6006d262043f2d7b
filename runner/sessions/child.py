"""The agent's process as its supervisor has it: started, looked at, ended. Standard library only."""

import os
import select
import signal
import time
from pathlib import Path
from typing import Any, NoReturn

from runner.sessions.descendants import die_with_parent, reap


class Child:
    """The agent's process, in a group of its own."""

    def __init__(self, order: dict[str, Any]) -> None:
        """Start it; raises `OSError` where that fails."""
        self.code: int | None = None
        self.pid = _start(order)
        self._wake, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.look()

    def look(self) -> bool:
        """True once it has ended; orphans that ended are laid to rest as well."""
        code = reap().get(self.pid)
        self.code = code if self.code is None else self.code
        return self.code is not None

    def wait(self, limit_s: float) -> bool:
        """Wait until it has ended, a signal has come or the time is over; True where it has ended."""
        if not self.look() and select.select([self._wake], [], [], limit_s)[0]:
            os.read(self._wake, 512)
        return self.look()

    def end(self, grace_s: float, kill_s: float) -> None:
        """End it, gently first."""
        for number, patience_s in ((signal.SIGINT, grace_s), (signal.SIGTERM, grace_s), (signal.SIGKILL, kill_s)):
            deadline = time.monotonic() + patience_s
            if self.look() or not self.signal(number):
                return
            while not self.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() < deadline:
                pass

    def signal(self, number: int) -> bool:
        """Send a signal to its group, also where that is stopped; False where it is gone."""
        try:
            os.killpg(self.pid, number)
            os.killpg(self.pid, signal.SIGCONT)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def _start(order: dict[str, Any]) -> int:
    """Start the agent in a group of its own and return its number."""
    folder = Path(order["folder"])
    source = os.open(order["stdin"], os.O_RDONLY)
    out, err = (_opened(folder / name) for name in ("output.jsonl", "stderr.txt"))
    answer, said = os.pipe()
    me, child = os.getpid(), os.fork()
    if child == 0:
        os.close(answer)
        _become(order, me, (source, out, err), said)
    for descriptor in (source, out, err, said):
        os.close(descriptor)
    problem = os.read(answer, 16)
    os.close(answer)
    if problem:
        os.waitpid(child, 0)
        raise OSError(int(problem), os.strerror(int(problem)))
    return child


def _become(order: dict[str, Any], parent: int, files: tuple[int, int, int], said: int) -> NoReturn:
    """Turn this process into the agent; the error that prevents it goes to `said`."""
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        die_with_parent(parent)
        for descriptor, standard in zip(files, (0, 1, 2), strict=True):
            os.dup2(descriptor, standard)
        os.chdir(order["cwd"])
        os.execvpe(order["argv"][0], order["argv"], {**os.environ, order["mark"]: order["session"]})  # noqa: S606
    except OSError as error:
        os.write(said, str(error.errno).encode())
    finally:
        os._exit(127)


def _opened(path: Path) -> int:
    """Open for appending, after the last whole line: a killed agent may have left half of one."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.write(descriptor, b"\n")
    return descriptor
