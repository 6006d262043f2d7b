"""Workflows carried out by the scripted agent in real repositories."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from runner.checkout.repository import Repository
from runner.memory.opening import open_memory
from runner.runs.archive import Archive
from runner.runs.run import Run
from runner.settings import Settings
from runner.terminal.progress import PlainProgress
from runner.workflows.start import coordinate
from runner.workflows.state import Ledger, RunState
from runner.workflows.wish import Wish

Cast = Callable[..., None]
Carry = Callable[..., tuple[Run, RunState]]
DESIGN = """Here is the design.

Tasks:
- Implement the store in store.txt
- Implement the view in view.txt
- Write tests for both
"""
RUNNER = [sys.executable, "-c", "from runner.cli import entry; entry()"]
CLAUDE = f"""#!{sys.executable}
import json, pathlib, os, subprocess, sys
prompt = sys.argv[-1]
print("CLAUDE GOT" + prompt.splitlines()[0], "IN", os.getcwd(), flush=True)
if "store" in os.environ.get("CLAUDE_TEST", "") and prompt.startswith(" Design"):
    value = "Tasks:\\n- the store\\n- the view"
    subprocess.run({RUNNER!r} + ["memory", "store", "design/build-it", value, "-n", "shared"], check=True)
elif prompt.startswith(" Design"):
    session = sys.argv[sys.argv.index("--session-id") + 1]
    folder = pathlib.Path(os.environ["CLAUDE_CONFIG_DIR"]) / "projects/here"
    folder.mkdir(parents=True, exist_ok=True)
    text = {{"type": "text", "text": "Tasks:\\n- from the transcript"}}
    said = {{"type": "assistant", "message": {{"content": [text]}}}}
    (folder / (session + ".jsonl")).write_text(json.dumps(said) + "\\n")
else:
    pathlib.Path("fixed.txt").write_text("fixed")
sys.stdin.readline()
"""
"""A small program in the place of claude: stores a design, or says one, or corrects the work; ends with a line."""
Scripts = dict[str, list[dict[str, Any]]]
PARTS: Scripts = {
    "^Design": [{"say": DESIGN}],
    "^coder-1": [{"write": ["store.txt", "store\n"]}, {"say": "The store is there."}],
    "^coder-2": [{"write": ["view.txt", "view\n"]}, {"say": "The view is there."}],
    "^tester": [{"write": ["tests.txt", "tests\n"]}, {"say": "Both are tested."}],
    "^Review": [{"say": "All is well.\nVerdict: accept"}],
}


@pytest.fixture
def cast(tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Cast:
    """Says what the scripted agent plays: steps by a regular expression found in the prompt."""
    path = tmp_path / "scripts.json"
    environ |= {"RUNNER_SCRIPTS": str(path), "RUNNER_PASS_ENV": "COVERAGE_*,RUNNER_SCRIPTS"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def write(scripts: Scripts | None = None) -> None:
        """What is given comes before the usual parts."""
        path.write_text(
            json.dumps((scripts or {}) | {key: part for key, part in PARTS.items() if key not in (scripts or {})}),
            encoding="utf-8",
        )

    write()
    return write


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with which the scripted agent does everything that is headless."""
    return Settings(
        home=tmp_path / "home", headless="scripted", grace_s=0.5, pass_env="COVERAGE_*,RUNNER_SCRIPTS", workers=3
    )


@pytest.fixture
def carry(cast: Cast, repo: Path, settings: Settings, tmp_path: Path) -> Carry:
    """Carries a workflow out, without a person: a built-in one by name, or the text of a file."""

    def run(workflow: str = "hybrid_development", task: str = "Build the thing", **wish: Any) -> tuple[Run, RunState]:
        if "\n" in workflow:
            (tmp_path / "own.yaml").write_text(workflow, encoding="utf-8")
            workflow = str(tmp_path / "own.yaml")
        given = Wish(workflow, task, wish.pop("variables", {}), **{"interactive": False, **wish})
        return coordinate(given, settings, repo, PlainProgress())

    return run


@pytest.fixture
def recall(repo: Path, settings: Settings) -> Callable[[str, str, str], Any]:
    """Reads the memory as a run sees it: `recall(run, namespace, key)`."""

    def read(run: str, namespace: str, key: str) -> Any:
        memory = open_memory(settings, repo, run=run)
        try:
            return memory.get(key, namespace).value
        finally:
            memory.close()

    return read


@pytest.fixture
def ledger(repository: Repository, settings: Settings) -> Callable[[str], RunState]:
    """Reads how far a run has come."""
    archive = Archive.of(repository, settings.data_folder())
    return lambda run_id: Ledger.find(archive, run_id).read()


@pytest.fixture
def run_in_terminal(repo: Path, environ: dict[str, str], cast: Cast, tmp_path: Path) -> Any:
    """Runs `runner coordinate` or another command in a terminal, a small program in the place of claude."""
    claude = tmp_path / "claude"
    claude.write_text(CLAUDE)
    claude.chmod(0o755)
    opened = []

    def run(*args: str, **env: str) -> "pexpect.spawn[str]":
        known = {**environ, "RUNNER_CLAUDE": str(claude), "CLAUDE_CONFIG_DIR": str(tmp_path / "claude-home")}
        known |= {"TERM": "xterm", **env}
        argv = [*RUNNER[1:], *args]
        opened.append(
            pexpect.spawn(RUNNER[0], argv, cwd=str(repo), env=known, encoding="utf-8", timeout=60, dimensions=(50, 200))
        )
        return opened[-1]

    yield run
    for terminal in opened:
        terminal.close(force=True)
