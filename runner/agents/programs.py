"""Where `claude` and `codex` are, and whether they have a login."""

import os
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from runner.agents.jsonl import read_object
from runner.errors import NotLoggedIn, ProgramMissing
from runner.process import run

if TYPE_CHECKING:  # the worker needs programs, and reads no settings
    from runner.settings import Settings

_BUNDLED = {"claude": ("claude_agent_sdk", "_bundled/claude"), "codex": ("codex_cli_bin", "bin/codex")}
_INSTALL = "install it, or bring both programs with `pip install 'dual-orchestrator[agents]'`"
_LOGIN = {
    "claude": "log in with `claude auth login`, or set ANTHROPIC_API_KEY",
    "codex": "log in with `codex login`, or set OPENAI_API_KEY",
}


@dataclass(frozen=True)
class Program:
    """An installed program."""

    name: str
    path: Path

    def version(self) -> str:
        """What it says when asked for its version."""
        done = run((str(self.path), "--version"), env=os.environ, limit_s=20)
        return (done.out or done.err).strip()


def find_program(name: str, settings: "Settings") -> Program:
    """Find `claude` or `codex`: as set, else on PATH, else the one bundled in this environment.

    Raises:
        ProgramMissing: it isn't there.
    """
    chosen = settings.claude if name == "claude" else settings.codex
    found = shutil.which(chosen.expanduser()) if chosen else shutil.which(name) or _bundled(name)
    if found:
        return Program(name, Path(found).absolute())
    if chosen:
        raise ProgramMissing(name, f"is no program at {chosen}", f"correct RUNNER_{name.upper()} or unset it")
    raise ProgramMissing(name, "is not installed", _INSTALL)


def check_login(program: Program, env: Mapping[str, str]) -> None:
    """Raise `NotLoggedIn` where `program` says so; a program that can't tell is given the benefit of the doubt."""
    missing = _claude_lacks_login if program.name == "claude" else _codex_lacks_login
    if missing(program, env):
        raise NotLoggedIn(program.name, _LOGIN[program.name])


def _bundled(name: str) -> str | None:
    package, inside = _BUNDLED[name]
    spec = find_spec(package)
    places = (spec.submodule_search_locations if spec else None) or []
    return next((found for place in places if (found := shutil.which(Path(place) / inside))), None)


def _claude_lacks_login(program: Program, env: Mapping[str, str]) -> bool:
    answer = run((str(program.path), "auth", "status"), env=env, limit_s=20)
    return read_object(answer.out).get("loggedIn") is False


def _codex_lacks_login(program: Program, env: Mapping[str, str]) -> bool:
    if env.get("OPENAI_API_KEY") or env.get("CODEX_API_KEY") or _codex_has_own_provider(env):
        return False
    answer = run((str(program.path), "login", "status"), env=env, limit_s=20)
    return "not logged in" in (answer.out + answer.err).lower()


def _codex_has_own_provider(env: Mapping[str, str]) -> bool:
    """True where the configuration names a provider, for `login status` knows of OpenAI's only."""
    home = Path(env.get("CODEX_HOME") or Path(env.get("HOME", "~")).expanduser() / ".codex")
    try:
        config = tomllib.loads((home / "config.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(config.get("model_provider", "openai") != "openai")
