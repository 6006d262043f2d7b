"""Where Claude Code and Codex look for what we bring."""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from runner.install.errors import PluginMissing
from runner.install.piece import File, Pieces, Setting

Program = Literal["claude", "codex"]
Scope = Literal["user", "project"]
SERVERS = ("claude-flow", "ruv-swarm")
"""Names that our MCP server is known by: those that the tools were called by before us."""
CODEX_ENVIRONMENT = (
    *("RUNNER_HOME", "RUNNER_DATABASE_URL", "RUNNER_RUN_ID", "RUNNER_AGENT_ID", "RUNNER_ROUTER_URL", "XDG_DATA_HOME"),
    *("RUNNER_ROUTER_TOKEN", "ROUTER_TOKEN", "ROUTER_MODELS_DIR", "ROUTER_DATABASE_URL", "ROUTER_STORE_TASKS"),
)
"""Codex hands an MCP server only the variables it is told to."""
_PACKED = Path(__file__).with_name("plugin")
_CHECKOUT = Path(__file__).parents[2] / "plugin"


def plugin_folder() -> Path:
    """The plugin: the installed one, or the checkout's."""
    folder = _PACKED if _PACKED.is_dir() else _CHECKOUT
    if not (folder / ".claude-plugin/plugin.json").is_file():
        raise PluginMissing(folder)
    return folder


def pieces(program: Program, scope: Scope, project: Path | None, environ: Mapping[str, str]) -> Pieces:
    """Everything that a program gets; `project` is the repository's root, for its scope."""
    layout = _claude if program == "claude" else _codex
    return layout(scope, project, Path(environ.get("HOME") or Path.home()), environ)


def own_program() -> str:
    """The `runner` of this environment, which need not be on the PATH of whoever starts it."""
    ours = Path(sys.executable).with_name("runner")
    return str(ours) if os.access(ours, os.X_OK) else "runner"


def _claude(scope: Scope, project: Path | None, home: Path, environ: Mapping[str, str]) -> Pieces:
    chosen = environ.get("CLAUDE_CONFIG_DIR")
    if project:
        root, servers = project, project / ".mcp.json"
        folder, hook = project / ".claude", '"$CLAUDE_PROJECT_DIR"/.claude/hooks/suggest-route.sh'
    else:
        root = folder = Path(chosen) if chosen else home / ".claude"
        servers = (folder if chosen else home) / ".claude.json"
        hook = shlex.quote(str(folder / "hooks/suggest-route.sh"))
    command = {"type": "command", "command": f"sh {hook}", "timeout": 5}
    hooks = Setting(place=("hooks", "UserPromptSubmit"), value={"hooks": [command]}, is_item=True)
    server = {"type": "stdio", **_server(scope), "env": {}}
    names = [Setting(place=("mcpServers", name), value=server) for name in SERVERS]
    files = [*_files("commands", folder), *_files("agents", folder), *_files("skills", folder)]
    script = plugin_folder() / "hooks/suggest-route.sh"
    files.append(File(folder / "hooks/suggest-route.sh", script.read_bytes()))
    return Pieces("claude", scope, root, files, {folder / "settings.json": [hooks], servers: names})


def _codex(scope: Scope, project: Path | None, home: Path, environ: Mapping[str, str]) -> Pieces:
    chosen = environ.get("CODEX_HOME")
    if project:
        root, folder, skills = project, project / ".codex", project / ".agents"
    else:
        root = folder = skills = Path(chosen) if chosen else home / ".codex"
    server = {
        **_server(scope),
        "env_vars": list(CODEX_ENVIRONMENT),
        "startup_timeout_sec": 30,
        # Without it a headless session can't call our tools at all; other servers are not concerned.
        "default_tools_approval_mode": "approve",
    }
    names = [Setting(place=("mcp_servers", name), value=server) for name in SERVERS]
    return Pieces("codex", scope, root, list(_files("skills", skills)), {folder / "config.toml": names})


def _server(scope: Scope) -> dict[str, Any]:
    # A project's file is shared with people whose environment lies elsewhere.
    return {"command": own_program() if scope == "user" else "runner", "args": ["mcp"]}


def _files(part: str, folder: Path) -> Iterator[File]:
    source = plugin_folder()
    for path in sorted((source / part).rglob("*.md")):
        yield File(folder / path.relative_to(source), path.read_bytes())
