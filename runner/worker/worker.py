"""The worker: the one process of a data folder that carries submitted runs out.

It is started by whoever needs it, outlives them, and leaves once there was nothing to do for a while. Killed at any
moment it loses nothing: sessions go on under their supervisors, and the next worker goes on with the runs.
"""

import gc
import json
import os
import signal
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from types import FrameType

from runner.census import started_at
from runner.errors import RunnerError
from runner.pace import Pace
from runner.process import reap, start_apart
from runner.runs.executor import ensure_worker, executor_folder, kept_settings
from runner.runs.submission import RunFolder
from runner.storage import write_whole

LOOK_S = 0.05
CHECK_S = 1.0
"""Between two looks whether a run came to its end in another way than it should."""
SEND_S = 1.0
"""Wait for a terminal that watched the run to send its outcomes."""
LEAVE_S = 5.0
"""Longest that those who follow sessions may take to let go of them."""
HANDED_FD = 3
"""The lock, as `executor.ensure_worker` hands it over."""


class Worker:
    """Carries runs out until there are none, or until it is told to leave."""

    def __init__(self, home: Path, pace: Pace) -> None:
        """Go on with what was under way; only the holder of the worker's lock may."""
        # Here, not above: one that finds another worker at work needs none of it.
        from runner.worker.deeds import ATTENDANCE
        from runner.worker.durable import Engine, start
        from runner.worker.schedule import (
            carry_out_run,  # known before the engine starts: it goes on with workflows at once
        )

        self.home, self._idle_s, self._attendance = home, pace.worker_idle_s, ATTENDANCE
        folder = executor_folder(home)
        me = {"pid": os.getpid(), "started": started_at(os.getpid()), "settings": kept_settings(os.environ)}
        write_whole(folder / "worker.json", json.dumps(me))
        self._attendance.seats = pace.program_sessions
        self._engine = Engine(folder, _name(folder))
        self._flow, self._start = carry_out_run, start
        self._under_way: dict[str, RunFolder] = {}
        self._woken: set[str] = set()
        self._checked = 0.0
        self._sent: set[str] = set()

    def work(self, leave: threading.Event) -> None:
        """Return once there was no run for a while, or `leave` is set."""
        busy, lock = time.monotonic(), executor_folder(self.home) / "lock"
        while not leave.is_set():
            if not lock.exists():  # its data folder was removed, which nobody wants made anew
                leave.set()
                return
            self._attendance.look()
            self._look_after_runs()
            reap()
            if self._under_way:
                busy = time.monotonic()
            elif time.monotonic() - busy > SEND_S:
                self._send()
            if time.monotonic() - busy > self._idle_s:
                return
            leave.wait(LOOK_S)

    def _send(self) -> None:
        """Have the outcomes sent that nobody has sent; a process of its own, for the router in process is large."""
        letters = {path.name for path in (self.home / "outbox").glob("*.json")}
        if letters <= self._sent:
            return
        self._sent |= letters
        argv = (sys.executable, "-P", "-c", "from runner.cli import entry; entry()", "send")
        with Path(os.devnull).open("rb") as nothing, suppress(RunnerError):
            start_apart(argv, os.environ, executor_folder(self.home) / "log.txt", nothing.fileno())

    def close(self) -> None:
        """Let go of everything; only where no run is under way."""
        self._engine.close()
        with suppress(OSError):
            (executor_folder(self.home) / "worker.json").unlink()

    def go(self) -> None:
        """End this process at once; what is under way goes on."""
        self._attendance.leave_all(LEAVE_S)
        self._engine.leave()

    def _look_after_runs(self) -> None:
        submitted = RunFolder.open_ones(self.home)
        for known, run in submitted.items():
            if known not in self._under_way:
                self._start(self._flow, known, known, str(run.path))
            elif run.is_cancelled() and known not in self._woken:
                self._woken.add(known)
                self._wake(known, run)
        self._under_way = submitted
        if time.monotonic() - self._checked > CHECK_S:
            self._checked = time.monotonic()
            for known, run in self._under_way.items():
                if not self._engine.is_open(known) and known in RunFolder.open_ones(self.home):
                    run.end(self._engine.problem_of(known))
                self._wake(known, run)

    def _wake(self, known: str, run: RunFolder) -> None:
        """Wake those that sleep and have to end."""
        submission = run.submission
        for name in submission.workers if submission else ():
            child = f"{known}/{name}"
            if child not in self._woken and run.is_cancelled(name) and self._engine.is_open(child):
                self._woken.add(child)
                self._engine.wake(child)


def _name(folder: Path) -> str:
    """The worker's name in the database: the same after every start, or what was under way is not found again."""
    path = folder / "id"
    with suppress(OSError):
        return path.read_text(encoding="utf-8").strip()
    name = uuid.uuid4().hex
    write_whole(path, name)
    return name


def main() -> None:
    """Run the worker of the data folder that is named, with the lock that was handed over, until it leaves."""
    serve(Path(sys.argv[1]), Pace.read(os.environ), HANDED_FD)


def serve(home: Path, pace: Pace, lock: int) -> None:
    """Carry runs out; `lock` is the open file of the worker's lock, which is held."""
    leave = threading.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        leave.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, told)
    gc.disable()  # it would go through all that is being imported: a tenth of the start
    worker = Worker(home, pace)
    gc.freeze()
    gc.enable()
    worker.work(leave)
    if leave.is_set():
        worker.go()
    worker.close()
    os.close(lock)
    # A run that was submitted just now saw the lock held: nobody else would start a worker for it.
    if RunFolder.open_ones(home):
        ensure_worker(home)


if __name__ == "__main__":
    try:
        main()
    except RunnerError as error:
        sys.stderr.write(f"runner worker: {error}\n")
        sys.exit(error.exit_code)
