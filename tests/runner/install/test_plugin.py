"""The plugin's files are what the programs take, and say what is there."""

import json
import re
from pathlib import Path

import pytest
import yaml

from runner.install.layout import CODEX_ENVIRONMENT

ROOT = Path(__file__).parents[3]
PLUGIN = ROOT / "plugin"
PROSE = sorted(PLUGIN.rglob("*.md"))


def front_matter(path: Path) -> dict[str, str]:
    matter: dict[str, str] = yaml.safe_load(path.read_text().split("---\n")[1])
    return matter


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.stem)
def test_every_command_agent_and_skill_says_what_it_is_for(path: Path) -> None:
    matter = front_matter(path)
    assert 20 < len(matter["description"]) < 300
    if "agents" in path.parts:
        assert matter["name"] == path.stem
    if "skills" in path.parts:
        assert matter["name"] == path.parent.name


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.stem)
def test_every_tool_that_is_named_exists(path: Path) -> None:
    from runner.mcp.server import TOOLS

    named = set(re.findall(r"`((?:memory|swarm|agent|task|hooks|run)_[a-z]+)\b", path.read_text()))
    assert named <= set(TOOLS)


def test_the_seeds_agents_and_commands_are_there() -> None:
    assert {path.stem for path in (PLUGIN / "agents").iterdir()} == {
        "dual-orchestrator", "codex-coordinator", "codex-worker",
    }  # fmt: skip
    assert {path.stem for path in (PLUGIN / "commands").iterdir()} == {"dual-coordinate", "dual-collect", "dual-route"}


def test_both_marketplaces_lead_to_the_plugin() -> None:
    for folder in (ROOT, PLUGIN):
        market = json.loads((folder / ".claude-plugin/marketplace.json").read_text())
        (plugin,) = market["plugins"]
        assert (folder / plugin["source"]).resolve() == PLUGIN
        assert plugin["name"] == json.loads((PLUGIN / ".claude-plugin/plugin.json").read_text())["name"] == "dual"


def test_the_server_is_known_by_the_names_that_were_called_before() -> None:
    servers = json.loads((PLUGIN / ".mcp.json").read_text())["mcpServers"]
    assert list(servers) == ["claude-flow", "ruv-swarm"]
    assert {server["command"] for server in servers.values()} == {"runner"}
    assert all(server["env_vars"] == list(CODEX_ENVIRONMENT) for server in servers.values())
    # Claude Code starts only one of two servers of a plugin that have the same command line.
    assert servers["claude-flow"]["args"] != servers["ruv-swarm"]["args"]
