"""The documents name everything there is."""

from pathlib import Path

import pytest

from runner import errors
from runner.cli import EXECUTE_OPTIONS, app
from runner.runs.state import State
from runner.settings import Settings

TEXT = (Path(__file__).parents[2] / "docs/runner.md").read_text(encoding="utf-8")
CODES = {error.exit_code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "exit_code")}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`RUNNER_{name.upper()}`" in TEXT


@pytest.mark.parametrize("code", sorted(CODES | {errors.WAITING_FOR_A_PERSON, errors.INTERRUPTED, 0}))
def test_every_exit_code_is_documented(code: int) -> None:
    assert f"\n| {code} | " in TEXT


@pytest.mark.parametrize("option", [option for option in EXECUTE_OPTIONS if option != "--help"])
def test_every_option_of_execute_is_documented(option: str) -> None:
    assert f"`{option}" in TEXT


@pytest.mark.parametrize("state", State)
def test_every_status_is_documented(state: State) -> None:
    assert f"`{state}`" in TEXT


def test_every_command_is_documented() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"`runner {command.name or command.callback.__name__}" in TEXT
