"""`docs/training.md` names every option, score and exit code."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from training import errors
from training.cli import app
from training.tables import SCORES

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text()
COMMAND = get_command(app)
OPTIONS = sorted({name for option in COMMAND.params for name in option.opts if name != "--help"})
CODES = sorted({one.exit_code for one in vars(errors).values() if isinstance(one, type) and hasattr(one, "exit_code")})


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_described(option: str) -> None:
    assert f"`{option}" in PAGE


@pytest.mark.parametrize("name", SCORES)
def test_every_score_is_defined(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("code", CODES)
def test_every_exit_code_is_listed(code: int) -> None:
    assert re.search(rf"(?:^|· ){code} ", PAGE[PAGE.index("## Exit codes") :], re.MULTILINE)
