"""The examples of `docs/mcp.md` are run, and nothing is left out of it."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from runner.mcp.server import TOOLS
from runner.mcp.topology import LEADS, TOPOLOGIES

from .conftest import Call

DOCS = (Path(__file__).parents[3] / "docs/mcp.md").read_text(encoding="utf-8")
HELLO = {
    "jsonrpc": "2.0", "id": 0, "method": "initialize",
    "params": {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
}  # fmt: skip


def block(language: str) -> str:
    """The one example of this language."""
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    assert len(found) == 1
    return found[0]


def test_the_calls_are_answered(call: Call) -> None:
    for line in block("jsonl").splitlines():
        example = json.loads(line)
        assert call(example["tool"], **example["arguments"])


@pytest.mark.parametrize(
    "server",
    [
        *json.loads(block("json"))["mcpServers"].values(),
        *tomllib.loads(block("toml"))["mcp_servers"].values(),
    ],
    ids=["claude-flow", "ruv-swarm", "codex"],
)
def test_the_registered_servers_start(server: dict[str, Any], repo: Path, environ: dict[str, str]) -> None:
    assert server["command"] == "runner"
    command = [sys.executable, "-c", "from runner.cli import entry; entry()", *server["args"]]
    done = subprocess.run(
        command, cwd=repo, env=environ, input=json.dumps(HELLO) + "\n", capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["result"]["serverInfo"]["name"] == "dual-orchestrator"


@pytest.mark.parametrize("name", [*TOOLS, *TOPOLOGIES, *sorted(LEADS)])
def test_every_tool_topology_and_lead_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS
