"""Who a session is among those that work together, and the server by which it reaches the memory as that."""

import sys
from collections.abc import Mapping
from pathlib import Path

AGENT = "RUNNER_AGENT_ID"
IDENTITY = ("RUNNER_RUN_ID", AGENT, "RUNNER_HOME", "RUNNER_DATABASE_URL")
"""The variables that say so, and where the memory lies."""


def identity_in(environ: Mapping[str, str]) -> dict[str, str]:
    """Those of the variables that are there; empty where they name no agent: a session that a person started."""
    return {name: environ[name] for name in IDENTITY if name in environ} if environ.get(AGENT) else {}


def own_server(repository: Path) -> tuple[str, ...]:
    """The command of our MCP server for the sessions of a repository."""
    command = "from runner.cli import entry; entry()"
    return (sys.executable, "-P", "-c", command, "mcp", "--repo", str(repository))
