"""The documentation of the plugin is true."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Homes

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs/plugin.md").read_text()
RUN = re.findall(r"<!-- a test runs th.*?-->\n```sh\n(.*?)```", DOCS, re.DOTALL)


def test_the_lines_that_are_shown_work(homes: Homes, environ: dict[str, str], tmp_path: Path) -> None:
    before = homes.content()
    (tmp_path / "plugin").symlink_to(ROOT / "plugin")
    own = {"CLAUDE_CONFIG_DIR": str(homes.claude), "CODEX_HOME": str(homes.codex), "DUAL_NO_HINTS": "1"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for lines in RUN:
        subprocess.run(
            ["bash", "-euc", lines], cwd=tmp_path, env=environ | own | {"PATH": path}, check=True, capture_output=True
        )
    assert homes.content() == before


@pytest.mark.parametrize("command", sorted((ROOT / "plugin/commands").glob("*.md")), ids=lambda path: path.stem)
def test_every_command_is_shown(command: Path) -> None:
    assert f"\n| `/{command.stem} " in DOCS


@pytest.mark.parametrize("kind", ["agents/*.md", "skills/*"])
def test_every_agent_and_skill_is_named(kind: str) -> None:
    assert [path.stem for path in (ROOT / "plugin").glob(kind) if path.stem not in DOCS] == []


def test_the_commands_to_add_the_plugin_name_its_marketplace() -> None:
    market = json.loads((ROOT / "plugin/.claude-plugin/marketplace.json").read_text())
    assert DOCS.count(f"dual@{market['name']}") == 2


def test_what_the_hook_promises_is_in_the_hook() -> None:
    script = (ROOT / "plugin/hooks/suggest-route.sh").read_text()
    for promise, code in {"8,000 bytes": "head -c 8000", "0.3 s": "DUAL_HINT_WAIT_S:-0.3", "80 %": "0.[89]*)"}.items():
        assert promise in DOCS
        assert code in script
