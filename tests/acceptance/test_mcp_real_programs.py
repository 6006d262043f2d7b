"""The real `claude -p` and `codex exec` store and find memory through `runner mcp`, headless and unasked."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.provider.script import parse_scripts
from runner.provider.server import Provider, running

from .programs import CLAUDE, CODEX, NEEDED, RUNNER

pytestmark = NEEDED
STORE = '{key: design/api-feature, value: \'{"endpoints": ["/users"]}\', namespace: shared}'
SCRIPTS = f"""
seed:
  steps:
    - call: {{server: claude-flow, tool: memory_store, arguments: {STORE}}}
    - call:
        server: claude-flow
        tool: memory_search
        arguments: {{query: api feature design, namespace: shared}}
    - say: "found {{{{result}}}}"
spawn:
  steps:
    - call: {{server: ruv-swarm, tool: swarm_init, arguments: {{topology: hierarchical, maxAgents: 6}}}}
    - call: {{server: ruv-swarm, tool: agent_spawn, arguments: {{type: coder, name: c1}}}}
    - call: {{server: ruv-swarm, tool: swarm_status, arguments: {{verbose: true}}}}
    - say: "seen {{{{result}}}}"
"""
Start = Callable[[str, Path, dict[str, str]], list[str]]


def claude(prompt: str, checkout: Path, env: dict[str, str]) -> list[str]:
    """Claude Code with our server under both names of the seed."""
    server = {"command": RUNNER[0], "args": [*RUNNER[1:], "mcp"], "env": env, "alwaysLoad": True}
    servers = {"mcpServers": {"claude-flow": server, "ruv-swarm": server}}
    options = ["--output-format", "json", "--strict-mcp-config", "--mcp-config", json.dumps(servers)]
    return [str(CLAUDE), "-p", prompt, *options, "--allowedTools", "mcp__claude-flow,mcp__ruv-swarm"]


def codex(prompt: str, checkout: Path, env: dict[str, str]) -> list[str]:
    """Codex with the same, and with no approval given: the tools' annotations are enough."""
    options = ["--json", "-m", "gpt-5.5", "-c", 'sandbox_mode="workspace-write"']
    for name in ("claude-flow", "ruv-swarm"):
        table = ", ".join(f"{key}={json.dumps(value)}" for key, value in env.items())
        server = f"command={json.dumps(RUNNER[0])}, args={json.dumps([*RUNNER[1:], 'mcp'])}, env={{{table}}}"
        options += ["-c", f"mcp_servers.{name}={{{server}, required=true}}"]
    return [str(CODEX), "exec", *options, prompt]


@pytest.fixture(params=[claude, codex])
def start(request: pytest.FixtureRequest) -> Start:
    chosen: Start = request.param
    return chosen


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    author = ["-c", "user.name=dev", "-c", "user.email=dev@localhost"]
    for args in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "Start"]):
        subprocess.run(["git", *args], cwd=folder, check=True)
    return folder


@pytest.fixture
def provider(tmp_path: Path, checkout: Path) -> Iterator[Provider]:
    with running(parse_scripts(SCRIPTS), tmp_path / "home", repos=[checkout]) as provider:
        yield provider


@pytest.fixture
def memory_env(tmp_path: Path) -> dict[str, str]:
    """The variables by which the server and the command line meet."""
    return {"RUNNER_HOME": str(tmp_path / "data"), "XDG_DATA_HOME": os.environ["XDG_DATA_HOME"]}


def run(start: Start, script: str, provider: Provider, checkout: Path, memory_env: dict[str, str]) -> str:
    """Run a program to its end and return the last thing it said."""
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **provider.env}
    command = start(f"[[script:{script}]]", checkout, memory_env)
    done = subprocess.run(
        command, cwd=checkout, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    if "result" in lines[-1]:
        return str(lines[-1]["result"])
    items = [line["item"] for line in lines if line["type"] == "item.completed"]
    return str([item["text"] for item in items if item["type"] == "agent_message"][-1])


def test_the_seeds_memory_calls_work_in_the_real_programs(
    start: Start, provider: Provider, checkout: Path, memory_env: dict[str, str]
) -> None:
    said = run(start, "seed", provider, checkout, memory_env)
    assert "design/api-feature" in said
    assert "similarity" in said
    shell = subprocess.run(
        [*RUNNER, "memory", "get", "design/api-feature", "--namespace", "shared"], cwd=checkout,
        env={**os.environ, **memory_env}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(shell.stdout) == {"endpoints": ["/users"]}


def test_the_seeds_swarm_calls_work_in_the_real_programs(
    start: Start, provider: Provider, checkout: Path, memory_env: dict[str, str]
) -> None:
    said = run(start, "spawn", provider, checkout, memory_env)
    assert "hierarchical" in said
    assert "active_swarms" in said
