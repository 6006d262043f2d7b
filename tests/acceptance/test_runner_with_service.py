"""The runner asks and tells a router service over HTTP, and loses no outcome when that goes away."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from router.journal.journal import Journal

pytestmark = pytest.mark.acceptance


@contextmanager
def serving(environ: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Run `router serve` on a free port; yields its address and process id."""
    argv = [sys.executable, "-m", "router.cli", "serve", "--port", "0"]
    with subprocess.Popen(argv, env=environ, stderr=subprocess.PIPE, text=True) as service:
        assert service.stderr is not None
        address = next(found[1] for line in service.stderr if (found := re.search(r"listens on (http://\S+)", line)))
        try:
            yield address, service.pid
        finally:
            service.terminate()


def execute(repo: Path, environ: dict[str, str], url: str, *steps: dict[str, Any]) -> dict[str, Any]:
    """Run one task of the scripted agent, routed by the service at `url`."""
    argv = [sys.executable, "-c", "from runner.cli import entry; entry()", "execute", "--json", "--platform", "codex"]
    env = {**environ, "RUNNER_ROUTER_URL": url, "ROUTER_DATABASE_URL": "sqlite:////nowhere/in-process.db"}
    done = subprocess.run([*argv, json.dumps(steps)], cwd=repo, env=env, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_an_outcome_that_the_service_did_not_take_reaches_it_with_the_next_run(tmp_path: Path) -> None:
    repo, database = tmp_path / "project", f"sqlite:///{tmp_path / 'router.db'}"
    subprocess.run(["git", "init", "-q", repo], check=True)
    identity = ["-c", "user.name=dev", "-c", "user.email=dev@localhost"]
    subprocess.run(["git", "-C", repo, *identity, "commit", "-qm", "Start", "--allow-empty"], check=True)
    own = {"RUNNER_HOME": str(tmp_path / "home"), "RUNNER_HEADLESS": "scripted", "ROUTER_DATABASE_URL": database}
    environ = {**os.environ, **own, "ROUTER_MODELS_DIR": str(tmp_path / "no-models")}

    with serving(environ) as (url, pid):
        taken = execute(repo, environ, url, {"say": "hi"})
        kept = execute(repo, environ, url, {"run": f"kill -9 {pid}"})
    assert (taken["outcomes_unsent"], kept["outcomes_unsent"]) == (0, 1)
    with serving(environ) as (url, _):
        assert execute(repo, environ, url, {"say": "hi"})["outcomes_unsent"] == 0
    history = Journal(database).history()
    assert [outcome.status for _, outcomes, _ in history for outcome in outcomes] == ["succeeded"] * 3
