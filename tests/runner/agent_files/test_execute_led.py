"""`runner execute --agent FILE` and `--workflow NAME`, as a user calls them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunCli = Callable[..., Any]
SEED = Path(__file__).parent / "samples" / "dual-orchestrator.md"
OWN = "phases:\n- {phase: build, workers: [{type: coder, task: 'Do {{task}}'}]}\n"


@pytest.fixture
def own(tmp_path: Path) -> str:
    """A workflow with one worker."""
    (tmp_path / "own.yaml").write_text(OWN)
    return str(tmp_path / "own.yaml")


def test_the_seeds_agent_file_is_obeyed(cli: RunCli) -> None:
    done = cli("execute", "--agent", str(SEED), "--yes", "--json", "write tests for the parser")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if "dual-orchestrator:" in line]
    assert lines[:3] == [
        "runner: dual-orchestrator: 🔀 Dual Orchestrator analyzing task routing",
        "runner: dual-orchestrator: → Routing to Codex (headless parallel)",
        "runner: dual-orchestrator: ✨ Dual workflow complete",
    ]
    (task,) = json.loads(done.stdout)["tasks"]
    assert (task["platform"], task["status"]) == ("codex", "succeeded")


def test_what_stands_below_the_front_matter_is_told_after_the_task(cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "agent.md").write_text("---\nname: polite\n---\n\nGreet first.\n")
    done = cli("execute", "--agent", str(tmp_path / "agent.md"), "--json", "--platform", "codex", "write the parser")
    assert done.returncode == 0, done.stderr
    (task,) = json.loads(done.stdout)["tasks"]
    assert task["task"] == "write the parser"
    (prompt,) = tmp_path.glob("home/repositories/*/runs/*/1-*/prompt.txt")
    led = "You work under the agent file polite, on this one task. What it says of all its tasks:\n\nGreet first."
    assert prompt.read_text() == f"write the parser\n\n{led}"


def test_hooks_of_a_file_run_only_with_consent(cli: RunCli) -> None:
    refused = cli("execute", "--agent", str(SEED), "write tests for the parser")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "nobody is here to agree to its hooks; read them, then say --yes" in refused.stderr
    assert "if routed interactive; then" in refused.stderr
    planned = cli("execute", "--agent", str(SEED), "--dry-run", "write tests for the parser")
    assert planned.returncode == 0
    assert "analyzing" not in planned.stderr


def test_a_first_hook_that_fails_starts_nothing(cli: RunCli, tmp_path: Path) -> None:
    path = tmp_path / "agent.md"
    path.write_text("---\nname: strict\nhooks:\n  pre: |\n    echo not today\n    exit 1\n---\n")
    done = cli("execute", "--agent", str(path), "--yes", "write tests for the parser")
    assert (done.returncode, done.stdout) == (2, "")
    assert "strict: " in done.stderr
    assert "ended with code 1" in done.stderr
    path.write_text("---\nname: strict\nhooks: {post: exit 1}\n---\n")
    done = cli("execute", "--agent", str(path), "--yes", "write tests for the parser")
    assert done.returncode == 0
    assert "ended with code 1" in done.stderr


def test_tasks_are_carried_out_by_a_workflow_one_after_the_other(cli: RunCli, own: str) -> None:
    done = cli("execute", "--workflow", own, "--yes", "--json", "first", "second")
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)["runs"]
    assert [(run["task"], run["stand"]) for run in runs] == [("first", "done"), ("second", "done")]
    told = cli("execute", "--workflow", own, "--yes", "third")
    assert "build: done, 1 of 1 succeeded" in told.stdout
    assert "✨ Dual workflow complete" in told.stdout


def test_what_a_workflow_would_do_is_shown(cli: RunCli, own: str) -> None:
    told = cli("execute", "--workflow", own, "--dry-run", "first")
    assert (told.returncode, told.stdout) == (0, "own: first\n  build: work, codex, headless\n")
    planned = json.loads(cli("execute", "--workflow", own, "--dry-run", "--json", "first").stdout)
    assert (planned["tasks"], planned["workflow"]["name"]) == (["first"], "own")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--agent", str(SEED), "--yes"), "--agent and --workflow"),
        (("--tasks-file", "{tasks}"), "leave their `after` and `platform` out"),
    ],
)
def test_what_does_not_go_together_is_refused(
    cli: RunCli, own: str, tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    (tmp_path / "tasks.jsonl").write_text('{"task": "a", "name": "a"}\n{"task": "b", "after": ["a"]}\n')
    given = [one.format(tasks=tmp_path / "tasks.jsonl") for one in args]
    done = cli("execute", "--workflow", own, *given, "first")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
