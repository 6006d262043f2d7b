"""`docs/workflows.md` is true: its examples are carried out, its commands and keys exist."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from runner.cli import app
from runner.runs.run import Run
from runner.workflows.catalog import BUILT_IN
from runner.workflows.forms import PhaseForm, PhasesFile
from runner.workflows.roles import ROLES
from runner.workflows.state import RunState, Stand
from runner.workflows.variables import FACTS

Carry = Callable[..., tuple[Run, RunState]]
TEXT = (Path(__file__).parents[3] / "docs/workflows.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"<!-- a test carries this example out -->\n```yaml\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_is_carried_out(example: str, carry: Carry) -> None:
    _, state = carry(workflow=example)
    assert state.stand is Stand.DONE, state.reason


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_exists_with_its_options(command: str) -> None:
    words = shlex.split(command)[1:]
    found: Any = get_command(app)
    while words and hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize(
    "word",
    [
        *(*PhaseForm.model_fields, *sorted(PhasesFile.model_fields.keys() - {"phases"}), *ROLES),
        *(f"{{{{{name}}}}}" for name in FACTS),
        *(path.stem for path in BUILT_IN.glob("*.yaml")),
    ],
)
def test_every_key_role_variable_and_workflow_is_documented(word: str) -> None:
    assert f"`{word}`" in TEXT


def test_there_are_examples_of_every_spelling() -> None:
    assert [example.count("phases:") for example in EXAMPLES] == [1, 0, 0]
