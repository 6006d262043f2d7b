"""The worker as other processes see it: whether it lives, and starting it.

<data folder>/executor/lock         held by the worker for as long as it lives; handed to it by whoever starts it
                       worker.json  its number and start
                       log.txt      what it printed
                       id           its name in the database, the same after every start
                       runs/        see `submission`
"""

import fcntl
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from runner.environment import headless_environment
from runner.errors import StorageUnavailable
from runner.process import MARK, is_alive, start_apart
from runner.storage import make_folder

SEEN = "RUNNER_*,ROUTER_*,PYTHON*,COVERAGE_*"
"""Variables of the worker itself; its sessions see what was submitted with them."""


def executor_folder(home: Path) -> Path:
    """Where the files of the worker lie."""
    return home / "executor"


def is_running(home: Path) -> bool:
    """True while the worker of this data folder lives."""
    with suppress(OSError, ValueError, KeyError):
        facts = json.loads((executor_folder(home) / "worker.json").read_bytes())
        return is_alive(facts["pid"], facts["started"])
    return False


def take_lock(home: Path) -> int | None:
    """Take the worker's lock and return its open file; None where a worker has it.

    Raises:
        StorageUnavailable: there is no place for it.
    """
    path = executor_folder(home) / "lock"
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageUnavailable(path, f"can't be opened ({error.strerror})") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def ensure_worker(home: Path) -> None:
    """Start the worker where none lives; it outlives this process and leaves by itself.

    Raises:
        ProgramMissing, StorageUnavailable: it can't be started.
    """
    lock = take_lock(home)
    if lock is None:
        return
    env = headless_environment("worker", os.environ, SEEN)
    env.pop(MARK, None)  # it belongs to no session, though one may have started it
    env["RUNNER_HOME"] = str(home)
    argv = (sys.executable, "-P", "-m", "runner.worker.worker", str(home))
    try:
        start_apart(argv, env, executor_folder(home) / "log.txt", lock)
    finally:
        os.close(lock)
