"""`docs/seed.md` is true: what it names exists; and the seed's spawn commands, in our words, do what it meant."""

import ast
import json
import re
import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from runner.agent_files.agent_file import USES
from runner.agent_files.agent_hooks import INTERACTIVE_WORDS, Surroundings
from runner.cli import app

RunCli = Callable[..., Any]
ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/seed.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| it says", "| ---"))]
TESTS = sorted(set(re.findall(r"`(tests/[\w/.]+(?:::\w+)?)`", TEXT)))
FILES = sorted(set(re.findall(r"`((?:router|runner|docs|plugin)/[\w/.-]+\.\w+)`", TEXT)))
COMMANDS = sorted(set(re.findall(r"`(runner [^`]+)`", TEXT)))
SECTIONS = [
    *("Front matter", "Platform model", "Routing rules", "Hybrid workflows", "Example and spawn commands"),
    *("MCP tools", "Best practices", "Quick commands"),
]
THREE = ["Implement GET /users endpoint", "Implement POST /users endpoint", "Write integration tests"]


@cache
def functions(path: Path) -> frozenset[str]:
    """The names of the functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("named", TESTS)
def test_every_test_that_is_named_exists(named: str) -> None:
    path, _, function = named.partition("::")
    assert (ROOT / path).is_file()
    assert not function or function in functions(ROOT / path)


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_every_row_names_a_test(row: str) -> None:
    assert "`tests/" in row.rstrip("| ").rpartition(" | ")[2]


@pytest.mark.parametrize("path", FILES)
def test_every_file_that_is_named_exists(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_exists_with_its_options(command: str) -> None:
    words = [word for word in shlex.split(command)[1:] if word != "…"]
    found: Any = get_command(app)
    while words and hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    known = {option for parameter in getattr(found, "params", ()) for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_the_seed_is_there(section: str) -> None:
    assert f"## {section}\n" in TEXT


def test_what_agent_files_may_say_is_documented() -> None:
    around = Surroundings("", "", "", "", Path())
    for word in (*USES, *(around.variables().keys() - {"RUNNER_HOME", "DUAL_PYTHON"})):
        assert f"`{word}`" in TEXT
    assert all(word in TEXT for word in INTERACTIVE_WORDS)


def test_its_three_commands_in_the_background_are_one(cli: RunCli, git: Callable[..., str], repo: Path) -> None:
    done = cli("execute", "--platform", "codex", "--yes", "--json", *THREE)
    assert done.returncode == 0, done.stderr
    tasks = json.loads(done.stdout)["tasks"]
    assert [(task["task"], task["status"]) for task in tasks] == [(task, "succeeded") for task in THREE]
    assert len({task["branch"] for task in tasks}) == 3


def test_its_session_names_are_names_of_tasks(cli: RunCli, tmp_path: Path) -> None:
    names = {"impl-1": "Implement user service", "impl-2": "Implement user controller", "test-1": "Write user tests"}
    lines = [json.dumps({"name": name, "task": task, "platform": "codex"}) for name, task in names.items()]
    (tmp_path / "tasks.jsonl").write_text("\n".join(lines))
    done = cli("execute", "--tasks-file", str(tmp_path / "tasks.jsonl"), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    workers = [task["worker"] for task in json.loads(done.stdout)["tasks"]]
    assert [worker.partition("-")[2] for worker in workers] == list(names)
