"""The runner's own MCP server, offered to a session: the shared memory as tools of the program."""

import json

from runner.agents.protocol import Session

NAME = "dual-memory"
"""What the programs call it; its tools are `mcp__dual-memory__memory_store` and so on."""
STARTUP_S = 60


def claude_config(session: Session) -> str:
    """What `claude --mcp-config` takes; the server inherits the session's variables, so that none is seen in it."""
    program, *args = session.tools
    return json.dumps({"mcpServers": {NAME: {"command": program, "args": args, "alwaysLoad": True}}})


def codex_options(session: Session) -> tuple[str, ...]:
    """Options of `codex exec`; a server gets only variables that are named, and may write only if it is approved."""
    if not session.tools:
        return ()
    program, *args = session.tools
    settings = {
        "command": program,
        "args": args,
        "env_vars": [*session.env, "PYTHONPATH"],
        "default_tools_approval_mode": "approve",
        "required": True,  # else the session begins before the server does, and does without
        "startup_timeout_sec": STARTUP_S,
    }
    # Strings, numbers, lists and truths of JSON are TOML too.
    values = ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in settings.items())
    return "-c", f"mcp_servers.{NAME}={{{values}}}"
