"""`.dual.toml` is read, or refused with file and line."""

from pathlib import Path

import pytest

from runner.checkout.project import FILE, Project, read_project
from runner.errors import BadInput


def write(folder: Path, text: str | bytes) -> Path:
    """Write the file of a project."""
    (folder / FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert read_project(tmp_path) == Project()


def test_all_settings_are_read_and_survive_json(tmp_path: Path) -> None:
    project = read_project(write(tmp_path, """
copy = [".env", "config/*.local.yaml"]
setup = "npm ci"
setup_timeout_s = 60
check = ["npm test", "npm run lint"]
check_timeout_s = 120.5
workers = 3
timeout_s = 900
max_cost_usd = 1.5
"""))  # fmt: skip
    assert project.copy_ == (".env", "config/*.local.yaml")
    assert (project.setup, project.setup_timeout_s) == ("npm ci", 60)
    assert (project.check, project.check_timeout_s) == (("npm test", "npm run lint"), 120.5)
    assert (project.workers, project.timeout_s, project.max_cost_usd) == (3, 900, 1.5)
    assert Project.model_validate_json(project.model_dump_json()) == project


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# a\nsetup = ", ":2: invalid value"),
        ("copy = [", ":1: "),
        ("setup = 'x'\nsetup = 'y'", ":2: cannot overwrite a value"),
        ("\ncpoy = []", ":2: there is no setting 'cpoy'; did you mean 'copy'?"),
        ("zzz = 1", ":1: there is no setting 'zzz'; there are copy, setup, "),
        ("copy = ['../secret']", ":1: copy: '../secret' names nothing inside the repository"),
        ("copy = ['/']", ":1: copy: '/' names nothing"),
        ("# x\n  check = [' ']", ":2: check: the command is blank"),
        ("setup = ['npm', 'ci']", ":1: setup: ['npm', 'ci']: Input should be a valid string"),
        ("[setup]\na = 1", ":1: setup: "),
        ("timeout_s = 5\nworkers = 0", ":2: workers: 0: Input should be greater than or equal to 1"),
        (b"setup = '\xff'", ": not UTF-8"),
    ],
)
def test_what_cannot_be_is_refused_with_file_and_line(tmp_path: Path, text: str | bytes, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_project(write(tmp_path, text))
    assert str(refused.value).startswith(f"{tmp_path / FILE}{told}")


def test_every_problem_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        read_project(write(tmp_path, "workers = 0\ntimeout_s = -1"))
    assert str(refused.value).count("\n") == 1


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(BadInput, match="can't be read"):
        read_project(tmp_path)
