"""Scratch homes in which the real programs use the provider, trust the given repositories and ask nothing."""

import json
from collections.abc import Iterable
from pathlib import Path

KEY = "scripted-provider-key"
"""Neither program starts without a key; the provider looks at none."""
_CODEX_CONFIG = """\
model = "gpt-5.5"
model_provider = "scripted"
approval_policy = "never"
check_for_update_on_startup = false
[features]
plugins = false  # else it looks for chatgpt.com and api.github.com at every start
apps = false
daemon_auto_start = false
unbounded_connection_retries = false
[analytics]
enabled = false
[feedback]
enabled = false
[tui]
screen_reader_detection_done = true
[notice.model_migrations]
"gpt-5.5" = "gpt-6-sol"
[model_providers.scripted]
name = "scripted"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
requires_openai_auth = false
"""
_GIT_CONFIG = """\
[user]
	name = Scripted Agent
	email = agent@localhost
"""


def write_home(home: Path, url: str, repos: Iterable[Path] = ()) -> dict[str, str]:
    """Write both programs' homes under `home` and return the environment that makes the programs use them.

    A trusted repository's worktrees are trusted too. `PATH` and the locale are the caller's.
    """
    claude, codex = home / "claude", home / "codex"
    for folder in (claude, codex):
        folder.mkdir(parents=True, exist_ok=True)
    trusted = [str(repo.resolve()) for repo in repos]
    (home / ".gitconfig").write_text(_GIT_CONFIG, encoding="utf-8")
    (codex / "config.toml").write_text(_codex_config(url, trusted), encoding="utf-8")
    _seed_claude(claude / ".claude.json", trusted)
    return {
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(claude),
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": KEY,
        "CODEX_HOME": str(codex),
        "OPENAI_API_KEY": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
    }


def _codex_config(url: str, trusted: list[str]) -> str:
    projects = (f'[projects.{json.dumps(repo)}]\ntrust_level = "trusted"\n' for repo in trusted)
    return _CODEX_CONFIG.format(url=url) + "".join(projects)


def _seed_claude(path: Path, trusted: list[str]) -> None:
    """Answer the questions of Claude's first start; what it wrote itself since then stays."""
    state = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    state["hasCompletedOnboarding"] = True
    state["customApiKeyResponses"] = {"approved": [KEY[-20:]], "rejected": []}
    state.setdefault("projects", {}).update({repo: {"hasTrustDialogAccepted": True} for repo in trusted})
    path.write_text(json.dumps(state), encoding="utf-8")
