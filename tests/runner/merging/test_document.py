"""The examples of `docs/merging.md` are true."""

import re
from pathlib import Path

import pytest

from router.labels import Platform
from runner.checkout.project import FILE, Project, read_project
from runner.cli import app
from runner.tasks.tasks import read_wanted

TEXT = (Path(__file__).parents[3] / "docs/merging.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    """The example in this language."""
    (found,) = re.findall(rf"<!-- a test reads this example -->\n```{language}\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


def test_the_settings_of_a_project_are_all_shown(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(example("toml"))
    project = read_project(tmp_path)
    assert set(project.model_dump(exclude_unset=True)) == {
        field.alias or name for name, field in Project.model_fields.items()
    }
    assert (project.copy_[0], project.check, project.max_cost_usd) == (".env", ("npm test",), 2.5)


@pytest.mark.parametrize("name", ["setup_timeout_s", "check_timeout_s"])
def test_limits_are_shown_as_they_are(tmp_path: Path, name: str) -> None:
    (tmp_path / FILE).write_text(example("toml"))
    assert getattr(read_project(tmp_path), name) == getattr(Project(), name)


def test_tasks_in_json_lines(tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text(example("jsonl"))
    parser, tests = read_wanted((), tmp_path / "tasks.jsonl")
    assert (parser.name, parser.platform, tests.after) == ("parser", Platform.CODEX, (0,))


def test_tasks_in_a_checklist(tmp_path: Path) -> None:
    (tmp_path / "tasks.md").write_text(example("markdown"))
    parser, _, tests, explain = read_wanted((), tmp_path / "tasks.md")
    assert parser.task == "Write the parser\nIt reads what `docs/format.md` describes."
    assert (parser.after, tests.after, explain.platform) == ((), (0, 1), Platform.CLAUDE_CODE)


def test_every_command_exists() -> None:
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert set(re.findall(r"runner ([a-z]+)", TEXT)) <= known
