"""The real `claude` and `codex` take the plugin and what `runner install` brings, and do what it says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.provider.script import parse_scripts
from runner.provider.server import Provider, running

from .programs import CLAUDE, CODEX, NEEDED, RUNNER

ROOT = Path(__file__).parents[2]
pytestmark = NEEDED

TYPED = '--workflow hybrid_development --task "add a greeting"'
SCRIPTS = r"""
coordinate:
  task: 'Coordinate a workflow. What was typed: --workflow hybrid_development --task "(?P<what>[^"]+)"'
  steps:
    - call: {server: SERVER, tool: memory_store, arguments: {key: result-one, value: "{{what}}", namespace: results}}
    - run: runner memory get result-one --namespace results
    - say: "Stored: {{result}}"
hand-over:
  task: 'Coordinate a workflow. What was typed: --task "(?P<what>hand over[^"]*)"'
  steps:
    - call:
        server: SERVER
        tool: memory_store
        arguments: {key: design/handed-over, namespace: shared, value: {tasks: [write a greeting, "tester: check it"]}}
    - run: runner coordinate --task '{{what}}' --design design/handed-over --json
    - run: runner resume 20 --verdict accept
    - say: "Reviewed: {{result}}"
coder-1:
  task: '\Acoder-1: write a greeting'
  steps: [{write: {path: hello.txt, content: "hello\n"}}, {say: Greeted.}]
collect:
  task: 'Collect the results of workers. What was typed: --namespace (?P<namespace>\w+)'
  steps:
    - run: runner collect --namespace {{namespace}}
    - say: "Collected: {{result}}"
both:
  steps:
    - call: {server: claude-flow, tool: memory_store, arguments: {key: result-one, value: by codex, namespace: results}}
    - call: {server: ruv-swarm, tool: memory_search, arguments: {query: result-one, namespace: results}}
    - say: "Found: {{result}}"
"""
ELSEWHERE = "write unit tests for src/parser.py covering quotes and escapes"
HINT = "takes this prompt for a test task"


@dataclass(frozen=True)
class Desk:
    """A repository, scratch homes and a provider."""

    repo: Path
    provider: Provider
    env: dict[str, str]

    def run(self, *argv: str | Path, **env: str) -> str:
        """Run a program that must end well; returns what it printed."""
        done = subprocess.run(
            argv,
            cwd=self.repo,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def runner(self, *args: str) -> str:
        """Run `runner …`."""
        return self.run(*RUNNER, *args)

    def claude(self, prompt: str, *args: str, **env: str) -> str:
        """Run `claude -p`; returns its result."""
        said: dict[str, Any] = json.loads(self.run(CLAUDE, "-p", prompt, "--output-format", "json", *args, **env))
        assert said["permission_denials"] == []
        result: str = said["result"]
        return result

    def reached_the_model(self, text: str) -> bool:
        """True where a text stood in any request."""
        return any(text in json.dumps(row["body"]) for row in self.provider.journal(bodies=True))


@contextmanager
def desk(folder: Path, server: str) -> Iterator[Desk]:
    repo = folder / "shop"
    for args in (("init", "-q", repo), ("-C", repo, "-c", "user.name=d", "-c", "user.email=d@localhost", "commit", "-q",
                                        "-m", "Start", "--allow-empty")):  # fmt: skip
        subprocess.run(["git", *args], check=True)
    with running(parse_scripts(SCRIPTS.replace("SERVER", server)), folder / "home", repos=[repo]) as provider:
        own = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "RUNNER_HOME": str(folder / "runner"),
            "XDG_DATA_HOME": str(folder / "data"),
            "RUNNER_ROUTER_URL": "http://127.0.0.1:9",  # nobody listens there
            "DUAL_HINT_WAIT_S": "4",
            # A scripted model is quicker than any server can start, and asks for no tool's description first.
            "ENABLE_TOOL_SEARCH": "false",
            "MCP_CONNECTION_NONBLOCKING": "false",
            "MCP_TIMEOUT": "60000",
        }
        yield Desk(repo, provider, own | provider.env)


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Desk]:
    """A desk where the servers have the names that `runner install` gives them."""
    with desk(tmp_path, "claude-flow") as opened:
        yield opened


@pytest.fixture
def plugged(tmp_path: Path) -> Iterator[Desk]:
    """A desk where the servers have the names that a plugin's have in Claude Code."""
    with desk(tmp_path, "plugin_dual_claude-flow") as opened:
        yield opened


@contextmanager
def serving(env: dict[str, str]) -> Iterator[str]:
    """Run `router serve` with the shipped model on a free port; yields its address."""
    argv = [sys.executable, "-m", "router.cli", "serve", "--port", "0"]
    with subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True) as service:
        assert service.stderr is not None
        try:
            yield next(found[1] for line in service.stderr if (found := re.search(r"listens on (http://\S+)", line)))
        finally:
            service.terminate()


def test_claude_finds_the_plugin_and_both_marketplaces_valid(plugged: Desk) -> None:
    for folder in (ROOT, ROOT / "plugin"):
        assert "Validation passed" in plugged.run(CLAUDE, "plugin", "validate", folder)


