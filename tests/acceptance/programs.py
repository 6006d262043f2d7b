"""The real programs of the extra `agents`, and the environment of somebody who has them."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from runner.provider.server import Provider

INSTALLED = Path(sysconfig.get_path("purelib"))
CLAUDE = INSTALLED / "claude_agent_sdk/_bundled/claude"
CODEX = INSTALLED / "codex_cli_bin/bin/codex"
RUNNER = (sys.executable, "-c", "from runner.cli import entry; entry()")
NEEDED = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not (CLAUDE.exists() and CODEX.exists()), reason="the extra `agents` isn't installed"),
]
"""Marks of tests that start them."""


def git(folder: Path, *args: str) -> str:
    """Run git and return what it printed."""
    author = ("-c", "user.name=dev", "-c", "user.email=dev@localhost")
    done = subprocess.run(["git", "-C", folder, *author, *args], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def environ_of(provider: Provider, folder: Path) -> dict[str, str]:
    """The environment of a user who has both programs, and a router without a model; his data lie in `folder`."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
        **provider.env,
        "RUNNER_CLAUDE": str(CLAUDE),
        "RUNNER_CODEX": str(CODEX),
        "RUNNER_HOME": str(folder / "runner-home"),
        "RUNNER_WORKER_IDLE_S": "2",
        "ROUTER_MODELS_DIR": str(folder / "no-models"),
        "ROUTER_DATABASE_URL": f"sqlite:///{folder / 'router.db'}",
    }
