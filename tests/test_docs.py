"""The documentation is true: links lead somewhere, commands and settings exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from router.labels import TaskType
from router.settings import Settings
from training.rows import read

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "data").glob("*.md")])
BIN = Path(sys.executable).parent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in re.findall(r"^make (.+?)(?:\s+#.*|\s*&&.*)?$", page.read_text(), re.MULTILINE):
        assert set(line.split()) <= targets | {"N=200"}, f"{page.name}: make {line}"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    pages = (ROOT / "docs" / "router.md").read_text() + "".join(p.read_text() for p in (ROOT / "docs").glob("op*.md"))
    assert f"`ROUTER_{name.upper()}`" in pages


@pytest.mark.parametrize("program", ["router", "runner", "train-router"])
def test_every_command_of_the_readme_exists(program: str) -> None:
    shown = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True).stdout
    readme = (ROOT / "README.md").read_text()
    for command in re.findall(rf"^{program} ([a-z][a-z-]+)", readme, re.MULTILINE):
        assert re.search(rf"^\W*{command}\b", shown, re.MULTILINE), f"{program} {command}"


@pytest.mark.parametrize("top", ["router", "runner"])
def test_every_package_is_described(top: str) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    packages = {path.parent.name for path in (ROOT / top).glob("*/__init__.py")}
    assert packages == {name for name in packages if f"`{name}`" in page}


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 140


def test_the_data_card_counts_what_is_there() -> None:
    card = (ROOT / "data" / "README.md").read_text()
    for path in sorted((ROOT / "data").glob("*.jsonl")):
        rows = read([path])
        assert f"| `{path.name}` | {len(rows):,} |" in card
    for name in TaskType:
        assert f"| {name} |" in card
