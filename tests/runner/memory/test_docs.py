"""The examples of `docs/memory.md` are run, and nothing is left out of it."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.memory import entry
from runner.memory.cli import app
from runner.memory.codes import CANDIDATES
from runner.memory.sql.fulltext import NEWEST
from runner.memory.view import RUN_BOUND

DOCS = (Path(__file__).parents[3] / "docs/memory.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The one example of this language."""
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    assert len(found) == 1
    return found[0]


def test_the_commands_print_what_is_written_below_them(cli: Callable[..., Any]) -> None:
    for example in block("console").removeprefix("$ ").split("\n$ "):
        command, _, printed = example.partition("\n")
        program, *args = shlex.split(command)
        assert program == "runner"
        assert cli(*args).stdout.rstrip("\n") == printed.rstrip("\n")


def test_the_python_example_runs(repo: Path, environ: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-c", block("python")], cwd=repo, env=environ, check=True)


@pytest.mark.parametrize("command", [command.name or command.callback.__name__ for command in app.registered_commands])  # type: ignore[union-attr]
def test_every_command_is_documented(command: str) -> None:
    assert f"| `runner memory {command}" in DOCS


def test_names_and_limits_are_the_real_ones() -> None:
    for name in (*entry.Provenance, *RUN_BOUND):
        assert f"`{name}`" in DOCS
    for number in (entry.KEY_LENGTH, entry.NAMESPACE_LENGTH, entry.TAGS, entry.TAG_LENGTH, CANDIDATES, NEWEST):
        assert str(number) in DOCS
