"""The worker as other processes see it: whether it lives, and starting it.

<data folder>/executor/lock         held by the worker for as long as it lives; handed to it by whoever starts it
                       worker.json  its number and start
                       log.txt      what it printed
                       id           its name in the database, the same after every start
                       runs/        see `submission`
"""

import fcntl
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.census import MARK, is_alive
from runner.environment import headless_environment
from runner.errors import StorageUnavailable
from runner.process import POLL_S, start_apart
from runner.storage import make_folder

SEEN = "RUNNER_*,ROUTER_*,PYTHON*,COVERAGE_*"
"""Variables of the worker itself; its sessions see what was submitted with them."""
KEPT = (
    *("RUNNER_PROGRAM_SESSIONS", "RUNNER_WORKER_IDLE_S", "RUNNER_ROUTER_URL", "RUNNER_ROUTER_TOKEN"),
    *("ROUTER_DATABASE_URL", "ROUTER_MODELS_DIR", "ROUTER_TOKEN"),
)
"""Those of them that matter to it for as long as it lives."""
LEAVES_S = 5.0
STAYS = "the worker that is at work goes on with {names} as it was started with; this run's own limits go with the run"


def executor_folder(home: Path) -> Path:
    """Where the files of the worker lie."""
    return home / "executor"


def is_running(home: Path) -> bool:
    """True while the worker of this data folder lives."""
    return bool(_living(home))


def kept_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """What a worker with these variables keeps of them, as digests: tokens are among them."""
    return {name: hashlib.sha256(environ[name].encode()).hexdigest()[:16] for name in KEPT if environ.get(name)}


def renew_worker(home: Path, note: Callable[[str], None]) -> None:
    """Start the worker anew where it was started with other variables than ours; `note` is told where it is at work.

    Raises:
        ProgramMissing, StorageUnavailable: it can't be started.
    """
    worker = _living(home)
    theirs, ours = worker.get("settings"), kept_settings(os.environ)
    if theirs is None or theirs == ours:
        return
    if any((executor_folder(home) / "runs").glob("[!.]*")):
        differing = [name for name in KEPT if theirs.get(name) != ours.get(name)]
        note(STAYS.format(names=", ".join(differing)))
        return
    deadline = time.monotonic() + LEAVES_S
    with suppress(ProcessLookupError):
        os.kill(worker["pid"], signal.SIGTERM)
    while is_running(home) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    ensure_worker(home)


def _living(home: Path) -> dict[str, Any]:
    """What the living worker wrote down of itself; empty where none lives."""
    with suppress(OSError, ValueError, KeyError):
        facts = json.loads((executor_folder(home) / "worker.json").read_bytes())
        return facts if is_alive(facts["pid"], facts["started"]) else {}
    return {}


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
