"""Which program takes a headless or an interactive task."""

import os
from collections.abc import Callable

from runner.agents.claude import HeadlessClaude, InteractiveClaude
from runner.agents.codex import HeadlessCodex
from runner.agents.protocol import Agent
from runner.agents.scripted import ScriptedAgent
from runner.environment import headless_environment, terminal_environment
from runner.errors import ProgramMissing
from runner.programs import check_login, find_program
from runner.settings import Settings


def headless_agent(settings: Settings, note: Callable[[str], None]) -> Agent:
    """Return the program of headless tasks; `note` is told where it is not the expected one.

    Raises:
        ProgramMissing: neither codex nor claude is there, or not the one that was asked for.
    """
    if settings.headless == "scripted":
        return ScriptedAgent(headless_environment("scripted", os.environ, settings.pass_env))
    if settings.headless == "claude":
        return _claude(settings)
    try:
        program = find_program("codex", settings)
    except ProgramMissing as missing:
        if settings.headless == "codex":
            raise
        agent = _claude(settings)
        note(f"{missing}; headless tasks go to `claude -p` instead")
        return agent
    return HeadlessCodex(program.path, headless_environment("codex", os.environ, settings.pass_env))


def interactive_agent(settings: Settings) -> InteractiveClaude:
    """Return the program of interactive tasks; raises `ProgramMissing` where it isn't there."""
    program = find_program("claude", settings)
    return InteractiveClaude(program.path, terminal_environment("claude", os.environ))


def check_headless_login(agent: Agent, settings: Settings) -> None:
    """Raise `NotLoggedIn` where the program of headless tasks says that it has no login."""
    if agent.name in {"claude", "codex"}:
        env = headless_environment(agent.name, os.environ, settings.pass_env)
        check_login(find_program(agent.name, settings), env)


def _claude(settings: Settings) -> HeadlessClaude:
    program = find_program("claude", settings)
    return HeadlessClaude(program.path, headless_environment("claude", os.environ, settings.pass_env))
