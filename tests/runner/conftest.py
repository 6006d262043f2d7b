"""Real repositories, the real router without a model, and the shipped scripted agent."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from router.service import Router, open_router
from router.settings import Settings as RouterSettings
from runner.checkout.repository import Repository
from runner.cli import entry
from runner.lock import locked
from runner.outcomes.outbox import Outbox
from runner.settings import Settings

Script = Callable[..., str]
RunCli = Callable[..., "Ran"]


@dataclass(frozen=True)
class Ran:
    """What came of one call of the command line."""

    returncode: int | str | None
    stdout: str
    stderr: str


@pytest.fixture
def git() -> Callable[..., str]:
    """Runs git in a folder and returns what it prints."""

    def run(folder: Path, *args: str) -> str:
        author = ("-c", "user.name=Tester", "-c", "user.email=tester@localhost")
        done = subprocess.run(["git", "-C", folder, *author, *args], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def repo(tmp_path: Path, git: Callable[..., str]) -> Path:
    """A repository with one commit of one file."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / "a.txt").write_text("hello\n", encoding="utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "init")
    return folder


@pytest.fixture
def repository(repo: Path) -> Repository:
    """The same, as the runner sees it."""
    return Repository.around(repo)


@pytest.fixture(autouse=True)
def _no_worker_stays(tmp_path: Path) -> Iterator[None]:
    """A worker that a test had started ends with it."""
    yield
    for file in tmp_path.glob("*/executor/worker.json"):
        with suppress(OSError, ValueError):
            os.kill(json.loads(file.read_bytes())["pid"], signal.SIGTERM)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with which the scripted agent does headless tasks."""
    return Settings(home=tmp_path / "home", headless="scripted", grace_s=0.5, pass_env="COVERAGE_*")


@pytest.fixture
def router(tmp_path: Path) -> Iterator[Router]:
    """The router without a model: the seed's rules decide."""
    url = f"sqlite:///{tmp_path / 'router.db'}"
    opened = open_router(RouterSettings(models_dir=tmp_path / "no-models", database_url=url))
    yield opened
    opened.close()


@pytest.fixture
def deliver(settings: Settings, router: Router) -> Callable[[], int]:
    """Sends what runs left for the router, as the worker does a moment later; returns how much remains."""

    def send() -> int:
        outbox = Outbox(settings.data_folder() / "outbox", router)
        with locked(outbox.folder / "lock", wait_s=60):  # the worker may be sending
            pass
        return outbox.flush()

    return send


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment in which the command line uses all of the above."""
    return {
        **os.environ,
        "RUNNER_HOME": str(tmp_path / "home"),
        "RUNNER_HEADLESS": "scripted",
        "RUNNER_GRACE_S": "0.5",
        "RUNNER_PASS_ENV": "COVERAGE_*",
        "ROUTER_MODELS_DIR": str(tmp_path / "no-models"),
        "ROUTER_DATABASE_URL": f"sqlite:///{tmp_path / 'router.db'}",
    }


@pytest.fixture
def in_environment(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts this process into that environment."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def cli(repo: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> RunCli:
    """Runs the `runner` command in the repository, without a terminal, from its entry to its exit code."""

    def run(*args: str | bytes, cwd: Path = repo, **env: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(cwd)
            patch.setattr(sys, "argv", ["runner", *map(os.fsdecode, args)])
            for name, value in {**environ, **env}.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                entry()
        return Ran(ended.value.code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def script() -> Script:
    """Makes a task for the scripted agent out of steps: `script(say="hello", write=["a.txt", "x"])`."""

    def make(**steps: Any) -> str:
        return json.dumps([{action: value} for action, value in steps.items()])

    return make
