"""The documentation's example is played, and nothing that may stand in a script is left out."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from runner.provider.journal import Entry
from runner.provider.script import Call, Edit, Failure, Script, Step, Usage, Write

from .conftest import Program

DOCS = (Path(__file__).parents[3] / "docs/provider.md").read_text()


def test_the_example_plays_as_described(program: Callable[[str], Program]) -> None:
    blocks: list[str] = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    talk = program(blocks[0])
    assert talk.ask("Please add a greeting for Ada").text == "I add a greeting for Ada."
    said = [talk.give(result).text for result in ("ok", "ok", "c0ffee Greet Ada")]
    assert said == ["", "", "Done: c0ffee Greet Ada"]
    assert talk.ask("[[script:busy-at-first]]").text == "Too many requests."


@pytest.mark.parametrize("model", [Script, Step, Write, Edit, Call, Failure, Usage])
def test_every_field_of_a_script_is_documented(model: type[BaseModel]) -> None:
    assert [name for name in model.model_fields if f"`{name}`" not in DOCS] == []


def test_every_field_of_the_journal_is_documented() -> None:
    assert [name for name in Entry.__dataclass_fields__ if f"`{name}`" not in DOCS] == []
