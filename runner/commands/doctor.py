"""Is everything there that a run needs: one check a line, and how to get what is missing."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from router.client import RouterClient, RouterError
from runner.agents.programs import check_login, find_program
from runner.checkout.repository import Repository
from runner.environment import headless_environment
from runner.errors import ProgramMissing, RunnerError
from runner.orders.execute import open_routing
from runner.process import run
from runner.settings import Settings
from runner.storage import write_whole

OLDEST_GIT = (2, 31)
LEAST_DISK_BYTES = 1024**3


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    """What is there; where it is not ok, what to do."""
    required: bool = True
    """False where the runner works without it."""


def examine(settings: Settings, cwd: Path) -> list[Check]:
    """Look at everything; starts no session and routes nothing."""
    return list(_checks(settings, cwd))


def is_runnable(checks: list[Check]) -> bool:
    """True where nothing required is missing."""
    return all(check.ok for check in checks if check.required)


def _checks(settings: Settings, cwd: Path) -> Iterator[Check]:
    yield Check("python", True, f"{sys.version.split()[0]} at {sys.executable}")
    yield _tried("git", _git)
    yield _tried("repository", lambda: _repository(cwd), required=False)
    yield _tried("claude", lambda: _program("claude", settings))
    yield _tried("codex", lambda: _program("codex", settings), required=False)
    yield _tried("router", lambda: _router(settings))
    yield _tried("data folder", lambda: _data_folder(settings))
    yield _disk(settings)


def _tried(name: str, look: Callable[[], str], *, required: bool = True) -> Check:
    try:
        return Check(name, ok=True, found=look(), required=required)
    except (RunnerError, RouterError) as error:
        return Check(name, ok=False, found=str(error), required=required)


def _git() -> str:
    answer = run(("git", "--version"), env=os.environ).out.strip()
    numbers = answer.removeprefix("git version ").split(".")
    if tuple(int(number) for number in numbers[:2]) < OLDEST_GIT:
        raise ProgramMissing("git", f"is too old ({answer})", "install git 2.31 or newer")
    return answer


def _repository(cwd: Path) -> str:
    repository = Repository.around(cwd)
    return f"{repository.root} at {repository.resolve('HEAD'):.10}"


def _program(name: str, settings: Settings) -> str:
    program = find_program(name, settings)
    found = f"{program.version()} at {program.path}"
    check_login(program, headless_environment(name, os.environ, settings.pass_env))
    return f"{found}, logged in"


def _router(settings: Settings) -> str:
    with closing(open_routing(settings)) as routing:
        return f"service at {routing.http.base_url}" if isinstance(routing, RouterClient) else "in process"


def _data_folder(settings: Settings) -> str:
    probe = settings.data_folder() / ".doctor"
    write_whole(probe, "can be written\n")
    probe.unlink()
    return str(settings.data_folder())


def _disk(settings: Settings) -> Check:
    folder = settings.data_folder()
    while not folder.is_dir():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Check("disk", free >= LEAST_DISK_BYTES, f"{free / 1024**3:.1f} GiB free at {folder}")
