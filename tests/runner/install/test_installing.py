"""What is installed is what is taken away again, and nothing of the user's is lost."""

import json
import sys
import tomllib
from pathlib import Path

import pexpect
import pytest

from .conftest import Homes, Install

BOTH = pytest.mark.parametrize("program", ["claude", "codex"])
SCOPES = pytest.mark.parametrize("scope", ["user", "project"])


@BOTH
@SCOPES
def test_after_uninstalling_everything_is_as_it_was(homes: Homes, runner: Install, program: str, scope: str) -> None:
    before = homes.content()
    assert runner("install", program, "--scope", scope, "--yes").code == 0
    assert homes.content() != before
    assert runner("uninstall", program, "--scope", scope, "--yes").code == 0
    assert homes.content() == before


@BOTH
def test_a_home_that_did_not_exist_is_gone_again(
    homes: Homes, runner: Install, program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = tmp_path / "new" / "home"
    monkeypatch.setenv("CLAUDE_CONFIG_DIR" if program == "claude" else "CODEX_HOME", str(fresh))
    runner("install", program, "--yes")
    assert (fresh / "skills/dual-runner/SKILL.md").is_file()
    runner("uninstall", program, "--yes")
    assert not fresh.parent.exists()


@BOTH
def test_a_second_time_changes_nothing(homes: Homes, runner: Install, program: str) -> None:
    before = homes.content()
    runner("install", program, "--yes")
    installed = homes.content()
    again = runner("install", program)
    assert (again.code, again.out) == (0, f"{program}: everything is installed; nothing to change\n")
    assert homes.content() == installed
    runner("uninstall", program, "--yes")
    again = runner("uninstall", program)
    assert (again.code, again.out) == (0, f"{program}: nothing of ours is installed; nothing to change\n")
    assert homes.content() == before


def test_claude_gets_bare_commands_agents_skills_a_hook_and_the_server(homes: Homes, runner: Install) -> None:
    runner("install", "claude", "--yes")
    assert {path.name for path in (homes.claude / "commands").iterdir()} == {
        "own.md", "dual-coordinate.md", "dual-collect.md", "dual-route.md",
    }  # fmt: skip
    assert (homes.claude / "agents/dual-orchestrator.md").is_file()
    settings = json.loads((homes.claude / "settings.json").read_text())
    (hook,) = settings["hooks"]["UserPromptSubmit"]
    assert hook["hooks"][0]["command"] == f"sh {homes.claude}/hooks/suggest-route.sh"
    assert (homes.claude / "hooks/suggest-route.sh").is_file()
    assert settings["hooks"]["Stop"], "the user's own hook stays"
    servers = json.loads((homes.claude / ".claude.json").read_text())["mcpServers"]
    assert set(servers) == {"mine", "claude-flow", "ruv-swarm"}
    assert servers["claude-flow"] == {
        "type": "stdio", "command": str(Path(sys.executable).with_name("runner")), "args": ["mcp"], "env": {},
    }  # fmt: skip
    assert (homes.claude / ".claude.json").stat().st_mode & 0o777 == 0o600


def test_codex_may_call_our_tools_headless_and_comments_stay(homes: Homes, runner: Install) -> None:
    runner("install", "codex", "--yes")
    text = (homes.codex / "config.toml").read_text()
    assert '"gpt-5.5" # the cheap one' in text
    assert 'command = "x"  # mine' in text
    servers = tomllib.loads(text)["mcp_servers"]
    assert set(servers) == {"mine", "claude-flow", "ruv-swarm"}
    assert servers["ruv-swarm"]["default_tools_approval_mode"] == "approve"
    assert "RUNNER_RUN_ID" in servers["ruv-swarm"]["env_vars"]
    assert (homes.codex / "skills/dual-router/SKILL.md").is_file()


def test_what_a_project_shares_names_no_folder_of_this_machine(homes: Homes, runner: Install, tmp_path: Path) -> None:
    for program in ("claude", "codex"):
        runner("install", program, "--scope", "project", "--yes")
    written = [path for path in homes.project.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert {homes.project / name for name in (".mcp.json", ".codex/config.toml")} <= set(written)
    for path in written:
        assert str(tmp_path) not in path.read_text()
        assert sys.prefix not in path.read_text()


def test_a_dry_run_shows_a_diff_and_changes_nothing(homes: Homes, runner: Install) -> None:
    before = homes.content()
    shown = runner("install", "codex", "--dry-run")
    assert shown.code == 0
    assert f"--- {homes.codex}/config.toml\n" in shown.out
    assert "\n+[mcp_servers.claude-flow]\n" in shown.out
    assert shown.out.endswith("codex: 3 files would change; nothing was changed\n")
    assert homes.content() == before


def test_without_a_terminal_it_must_be_told_to_go_on(homes: Homes, runner: Install) -> None:
    before = homes.content()
    refused = runner("install", "claude")
    assert refused.code == 2
    assert "say --yes" in refused.error
    assert homes.content() == before


def test_at_a_terminal_it_asks(homes: Homes, environ: dict[str, str]) -> None:
    before = homes.content()
    argv = ["-c", "from runner.cli import entry; entry()", "install", "codex"]
    env = {**environ, "CODEX_HOME": str(homes.codex)}
    for answer, code in (("n", 1), ("y", 0)):
        terminal = pexpect.spawn(sys.executable, argv, env=env, cwd=str(homes.project), encoding="utf-8", timeout=30)
        terminal.expect("Make these changes to 3 files")
        assert homes.content() == before
        terminal.sendline(answer)
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == code
    assert homes.content() != before


def test_json_names_the_changes(homes: Homes, runner: Install) -> None:
    shown = json.loads(runner("install", "codex", "--yes", "--json").out)
    assert (shown["program"], shown["scope"], shown["root"]) == ("codex", "user", str(homes.codex))
    assert (shown["applied"], shown["notes"]) == (True, [])
    assert {"path": str(homes.codex / "config.toml"), "action": "change"} in shown["changes"]
    gone = json.loads(runner("uninstall", "codex", "--yes", "--json").out)
    assert {change["action"] for change in gone["changes"]} == {"change", "remove"}
    assert json.loads(runner("uninstall", "codex", "--json").out)["changes"] == []


def test_it_says_what_the_installed_parts_lack(
    homes: Homes, runner: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    shown = runner("install", "claude", "--dry-run")
    assert "`runner` is not on PATH" in shown.err
    assert "`curl` is missing" in shown.err
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    runner("install", "claude", "--yes")
    assert json.loads((homes.claude / ".claude.json").read_text())["mcpServers"]["ruv-swarm"]["command"] == "runner"
