"""Homes with things of the user's own in them, and the command line over them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runner.cli import app

CLAUDE_STATE = '{\n  "numStartups": 3,\n  "mcpServers": {\n    "mine": {"command": "x"}\n  }\n}'
CLAUDE_SETTINGS = (
    '{\n\t"model": "opus",\n\t"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "beep"}]}]}\n}\n'
)
CODEX_CONFIG = """\
model = "gpt-5.5" # the cheap one

[mcp_servers.mine]
command = "x"  # mine

[tui]
theme = "dark"
"""
Install = Callable[..., "Said"]


@dataclass(frozen=True)
class Said:
    """What the command line answered."""

    code: int
    out: str
    err: str
    error: str = ""


@dataclass(frozen=True)
class Homes:
    """The folders that may change."""

    claude: Path
    codex: Path
    project: Path

    def content(self) -> dict[str, object]:
        """Every folder, file and mode in them; git's own files aside."""
        found: dict[str, object] = {}
        for home in (self.claude, self.codex, self.project):
            for path in sorted(home.rglob("*")):
                if ".git" not in path.parts:
                    found[str(path)] = (path.stat().st_mode, path.read_bytes()) if path.is_file() else "folder"
        return found


@pytest.fixture
def homes(tmp_path: Path, repo: Path, in_environment: None, monkeypatch: pytest.MonkeyPatch) -> Homes:
    """Homes of both programs, which the environment names, and a project that is the current folder."""
    homes = Homes(tmp_path / "claude-home", tmp_path / "codex-home", repo)
    (homes.claude / "commands").mkdir(parents=True)
    (homes.claude / "commands/own.md").write_text("my own command\n")
    (homes.claude / ".claude.json").write_text(CLAUDE_STATE)
    (homes.claude / ".claude.json").chmod(0o600)
    (homes.claude / "settings.json").write_text(CLAUDE_SETTINGS)
    homes.codex.mkdir()
    (homes.codex / "config.toml").write_text(CODEX_CONFIG)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(homes.claude))
    monkeypatch.setenv("CODEX_HOME", str(homes.codex))
    monkeypatch.chdir(repo)
    return homes


@pytest.fixture
def runner(homes: Homes) -> Install:
    """Runs `runner …` without a terminal."""

    def run(*args: str) -> Said:
        done = CliRunner().invoke(app, args)
        if done.exception and not isinstance(done.exception, SystemExit):
            code = getattr(done.exception, "exit_code", None)
            if code is None:
                raise done.exception
            return Said(code, done.stdout, done.stderr, str(done.exception))
        return Said(done.exit_code, done.stdout, done.stderr)

    return run
