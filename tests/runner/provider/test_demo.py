"""The built-in scripts: which task plays which, and that what they write works."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from runner.provider.app import create_app
from runner.provider.script import BUILT_IN, load_scripts, parse_scripts

from .conftest import ClaudeLike


def _git(*arguments: str, cwd: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout


def _played(task: str, checkout: Path) -> tuple[list[str], str]:
    """Play a task in `checkout` as a program would; return what its commands printed and what was said last."""
    scripts = parse_scripts(re.sub(r"delay_s: [\d.]+", "", BUILT_IN.read_text()))
    talk, printed = ClaudeLike(TestClient(create_app(scripts))), list[str]()
    answer = talk.ask(task)
    while answer.calls:
        [(name, given)] = answer.calls
        if name == "Bash":
            command = ["bash", "-c", given["command"]]
            done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
            printed.append(done.stdout + done.stderr)
        else:
            path = checkout / Path(given["file_path"]).relative_to("/home/dev/shop")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(given["content"])
        answer = talk.give(printed[-1] if printed else "ok")
    return printed, answer.text


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "greeter.py").write_text('def greet():\n    """Greet."""\n')
    _git("init", "-q", cwd=tmp_path)
    _git("config", "user.name", "dev", cwd=tmp_path)
    _git("config", "user.email", "dev@localhost", cwd=tmp_path)
    _git("add", "-A", cwd=tmp_path)
    _git("commit", "-qm", "Start", cwd=tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("task", "made", "seen"),
    [
        ("write tests for the greeter module", "tests/test_greeter.py", "Ran 2 tests"),
        ("Add unit tests for `checkout`", "tests/test_checkout.py", "OK (skipped=2)"),
        ("add tests for shop/cart/prices.py", "tests/test_prices.py", "OK (skipped=2)"),
        ("Write tests", "tests/test_project.py", "OK (skipped=2)"),
        ("add a --version flag to the command line", "version_flag.py", "version_flag "),
        ("Document the greeter module", "docs/greeter.md", "greeter.py"),
        ("Write documentation", "docs/project.md", "greeter.py"),
        ("Implement POST /users endpoint", "src/users.py", "the example holds"),
        ("Build it", "src/it.py", "the example holds"),
    ],
)
def test_a_task_in_plain_words_is_done_and_committed(task: str, made: str, seen: str, checkout: Path) -> None:
    printed, said = _played(task, checkout)
    assert seen in "".join(printed)
    assert Path(made).stem in said
    assert made in _git("show", "--stat", "--format=", cwd=checkout)
    assert not _git("status", "--short", cwd=checkout)


def test_two_tasks_at_the_same_time_overlap_because_each_step_takes_a_while() -> None:
    scripts = [script for name, script in load_scripts().items() if name != "default"]
    assert all(sum(step.delay_s for step in script.steps) >= 0.8 for script in scripts)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("Review the branches", "I looked at these changes"),
        ("Design a REST API", "Design:"),
        ("What time is it?", "Nothing more is scripted"),
    ],
)
def test_a_task_for_thinking_is_answered_without_a_file(task: str, said: str, checkout: Path) -> None:
    assert said in _played(task, checkout)[1]
    assert not _git("status", "--short", cwd=checkout)


def test_written_python_is_formatted_as_this_project_is(checkout: Path) -> None:
    for task in ("write tests for the greeter module", "add a --version flag", "implement users"):
        _played(task, checkout)
    command = [sys.executable, "-m", "ruff", "format", "--check", "--isolated", "--line-length=110", str(checkout)]
    subprocess.run(command, check=True, capture_output=True)
