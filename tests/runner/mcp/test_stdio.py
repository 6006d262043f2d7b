"""`runner mcp` as a process: what goes in and out of it, line by line."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-c", "from runner.cli import entry; entry()", "mcp"]
HELLO = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}


class Client:
    """Writes lines to a server and reads its lines."""

    def __init__(self, repo: Path, environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            COMMAND, cwd=repo, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8",
        )  # fmt: skip
        self.send_call(0, "initialize", HELLO)
        self.hello = self.read()["result"]

    def send(self, line: str) -> None:
        """Write one line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def send_call(self, number: int, method: str, params: dict[str, Any]) -> None:
        """Write one call."""
        self.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))

    def send_tool(self, number: int, name: str, **arguments: Any) -> None:
        """Write the call of a tool."""
        self.send_call(number, "tools/call", {"name": name, "arguments": arguments})

    def read(self) -> dict[str, Any]:
        """Read one line, which must be JSON."""
        assert self.process.stdout is not None
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told

    def close(self) -> tuple[str, str]:
        """Go, and return what was left on stdout and stderr."""
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        return out, err


@pytest.fixture
def client(repo: Path, environ: dict[str, str]) -> Iterator[Client]:
    """A client that said hello."""
    opened = Client(repo, environ)
    yield opened
    if opened.process.returncode is None:
        opened.close()


def test_it_says_who_it_is_and_what_it_can(client: Client) -> None:
    assert client.hello["serverInfo"]["name"] == "dual-orchestrator"
    client.send_call(1, "tools/list", {})
    tools = {tool["name"]: tool for tool in client.read()["result"]["tools"]}
    assert tools["memory_store"]["annotations"]["destructiveHint"] is False
    assert tools["memory_store"]["inputSchema"]["required"] == ["key", "value"]


def test_its_tools_are_told_before_anything_heavy_is_loaded(environ: dict[str, str]) -> None:
    heavy = ("sqlalchemy", "numpy", "onnxruntime", "runner.workflows", "runner.orders", "router.service")
    program = (
        "import sys\nfrom runner.mcp import cli, server\n"
        f"tools = [tool.announce() for tool in server.TOOLS.values()]\n"
        f"print(len(tools) > 20, [name for name in {heavy!r} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert told.stdout == "True []\n"


def test_a_reply_is_one_text_block_of_json_and_nothing_else_is_on_stdout(client: Client) -> None:
    client.send_tool(1, "memory_store", key="k", value="ü")
    (block,) = client.read()["result"]["content"]
    assert (block["type"], json.loads(block["text"])["stored"]) == ("text", True)
    assert client.close()[0] == ""


MALFORMED = [
    ("this is no json", None, -32700),
    ('{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "\\ud800"}}', 7, -32700),
    ("[]", None, -32600),
    ('{"id": "x", "method": 5}', "x", -32600),
    ('{"jsonrpc": "2.0", "id": true}', None, -32600),
    ("[" * 100_000, None, -32700),
    ('{"jsonrpc": "2.0", "id": 8, "method": "no/such"}', 8, -32601),
    ('{"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"arguments": 5}}', 9, -32602),
]


@pytest.mark.parametrize(("line", "call", "code"), MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_lines_are_answered_and_the_next_call_works(client: Client, line: str, call: Any, code: int) -> None:
    client.send(line)
    told = client.read()
    assert (told["id"], told["error"]["code"]) == (call, code)
    client.send_tool(10, "memory_list")
    assert client.read()["id"] == 10


def test_a_huge_value_is_refused_and_the_next_call_works(client: Client) -> None:
    client.send_tool(1, "memory_store", key="k", value="x" * 5_000_000)
    assert "VALUE_TOO_LARGE" in client.read()["result"]["content"][0]["text"]
    client.send_tool(2, "memory_list")
    assert client.read()["id"] == 2


def test_what_a_client_asked_for_before_it_vanished_is_stored(client: Client, cli: Callable[..., Any]) -> None:
    for number in range(1, 6):
        client.send_tool(number, "memory_store", key=f"k{number}", value="kept")
    client.close()
    stored = json.loads(cli("memory", "list", "--json").stdout)
    assert stored["total"] == 5


def test_a_killed_server_loses_nothing_that_it_acknowledged(
    client: Client, repo: Path, environ: dict[str, str]
) -> None:
    for number in range(1, 4):
        client.send_tool(number, "memory_store", key=f"k{number}", value="kept")
        client.read()
    client.process.kill()
    client.process.communicate()
    again = Client(repo, environ)
    again.send_tool(1, "memory_list")
    assert json.loads(again.read()["result"]["content"][0]["text"])["total"] == 3
    again.close()