def test_the_plugin_can_be_installed_from_its_folder(plugged: Desk) -> None:
    plugged.run(CLAUDE, "plugin", "marketplace", "add", ROOT / "plugin")
    plugged.run(CLAUDE, "plugin", "install", "dual@dual-orchestrator")
    assert "dual@dual-orchestrator" in plugged.run(CLAUDE, "plugin", "list")


def test_commands_of_the_plugin_are_answered(plugged: Desk) -> None:
    plugin = ("--plugin-dir", str(ROOT / "plugin"))
    assert plugged.claude(f"/dual:dual-coordinate {TYPED}", *plugin) == "Stored: add a greeting"
    assert "add a greeting" in plugged.claude("/dual:dual-collect --namespace results", *plugin)


def test_after_installing_the_commands_have_bare_names(installed: Desk) -> None:
    installed.runner("install", "claude", "--yes")
    assert installed.claude(f"/dual-coordinate {TYPED}") == "Stored: add a greeting"
    assert "add a greeting" in installed.claude("/dual-collect --namespace results")
    installed.runner("uninstall", "claude", "--yes")
    home = Path(installed.env["CLAUDE_CONFIG_DIR"])
    assert not (home / "commands").exists()
    assert not (home / "settings.json").exists()
    state = json.loads((home / ".claude.json").read_text())
    assert "mcpServers" not in state
    assert state["hasCompletedOnboarding"]


def test_a_design_made_in_the_conversation_is_handed_over_and_reviewed_there(installed: Desk) -> None:
    installed.runner("install", "claude", "--yes")
    programs = {"RUNNER_CLAUDE": str(CLAUDE), "RUNNER_CODEX": str(CODEX), "RUNNER_ROUTER_URL": ""}
    said = installed.claude('/dual-coordinate --task "hand over the greeting"', **programs)
    assert "review: done, accepted" in said
    assert "Dual workflow complete" in said
    assert installed.reached_the_model("Exit code 8"), "the review waited for the conversation"
    assert installed.reached_the_model("taken from shared/design/handed-over, 2 tasks")
    listed = installed.run("git", "branch", "--list", "dual/*/integration", "--format", "%(refname:short)").strip()
    assert installed.run("git", "show", f"{listed}:hello.txt") == "hello\n"


def test_in_a_project_the_commands_have_bare_names_too(installed: Desk) -> None:
    installed.runner("install", "claude", "--scope", "project", "--yes")
    trusting = ("--settings", '{"enableAllProjectMcpServers": true}')
    assert installed.claude(f"/dual-coordinate {TYPED}", *trusting) == "Stored: add a greeting"


def test_the_hook_tells_the_model_where_work_should_go(plugged: Desk) -> None:
    plugin = ("--plugin-dir", str(ROOT / "plugin"), "--strict-mcp-config")
    plugged.claude(ELSEWHERE, *plugin)
    assert not plugged.reached_the_model(HINT)
    with serving(plugged.env) as url:
        plugged.claude("why does the login test fail only in CI?", *plugin, RUNNER_ROUTER_URL=url)
        assert not plugged.reached_the_model(HINT)
        plugged.claude(ELSEWHERE, *plugin, RUNNER_ROUTER_URL=url)
    assert plugged.reached_the_model(HINT)


def test_the_installed_hook_does_the_same(installed: Desk) -> None:
    installed.runner("install", "claude", "--yes")
    with serving(installed.env) as url:
        installed.claude(ELSEWHERE, "--strict-mcp-config", RUNNER_ROUTER_URL=url)
    assert installed.reached_the_model(HINT)


@pytest.mark.parametrize("scope", ["user", "project"])
def test_codex_stores_and_finds_memory_headless(installed: Desk, scope: str) -> None:
    config = Path(installed.env["CODEX_HOME"]) / "config.toml"
    before = config.read_bytes()
    installed.runner("install", "codex", "--scope", scope, "--yes")
    # A model takes longer than a server to start; a script does not.
    waiting = [part for name in ("claude-flow", "ruv-swarm") for part in ("-c", f"mcp_servers.{name}.required=true")]
    told = installed.run(CODEX, "exec", "--json", *waiting, "[[script:both]]")
    assert '\\"value\\": \\"by codex\\"' in told.splitlines()[-2]
    assert installed.reached_the_model("dual-runner"), "the skill is listed"
    installed.runner("uninstall", "codex", "--scope", scope, "--yes")
    assert config.read_bytes() == before
    assert [path.name for path in installed.repo.iterdir()] == [".git"]


def test_codex_takes_the_same_plugin(plugged: Desk) -> None:
    config = Path(plugged.env["CODEX_HOME"]) / "config.toml"
    config.write_text(config.read_text().replace("plugins = false", "plugins = true"))
    plugged.run(CODEX, "plugin", "marketplace", "add", ROOT / "plugin")
    plugged.run(CODEX, "plugin", "add", "dual@dual-orchestrator")
    assert re.search(r"^claude-flow .*\n^ruv-swarm ", plugged.run(CODEX, "mcp", "list"), re.MULTILINE)
    with serving(plugged.env) as url:
        # With plugins it looks for updates of its own at every start; nobody is to be asked.
        alone = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
        plugged.run(CODEX, "exec", "--dangerously-bypass-hook-trust", ELSEWHERE, RUNNER_ROUTER_URL=url, **alone)
    assert plugged.reached_the_model(HINT)
    assert plugged.reached_the_model("dual-runner")
