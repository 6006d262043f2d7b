"""What may stand in a script file, and the sentences for what may not."""

from pathlib import Path

import pytest

from runner.provider.errors import ProviderError, ScriptError
from runner.provider.script import Edit, Run, load_scripts, parse_scripts


def test_a_script_file_is_read_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "scripts.yaml"
    path.write_text("b: {steps: [{run: ls}]}\na: {steps: [{edit: {path: x, old: y, new: z}}]}\n")
    scripts = load_scripts(path)
    assert list(scripts) == ["default", "b", "a"]
    assert scripts["b"].steps[0].action == Run(command="ls")
    assert scripts["a"].steps[0].action == Edit(path="x", old="y", new="z")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "a: {steps: [{run: ls, edit: {path: x, old: y, new: z}}]}",
            "a step has one action, this one has run and edit",
        ),
        ("a: {steps: []}", "a.steps: Tuple should have at least 1 item"),
        ("a: {steps: [{shout: x}]}", "a.steps.0.shout: Extra inputs are not permitted"),
        ("a: {task: '(', steps: [{say: x}]}", "a.task: Input should be a valid regular expression"),
        (
            "a: {steps: [{error: {status: 200}}]}",
            "a.steps.0.error.status: Input should be greater than or equal to 400",
        ),
        ("- x", "the file: Input should be a valid dictionary"),
        ("a: [", "isn't YAML (while parsing"),
    ],
)
def test_a_wrong_script_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ScriptError) as refused:
        parse_scripts(text, source="mine.yaml")
    assert str(refused.value).startswith("mine.yaml: ")
    assert sentence in str(refused.value)


def test_a_missing_script_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"none\.yaml: can't be read \(.*No such file"):
        load_scripts(tmp_path / "none.yaml")
