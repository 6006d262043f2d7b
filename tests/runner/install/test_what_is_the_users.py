"""Files and settings of the user's own, or that became so, are left alone and named."""

import json
from pathlib import Path

import pytest

from runner.install.record import record_path

from .conftest import Homes, Install


def test_a_file_of_the_users_own_is_never_overwritten_nor_removed(homes: Homes, runner: Install) -> None:
    own = homes.claude / "commands/dual-route.md"
    own.write_text("mine\n")
    shown = runner("install", "claude", "--yes")
    assert shown.code == 0
    assert f"{own}: left alone, a file of this name is there already" in shown.err
    runner("uninstall", "claude", "--yes")
    assert own.read_text() == "mine\n"


def test_a_file_changed_since_is_the_users(homes: Homes, runner: Install) -> None:
    runner("install", "claude", "--yes")
    changed = homes.claude / "agents/codex-worker.md"
    changed.write_text("mine now\n")
    assert "it was changed after it was installed" in runner("install", "claude", "--dry-run").err
    shown = runner("uninstall", "claude", "--yes")
    assert f"{changed}: left alone, it was changed after it was installed" in shown.err
    assert changed.read_text() == "mine now\n"


def test_a_server_of_the_same_name_stays_the_users(homes: Homes, runner: Install) -> None:
    config = homes.codex / "config.toml"
    own = '[mcp_servers.claude-flow]\ncommand = "npx"\n'
    config.write_text(own)
    shown = runner("install", "codex", "--yes")
    assert "mcp_servers.claude-flow left alone, you have one of your own" in shown.err
    assert "ruv-swarm" in config.read_text()
    runner("uninstall", "codex", "--yes")
    assert config.read_text() == own


def test_what_the_program_wrote_meanwhile_stays(homes: Homes, runner: Install) -> None:
    state = homes.claude / ".claude.json"
    before = json.loads(state.read_text())
    runner("install", "claude", "--yes")
    grown = {"numStartups": 4, **json.loads(state.read_text()), "tips": ["\ud83d", "ä"]}
    state.write_text(json.dumps(grown, indent=2))
    assert runner("install", "claude").out == "claude: everything is installed; nothing to change\n"
    runner("uninstall", "claude", "--yes")
    assert json.loads(state.read_text()) == {**before, "tips": ["\ud83d", "ä"]}


def test_comments_written_meanwhile_stay(homes: Homes, runner: Install) -> None:
    config = homes.codex / "config.toml"
    runner("install", "codex", "--yes")
    config.write_text("# written later\n" + config.read_text())
    runner("uninstall", "codex", "--yes")
    assert config.read_text().startswith('# written later\nmodel = "gpt-5.5" # the cheap one\n')
    assert "claude-flow" not in config.read_text()


def test_an_edited_entry_of_ours_is_the_users(homes: Homes, runner: Install) -> None:
    config = homes.codex / "config.toml"
    runner("install", "codex", "--yes")
    config.write_text(config.read_text().replace('args = ["mcp"]', 'args = ["mcp", "--repo", "/x"]', 1))
    runner("uninstall", "codex", "--yes")
    assert "--repo" in config.read_text()
    assert "ruv-swarm" not in config.read_text()


def test_files_removed_by_hand_are_no_trouble(homes: Homes, runner: Install) -> None:
    runner("install", "codex", "--yes")
    (homes.codex / "config.toml").unlink()
    (homes.codex / "skills/dual-router/SKILL.md").unlink()
    assert runner("uninstall", "codex", "--yes").code == 0
    assert list(homes.codex.iterdir()) == []


def test_a_settings_file_that_came_to_hold_more_is_kept(homes: Homes, runner: Install) -> None:
    config = homes.codex / "config.toml"
    config.unlink()
    runner("install", "codex", "--yes")
    config.write_text('model = "x"\n' + config.read_text())
    runner("uninstall", "codex", "--yes")
    assert config.read_text().strip() == 'model = "x"'


def test_a_settings_file_left_with_nothing_is_removed(homes: Homes, runner: Install) -> None:
    config = homes.codex / "config.toml"
    config.unlink()
    runner("install", "codex", "--yes")
    config.write_text("\n" + config.read_text())
    runner("uninstall", "codex", "--yes")
    assert not config.exists()


def test_a_linked_settings_file_stays_a_link(homes: Homes, runner: Install, tmp_path: Path) -> None:
    config, dotfile = homes.codex / "config.toml", tmp_path / "dotfiles.toml"
    config.rename(dotfile)
    config.symlink_to(dotfile)
    before = dotfile.read_bytes()
    runner("install", "codex", "--yes")
    assert config.is_symlink()
    assert b"ruv-swarm" in dotfile.read_bytes()
    runner("uninstall", "codex", "--yes")
    assert (config.is_symlink(), dotfile.read_bytes()) == (True, before)


@pytest.mark.parametrize(
    ("program", "name", "content", "problem"),
    [
        ("claude", ".claude.json", b"{not json", "it can't be read"),
        ("claude", ".claude.json", b"[]", "it holds no JSON object"),
        ("claude", ".claude.json", b'{"mcpServers": []}', "mcpServers.claude-flow leads through something"),
        ("claude", "settings.json", b'{"hooks": {"UserPromptSubmit": {}}}', "hooks.UserPromptSubmit is no list"),
        ("claude", "settings.json", b"\xff\xfe", "it is not UTF-8"),
        ("codex", "config.toml", b"= nothing", "it can't be read"),
    ],
)
def test_a_settings_file_that_makes_no_sense_stops_everything(
    homes: Homes, runner: Install, program: str, name: str, content: bytes, problem: str
) -> None:
    ((homes.claude if program == "claude" else homes.codex) / name).write_bytes(content)
    before = homes.content()
    refused = runner("install", program, "--yes")
    assert refused.code == 2
    assert name in refused.error
    assert problem in refused.error
    assert homes.content() == before


def test_a_settings_file_that_cannot_be_read_stops_everything(homes: Homes, runner: Install) -> None:
    (homes.codex / "config.toml").unlink()
    (homes.codex / "config.toml").mkdir()
    refused = runner("install", "codex", "--yes")
    assert (refused.code, "can't be read" in refused.error) == (5, True)


def test_a_broken_record_is_named(homes: Homes, runner: Install, tmp_path: Path) -> None:
    path = record_path(tmp_path / "home", "codex", homes.codex)
    path.parent.mkdir(parents=True)
    path.write_text("{}x")
    refused = runner("uninstall", "codex")
    assert (refused.code, str(path) in refused.error) == (2, True)
