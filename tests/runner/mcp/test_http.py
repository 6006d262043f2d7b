"""`runner mcp --http`: the same server for callers with the token."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

TOKEN = "a-token-of-the-test"
ACCEPT = {"Accept": "application/json, text/event-stream"}
HELLO = {
    "jsonrpc": "2.0", "id": 0, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
}  # fmt: skip


def serve(repo: Path, environ: dict[str, str], *options: str) -> tuple["subprocess.Popen[str]", str]:
    """Start a server on a free port; returns it and its address."""
    command = [sys.executable, "-c", "from runner.cli import entry; entry()", "mcp", "--http", "--port", "0", *options]
    process = subprocess.Popen(command, cwd=repo, env=environ, stderr=subprocess.PIPE, encoding="utf-8")
    assert process.stderr is not None
    found = re.search(r"http://\S+", process.stderr.readline())
    assert found is not None
    return process, found[0]


def stop(process: "subprocess.Popen[str]") -> None:
    """End a server as Ctrl-C does."""
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


@pytest.fixture
def url(repo: Path, environ: dict[str, str]) -> Iterator[str]:
    """The address of a server that knows `TOKEN`."""
    process, address = serve(repo, {**environ, "RUNNER_MCP_TOKEN": TOKEN})
    yield address
    stop(process)


def post(url: str, body: Any, **headers: str) -> httpx2.Response:
    """Send one message."""
    return httpx2.post(url, json=body, headers={**ACCEPT, **headers}, trust_env=False, timeout=60)


def test_a_caller_with_the_token_uses_the_memory(url: str) -> None:
    known = {"Authorization": f"Bearer {TOKEN}"}
    hello = post(url, HELLO, **known)
    known["Mcp-Session-Id"] = hello.headers["mcp-session-id"]
    post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, **known)
    params = {"name": "memory_store", "arguments": {"key": "k", "value": "v"}}
    told = post(url, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, **known)
    data = next(line for line in told.text.splitlines() if line.startswith("data: {"))
    assert json.loads(json.loads(data[6:])["result"]["content"][0]["text"])["stored"] is True


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}])
def test_nobody_else_gets_in(url: str, sent: dict[str, str]) -> None:
    refused = post(url, HELLO, **sent)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer" in refused.json()["error"]


def test_a_page_of_another_site_gets_nothing_through_the_browser(url: str) -> None:
    assert post(url, HELLO, Authorization=f"Bearer {TOKEN}", Host="evil.example").status_code == 421
    assert post(url, HELLO, Authorization=f"Bearer {TOKEN}", Origin="http://evil.example").status_code == 403


def test_without_a_token_one_is_made_up_and_shown(repo: Path, environ: dict[str, str]) -> None:
    process, address = serve(repo, environ)
    assert process.stderr is not None
    token = process.stderr.readline().removeprefix("token: ").strip()
    assert post(address, HELLO, Authorization=f"Bearer {token}").status_code == 200
    stop(process)


def test_a_port_in_use_is_named(repo: Path, environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", "from runner.cli import entry; entry()", "mcp", "--http", "--port", port]
        done = subprocess.run(command, cwd=repo, env=environ, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 2
    assert f"can't listen on 127.0.0.1:{port}" in done.stderr
