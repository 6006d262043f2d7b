"""The hybrid workflow with the real `claude` and `codex`, which store and find through the shared memory."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pexpect

from runner.provider.server import Provider

from .programs import NEEDED, RUNNER, git

pytestmark = NEEDED
SCRIPTS = r"""
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
"""


def test_claude_designs_codex_implements_and_claude_reviews(
    repo: Path, environ: dict[str, str], provider: Provider
) -> None:
    argv = [*RUNNER, "coordinate", "--task", "Build an address book", "--no-interactive", "--json"]
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
    assert git(repo, "ls-tree", "--name-only", told["branch"]).split() == [
        "a.txt",
        "store.py",
        "test_both.py",
        "view.py",
    ]
    protocols = {request["script"]: request["protocol"] for request in provider.journal()}
    assert (protocols["design"], protocols["coder-1"], protocols["review"]) == ("anthropic", "openai", "anthropic")


def test_a_person_designs_with_the_real_claude_in_the_terminal(repo: Path, environ: dict[str, str]) -> None:
    (repo / "design.yaml").write_text("phases:\n- {phase: design, platform: claude-code, interactive: true}\n")
    arguments = [*RUNNER[1:], "coordinate", "--task", "Build an address book", "--workflow", "./design.yaml"]
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
