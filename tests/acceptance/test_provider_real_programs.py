"""The real `claude` and `codex` do what a script says, with no account and no network."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.provider.script import parse_scripts
from runner.provider.server import Provider, running

from .programs import CLAUDE, CODEX, NEEDED

pytestmark = NEEDED

SCRIPTS = """
hello:
  steps: [{say: Hello from the script.}]
command:
  steps: [{say: I look., run: cat notes.txt}, {say: "It says {{result}}."}]
file:
  steps:
    - write: {path: src/made.py, content: "x = 1\\n"}
    - edit: {path: src/made.py, old: x = 1, new: x = 2}
    - run: git add -A && git commit -qm "Make a file"
    - say: Made.
two-prompts:
  steps: [{say: The first answer.}, {say: The second answer.}]
busy:
  steps: [{say: At last., error: {status: 429, times: 2, retry_after_s: 1}}]
slow:
  task: write (?P<name>\\w+)
  steps: [{write: {path: "{{name}}.txt", content: "{{name}}\\n"}, delay_s: 2}, {say: Written.}]
memory:
  steps: [{call: {server: dual-memory, tool: remember, arguments: {text: milk}}}, {say: "It said {{result}}"}]
"""
MEMORY = """
from mcp.server import MCPServer
server = MCPServer("memory")
@server.tool()
def remember(text: str) -> str:
    "Remember a text."
    return f"remembered {text}"
server.run("stdio")
"""


@dataclass(frozen=True)
class Ran:
    """What came of one run of a program."""

    said: str
    session_id: str


def claude(prompt: str, checkout: Path, resume: str) -> list[str]:
    """Return a command for Claude Code that may edit files, commit and use the memory server."""
    server = {"command": sys.executable, "args": [str(checkout / "memory.py")], "alwaysLoad": True}
    servers = {"dual-memory": server} if (checkout / "memory.py").exists() else {}
    options = ["--output-format", "json", "--permission-mode", "acceptEdits", "--strict-mcp-config"]
    options += ["--allowedTools", "Bash(git:*),mcp__dual-memory"]
    options += ["--mcp-config", json.dumps({"mcpServers": servers}), *(["--resume", resume] if resume else [])]
    return [str(CLAUDE), "-p", prompt, *options]


def codex(prompt: str, checkout: Path, resume: str, model: str = "gpt-5.5") -> list[str]:
    """Return a command for Codex that may do the same."""
    config = [
        'sandbox_mode="workspace-write"',
        f'sandbox_workspace_write.writable_roots=["{checkout}/.git"]',
    ]
    if (checkout / "memory.py").exists():
        server = f'command="{sys.executable}",args=["{checkout}/memory.py"],required=true'
        config.append(f'mcp_servers.dual-memory={{{server},default_tools_approval_mode="approve"}}')
    options = ["--json", "-m", model, *(part for setting in config for part in ("-c", setting))]
    return [str(CODEX), "exec", *options, *(["resume", resume] if resume else []), prompt]


def codex_in_code_mode(prompt: str, checkout: Path, resume: str) -> list[str]:
    """Return a command for Codex with a model that acts through JavaScript."""
    return codex(prompt, checkout, resume, model="gpt-6-sol")


Program = Callable[[str, Path, str], list[str]]


@pytest.fixture(params=[claude, codex, codex_in_code_mode])
def program(request: pytest.FixtureRequest) -> Program:
    chosen: Program = request.param
    return chosen


@pytest.fixture
def checkouts(tmp_path: Path) -> list[Path]:
    return [_checkout(tmp_path / name) for name in ("one", "two")]


@pytest.fixture
def provider(tmp_path: Path, checkouts: list[Path]) -> Iterator[Provider]:
    with running(parse_scripts(SCRIPTS), tmp_path / "home", repos=checkouts) as provider:
        yield provider


def test_it_says_what_the_script_says(program: Program, provider: Provider, checkouts: list[Path]) -> None:
    assert _run(program, "[[script:hello]]", provider, checkouts[0]).said == "Hello from the script."


def test_it_runs_the_command_of_the_script(program: Program, provider: Provider, checkouts: list[Path]) -> None:
    assert _run(program, "[[script:command]]", provider, checkouts[0]).said == "It says buy milk."


def test_it_writes_edits_and_commits_a_file(program: Program, provider: Provider, checkouts: list[Path]) -> None:
    assert _run(program, "[[script:file]]", provider, checkouts[0]).said == "Made."
    assert (checkouts[0] / "src/made.py").read_text() == "x = 2\n"
    assert _git("log -1 --format=%s", checkouts[0]) == "Make a file\n"


def test_a_resumed_session_goes_on_in_its_script(program: Program, provider: Provider, checkouts: list[Path]) -> None:
    first = _run(program, "[[script:two-prompts]]", provider, checkouts[0])
    second = _run(program, "go on", provider, checkouts[0], resume=first.session_id)
    assert (first.said, second.said) == ("The first answer.", "The second answer.")
    assert first.session_id == second.session_id


def test_it_comes_back_when_the_provider_was_busy(program: Program, provider: Provider, checkouts: list[Path]) -> None:
    assert _run(program, "[[script:busy]]", provider, checkouts[0]).said == "At last."
    assert [row["status"] for row in provider.journal()] == [429, 429, 200]


def test_it_calls_a_tool_of_an_mcp_server(program: Program, provider: Provider, checkouts: list[Path]) -> None:
    (checkouts[0] / "memory.py").write_text(MEMORY)
    assert "remembered milk" in _run(program, "[[script:memory]]", provider, checkouts[0]).said


def test_two_programs_work_at_the_same_time(provider: Provider, checkouts: list[Path]) -> None:
    first = _start(claude, "write apples", provider, checkouts[0])
    second = _start(codex, "write pears", provider, checkouts[1])
    assert [_wait(first).said, _wait(second).said] == ["Written.", "Written."]
    assert (checkouts[0] / "apples.txt").read_text() == "apples\n"
    assert (checkouts[1] / "pears.txt").read_text() == "pears\n"
    earlier, later = (row for row in provider.journal() if row["step"] == 0)
    assert earlier["session_id"] != later["session_id"]
    assert later["started_at"] < earlier["ended_at"]


def _run(program: Program, prompt: str, provider: Provider, checkout: Path, resume: str = "") -> Ran:
    return _wait(_start(program, prompt, provider, checkout, resume))


def _start(
    program: Program, prompt: str, provider: Provider, checkout: Path, resume: str = ""
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        program(prompt, checkout, resume),
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **provider.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _wait(process: "subprocess.Popen[str]") -> Ran:
    """Return what a program printed, which must have ended well."""
    lines = [json.loads(line) for line in process.communicate(timeout=60)[0].splitlines()]
    assert process.returncode == 0
    if "result" in lines[-1]:
        return Ran(lines[-1]["result"], lines[-1]["session_id"])
    items = [line["item"] for line in lines if line["type"] == "item.completed"]
    return Ran([item["text"] for item in items if item["type"] == "agent_message"][-1], lines[0]["thread_id"])


def _checkout(path: Path) -> Path:
    path.mkdir()
    (path / "notes.txt").write_text("buy milk")
    for arguments in ("init -q", "add -A", "-c user.name=dev -c user.email=dev@localhost commit -qm Start"):
        _git(arguments, path)
    return path


def _git(arguments: str, checkout: Path) -> str:
    command = ["git", *arguments.split()]
    return subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True).stdout
