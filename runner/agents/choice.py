"""Which program takes a headless or an interactive task."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runner.agents.claude import HeadlessClaude, InteractiveClaude
from runner.agents.codex import HeadlessCodex
from runner.agents.programs import check_login, find_program
from runner.agents.protocol import Agent
from runner.agents.scripted import ScriptedAgent
from runner.environment import headless_environment, terminal_environment
from runner.errors import ProgramMissing

if TYPE_CHECKING:  # the worker needs agents, and reads no settings
    from runner.settings import Settings


def headless_agent(settings: "Settings", note: Callable[[str], None]) -> Agent:
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


def agent_named(name: str, program: Path | None, env: Mapping[str, str]) -> Agent:
    """Return the headless program of this name, which lies at `program` and sees `env`.

    Raises:
        ProgramMissing: there is no such program.
    """
    if name == "scripted":
        return ScriptedAgent(env)
    kinds: dict[str, Callable[[Path, Mapping[str, str]], Agent]] = {"claude": HeadlessClaude, "codex": HeadlessCodex}
    if name not in kinds or program is None:
        raise ProgramMissing(name, "is not known to the worker", "start the task again with `runner execute`")
    return kinds[name](program, env)


def facts_of(agent: Agent) -> tuple[Path | None, Mapping[str, str]]:
    """Where a headless program lies, and what it sees: what `agent_named` makes it again of."""
    match agent:
        case HeadlessClaude(program, env) | HeadlessCodex(program, env):
            return program, env
        case ScriptedAgent(env):
            return None, env
    raise ProgramMissing(agent.name, "is not known to the worker", "choose codex or claude by RUNNER_HEADLESS")


def interactive_agent(settings: "Settings") -> InteractiveClaude:
    """Return the program of interactive tasks; raises `ProgramMissing` where it isn't there."""
    program = find_program("claude", settings)
    return InteractiveClaude(program.path, terminal_environment("claude", os.environ))


def check_headless_login(agent: Agent, settings: "Settings") -> None:
    """Raise `NotLoggedIn` where the program of headless tasks says that it has no login."""
    if agent.name in {"claude", "codex"}:
        env = headless_environment(agent.name, os.environ, settings.pass_env)
        check_login(find_program(agent.name, settings), env)


def _claude(settings: "Settings") -> HeadlessClaude:
    program = find_program("claude", settings)
    return HeadlessClaude(program.path, headless_environment("claude", os.environ, settings.pass_env))
