"""The hybrid workflow with the real `claude` and `codex`, which store and find through the shared memory."""

import json
import os
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from runner.provider.script import parse_scripts
from runner.provider.server import Provider, running

INSTALLED = Path(sysconfig.get_path("purelib"))
CLAUDE = INSTALLED / "claude_agent_sdk/_bundled/claude"
CODEX = INSTALLED / "codex_cli_bin/bin/codex"
ARGV = [sys.executable, "-c", "from runner.cli import entry; entry()"]
pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not (CLAUDE.exists() and CODEX.exists()), reason="the extra `agents` isn't installed"),
]
SCRIPTS = parse_scripts(r"""
design:
  task: '\A\s*Design, before'
  steps:
    - say: I store the design.
      call:
        server: dual-memory
        tool: memory_store
        arguments:
          key: design/build-an-address-book
          namespace: shared
          value: "Two modules.\n\nTasks:\n- Implement the store\n- Implement the view\n- Write tests for both"
    - say: The design is stored.
coder-1:
  task: '\Acoder-1: Implement the store'
  steps:
    - write: {path: store.py, content: "STORE = {}\n"}
    - run: git add -A && git commit -qm "Add the store"
    - call:
        server: dual-memory
        tool: memory_store
        arguments: {key: result-coder-1, value: the store is in store.py, namespace: results, upsert: true}
    - say: Done.
coder-2:
  task: '\Acoder-2: Implement the view'
  steps:
    - write: {path: view.py, content: "VIEW = {}\n"}
    - call: {server: dual-memory, tool: memory_search, arguments: {query: address book design, namespace: shared}}
    - say: "The view is in view.py. Found: {{result}}"
tester:
  task: '\Atester: Write tests'
  steps:
    - write: {path: test_both.py, content: "import store, view\n"}
    - say: The tests are in test_both.py.
review:
  task: '\A\s*Review the work'
  steps:
    - run: git log --oneline -5
    - say: "All parts are there.\n\nVerdict: accept"
""")


@pytest.fixture
def repo(scratch: Path) -> Path:
    """A repository with one commit; not under /tmp, which Codex's sandbox leaves open to all."""
    project = scratch / "project"
    subprocess.run(["git", "init", "-q", "-b", "main", project], check=True)
    identity = ("-c", "user.name=dev", "-c", "user.email=dev@localhost")
    subprocess.run(["git", "-C", project, *identity, "commit", "-q", "--allow-empty", "-m", "Start"], check=True)
    return project


@pytest.fixture
def provider(repo: Path, tmp_path: Path) -> Iterator[Provider]:
    """A scripted model that both programs use."""
    with running(SCRIPTS, tmp_path / "agents", repos=[repo]) as served:
        yield served


@pytest.fixture
def environ(provider: Provider, tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has both programs, and a router without a model."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
        **provider.env,
        "RUNNER_CLAUDE": str(CLAUDE),
        "RUNNER_CODEX": str(CODEX),
        "RUNNER_HOME": str(tmp_path / "runner-home"),
        "ROUTER_MODELS_DIR": str(tmp_path / "no-models"),
        "ROUTER_DATABASE_URL": f"sqlite:///{tmp_path / 'router.db'}",
    }


def test_claude_designs_codex_implements_and_claude_reviews(
    repo: Path, environ: dict[str, str], provider: Provider
) -> None:
    argv = [*ARGV, "coordinate", "--task", "Build an address book", "--no-interactive", "--json"]
    done = subprocess.run(argv, cwd=repo, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    told: dict[str, Any] = json.loads(done.stdout)
    assert (told["stand"], told["verdict"]) == ("done", "accept")
    assert "design in shared/design/build-an-address-book, 3 tasks" in told["phases"]["design"]["reason"]
    results = {one["key"]: one for one in told["results"]}
    own = results["result-coder-1"]
    assert (own["value"], own["author"]) == ("the store is in store.py", "coder-1")
    assert "design/build-an-address-book" in results["result-coder-2"]["value"]["message"]
    assert results["result-tester"]["value"]["status"] == "succeeded"
    listed = subprocess.run(
        ["git", "-C", repo, "ls-tree", "--name-only", told["branch"]], check=True, capture_output=True, text=True
    )
    assert listed.stdout.split() == ["store.py", "test_both.py", "view.py"]
    protocols = {request["script"]: request["protocol"] for request in provider.journal()}
    assert (protocols["design"], protocols["coder-1"], protocols["review"]) == ("anthropic", "openai", "anthropic")


def test_a_person_designs_with_the_real_claude_in_the_terminal(repo: Path, environ: dict[str, str]) -> None:
    (repo / "design.yaml").write_text("phases:\n- {phase: design, platform: claude-code, interactive: true}\n")
    arguments = [*ARGV[1:], "coordinate", "--task", "Build an address book", "--workflow", "./design.yaml"]
    screen = pexpect.spawn(
        sys.executable, arguments, cwd=str(repo), env={**environ, "TERM": "xterm-256color"}, encoding="utf-8",
        timeout=90, dimensions=(40, 120),
    )  # fmt: skip
    try:
        screen.expect("design.*is.*stored")
        screen.send("/exit")
        screen.expect("exit")
        threading.Event().wait(0.7)  # the screen takes keys that follow at once for pasted text
        screen.send("\r")
        screen.expect("design in shared/design/build-an-address-book, 3 tasks")
        screen.expect("Dual workflow complete")
        screen.expect(pexpect.EOF)
    finally:
        screen.close(force=True)
    assert screen.exitstatus == 0
