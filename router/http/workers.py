"""Several processes behind one port, forked from one that has loaded the model, so that they share its memory."""

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from router.http.exchange import exchange

PUBLISH_S = 1.0
"""How often each worker leaves its metrics for the others."""
ENDING = (signal.SIGTERM, signal.SIGINT)
RESTART_S = 1.0
"""A worker that died younger than this is started again no sooner."""


class Worker:
    """One of the processes; `folder` is where they leave their metrics for each other, None where there is one."""

    def __init__(self, number: int, folder: Path | None, parent: int) -> None:
        self.number, self.folder, self.parent = number, folder, parent

    def publish(self, exposition: Callable[[], bytes]) -> None:
        """Leave this worker's metrics for the others from now on, and end with the process that started it."""
        if self.folder is not None:
            threading.Thread(target=self._publish, args=(exposition, self.folder), daemon=True).start()

    def with_others(self, exposition: bytes) -> bytes:
        """This worker's metrics and the others' latest, told apart by a label."""
        if self.folder is None:
            return exposition
        found = {int(path.stem): path.read_bytes() for path in self.folder.glob("*.prom")}
        found[self.number] = exposition
        return merged(found)

    def _publish(self, exposition: Callable[[], bytes], folder: Path) -> None:
        while os.getppid() == self.parent:
            with suppress(
                OSError
            ):  # a full disk makes these metrics old; this thread must go on looking for the parent
                partial = folder / f"{self.number}.part"
                partial.write_bytes(exposition())
                partial.replace(folder / f"{self.number}.prom")
            time.sleep(PUBLISH_S)
        os.kill(os.getpid(), signal.SIGTERM)


def supervise(count: int, work: Callable[[Worker], None]) -> None:
    """Run `work` here (one worker), or in `count` forked processes until SIGINT or SIGTERM; a dead one is replaced."""
    if count == 1:
        _end_cleanly()
        work(Worker(0, None, os.getppid()))
        return
    with exchange() as folder:
        _Supervisor(count, work, folder).run()


def _end_cleanly() -> None:
    """Uvicorn repeats the signal it was ended by: exit then, so that the last log lines are written."""
    for name in ENDING:
        signal.signal(name, lambda *_: sys.exit(0))


def merged(expositions: dict[int, bytes]) -> bytes:
    """Several expositions as one: families together, each sample with its worker's number."""
    families: dict[str, list[str]] = {}
    for number, exposition in sorted(expositions.items()):
        family: list[str] = []
        heads: list[str] = []
        for line in exposition.decode().splitlines():
            if line.startswith("# HELP"):
                heads = [line]
            elif line.startswith("# TYPE"):
                family = families.setdefault(line, [*heads, line])
            else:
                family.append(_labelled(line, number))
    return ("\n".join(line for family in families.values() for line in family) + "\n").encode()


def _labelled(sample: str, number: int) -> str:
    name, value = sample.rsplit(" ", 1)
    labels = name[:-1] + "," if name.endswith("}") else name + "{"
    return f'{labels}worker="{number}"}} {value}'


class _Supervisor:
    def __init__(self, count: int, work: Callable[[Worker], None], folder: Path) -> None:
        self.count, self.work, self.folder = count, work, folder
        self.children: dict[int, tuple[int, float]] = {}
        """Process id → worker number, and when it was started."""
        self.stopping = False
        self.pid = os.getpid()

    def run(self) -> None:
        for name in ENDING:
            signal.signal(name, self._stop)
        for number in range(self.count):
            self._start(number)
        while self.children:
            pid, status = os.wait()
            number, started = self.children.pop(pid)
            if not self.stopping:
                ended = os.waitstatus_to_exitcode(status)
                sys.stderr.write(f"router: worker {number} ended with status {ended}; another takes its place\n")
                time.sleep(max(0.0, RESTART_S - (time.monotonic() - started)))
                self._start(number)

    def _start(self, number: int) -> None:
        # Neither process may be told to stop before it can: the parent knows the child, the child its own handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        pid = None if self.stopping else os.fork()
        if pid == 0:
            self._work(number)
        if pid is not None:
            self.children[pid] = number, time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def _work(self, number: int) -> NoReturn:
        try:
            _end_cleanly()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
            self.work(Worker(number, self.folder, self.pid))
        finally:
            for name in ENDING:
                signal.signal(name, signal.SIG_IGN)
            error = sys.exception()
            failed = error is not None and not isinstance(error, SystemExit)
            if failed:
                sys.excepthook(*sys.exc_info())
            atexit._run_exitfuncs()  # noqa: SLF001
            # Not `sys.exit`: onnxruntime's destructors would wait for a thread that stayed with the parent.
            os._exit(int(failed))

    def _stop(self, _signal: int, _frame: object) -> None:
        self.stopping = True
        for pid in self.children:
            os.kill(pid, signal.SIGTERM)
