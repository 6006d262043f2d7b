"""What an agent file runs before and after the work: shown and agreed to first, its own routing replaced by ours."""

import hashlib
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.agent_files.agent_file import AgentHooks
from runner.errors import BadInput
from runner.process import run as run_command
from runner.storage import write_whole
from runner.terminal import terminal

LIMIT_S = 60.0
"""Longest that a hook may run."""
INTERACTIVE_WORDS = frozenset({"explain", "debug", "design", "review", "help", "understand", "plan", "discuss"})
_QUERY = re.compile(
    r"""(?:echo|printf\s+['"]?%s(?:\\n)?['"]?)\s+"?\$\{?TASK\}?"?\s*\|\s*
        e?grep(?:\s+-[A-Za-z]+)*\s+(?P<quote>["'])(?P<pattern>.*?)(?P=quote)(?:\s*>\s*/dev/null(?:\s*2>&1)?)?""",
    re.VERBOSE,
)
PRELUDE = """
routed() { case "$DUAL_MODE" in "$1") true ;; hybrid) [ "$1" = interactive ] ;; *) false ;; esac; }
runner() { "$DUAL_PYTHON" -P -c 'from runner.cli import entry; entry()' "$@"; }
npx() {
  case "$1" in -y|--yes) shift ;; esac
  case "$1" in claude-flow*|ruflo*|ruv-swarm*) shift ;; *) command npx "$@"; return ;; esac
  runner "$@"
}
"""
"""Shell functions that stand before a hook: claude-flow's commands are ours."""


@dataclass(frozen=True)
class Surroundings:
    """What a hook sees, as variables."""

    task: str
    mode: str
    """interactive, headless or hybrid: as it was routed; empty where it is about several tasks."""
    platform: str
    run: str
    home: Path
    """The runner's data folder."""

    def variables(self) -> dict[str, str]:
        """The same for a process."""
        return {
            "TASK": self.task, "DUAL_MODE": self.mode, "DUAL_PLATFORM": self.platform, "RUNNER_RUN_ID": self.run,
            "RUNNER_HOME": str(self.home), "DUAL_PYTHON": sys.executable,
        }  # fmt: skip


def shown(hooks: AgentHooks) -> Iterator[str]:
    """The lines of the hooks as they would run."""
    for name, text in (("pre", hooks.pre), ("post", hooks.post)):
        if text:
            yield f"hooks.{name}:"
            yield from (f"  {line}" for line in rewritten(text).rstrip().splitlines())


def rewritten(hook: str) -> str:
    """The hook with each search in the task's words replaced by what the router said of it."""
    return _QUERY.sub(lambda found: f"routed {_meant(found['pattern'])}", hook)


def agree(hooks: AgentHooks, path: Path, home: Path, *, yes: bool) -> None:
    """Show hooks that were never agreed to, and ask; the answer is kept until they change.

    Raises:
        BadInput: the user says no, or nobody is there to ask.
    """
    lines = list(shown(hooks))
    digest = hashlib.sha256("\n".join((str(path.absolute()), *lines)).encode()).hexdigest()
    kept = home / "agreed" / digest
    if not lines or yes or kept.exists():
        return
    sys.stderr.write("\n".join((f"{path} runs these commands:", *lines, "")))
    if not terminal.has_terminal():
        raise BadInput(f"{path}: nobody is here to agree to its hooks; read them, then say --yes")
    if terminal.ask("Run them?", {"y": "yes", "n": "no"}, threading.Event()) != "y":
        raise BadInput(f"{path}: its hooks were not agreed to; nothing was started")
    write_whole(kept, "\n".join((str(path), *lines, "")))


def run_hook(hook: str, cwd: Path, around: Surroundings, environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Run a hook to its end and yield what it printed, line by line.

    Raises:
        BadInput: it failed, or ran too long.
    """
    script = f"{PRELUDE}{rewritten(hook)}"
    done = run_command(("sh", "-c", script), cwd=cwd, env={**environ, **around.variables()}, limit_s=LIMIT_S)
    yield from filter(None, (line.rstrip() for line in f"{done.out}\n{done.err}".splitlines()))
    if done.code:
        raise BadInput(f"the hook ended with code {done.code}; correct it in the agent file, or take it out there")


def _meant(pattern: str) -> str:
    """Which mode a search for words stands for: talking, unless none of its words is about that."""
    words = set(re.findall(r"[a-z]+", pattern.lower()))
    return "interactive" if words & INTERACTIVE_WORDS or not words else "headless"
