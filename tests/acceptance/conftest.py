"""Folders of real programs, and the end of whatever works in them."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from runner.provider.script import parse_scripts
from runner.provider.server import Provider, running

from .programs import environ_of, git

OUTSIDE = Path("/var/tmp")  # noqa: S108 (each folder in it is made anew)
PREFIX = "dual-orchestrator-test-"
LONGEST_S = 10.0


@pytest.fixture(scope="session", autouse=True)
def _no_folder_stays() -> None:
    """Folders of tests that were killed go with the next ones."""
    for path in OUTSIDE.glob(f"{PREFIX}*"):
        pid = path.name.removeprefix(PREFIX).partition("-")[0]
        if not (pid.isdigit() and psutil.pid_exists(int(pid))):
            shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that isn't under /tmp, which Codex's sandbox leaves open to all; who works in it ends with the test."""
    with TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=OUTSIDE, ignore_cleanup_errors=True) as name:
        yield Path(name)
        _end_all(name)


@pytest.fixture
def repo(scratch: Path) -> Path:
    """A repository with one commit of one file."""
    project = scratch / "project"
    project.mkdir()
    (project / "a.txt").write_text("hello\n")
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "Start")
    return project


@pytest.fixture
def provider(request: pytest.FixtureRequest, repo: Path, tmp_path: Path) -> Iterator[Provider]:
    """A scripted model that both programs use; it plays the module's `SCRIPTS`."""
    with running(parse_scripts(request.module.SCRIPTS), tmp_path / "agents", repos=[repo]) as served:
        yield served


@pytest.fixture
def environ(provider: Provider, tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has both programs, and a router without a model."""
    return environ_of(provider, tmp_path)


def _end_all(name: str) -> None:
    """Kill all that were started with `name` in their variables: a worker on its way out would make its folder anew."""
    deadline = time.monotonic() + LONGEST_S
    while (left := _working_in(name)) and time.monotonic() < deadline:
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        threading.Event().wait(0.02)


def _working_in(name: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            lives = process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
            if lives and any(name in value for value in process.environ().values()):
                found.append(process.pid)
    return found
