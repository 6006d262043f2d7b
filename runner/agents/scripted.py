"""A harmless agent that plays its task: for tests, demonstrations and trying out the runner without a model.

The task is a JSON list of steps, each an object with one key: `say` TEXT, `write` [PATH, TEXT], `run` COMMAND,
`wait` SECONDS, `print` LINE, `deaf` (true: ignore SIGINT and SIGTERM), `use` TOKENS, `fail` REASON, `exit` CODE.
Any other task is just said back, unless `RUNNER_SCRIPTS` names a JSON file that has steps by regular expression: the
first one found in the task is played. It runs as a real process: `python -m runner.agents.scripted < TASK`.
"""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from runner.agents.jsonl import read_object
from runner.agents.protocol import Session
from runner.events import Event, FileChange, Finished, Message, Started, ToolUse, Usage
from runner.process import MARK, Command, run

_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


@dataclass(frozen=True)
class ScriptedAgent:
    """Plays tasks that are scripts."""

    env: Mapping[str, str] = field(repr=False)
    name = "scripted"
    reports_cost = True

    def command(self, session: Session) -> Command:
        """Return the command that plays the session's task."""
        argv = (sys.executable, "-P", "-m", "runner.agents.scripted")  # -P: not a `runner` of the worktree
        return Command(argv, session.cwd, {**self.env, **session.env}, session.prompt)

    def parse(self, line: str) -> list[Event]:
        """Return the event that a line holds."""
        facts = read_object(line)
        kind = _KINDS.get(str(facts.pop("event", "")))
        try:
            return [kind(**facts)] if kind else []
        except TypeError:
            return []


def play(script: str) -> int:
    """Play a task in the current folder and return the exit code."""
    _tell(Started(os.environ.get(MARK, "")))
    for step in _steps(script):
        (action, value), *_ = step.items()
        if action in {"fail", "exit"}:
            return _give_up(action, value)
        _do(action, value)
    _tell(Finished(ok=True, reason="completed"))
    return 0


def _steps(script: str) -> list[dict[str, Any]]:
    try:
        steps = json.loads(script)
    except ValueError:
        steps = None
    return steps if isinstance(steps, list) else _cast(script) or [{"say": script}]


def _cast(task: str) -> list[dict[str, Any]]:
    path = os.environ.get("RUNNER_SCRIPTS")
    scripts: dict[str, list[dict[str, Any]]] = json.loads(Path(path).read_bytes()) if path else {}
    return next((steps for pattern, steps in scripts.items() if re.search(pattern, task)), [])


def _do(action: str, value: Any) -> None:
    match action:
        case "say":
            _tell(Message(value))
        case "write":
            path, text = value
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text, encoding="utf-8")
            _tell(FileChange(path))
        case "run":
            _tell(ToolUse("shell", value))
            run(("sh", "-c", value), env=os.environ)
        case "wait":
            time.sleep(value)
        case "print":
            _print(value)
        case "use":
            _tell(Usage(value, cost_usd=value / 1_000_000, turns=1))
        case "deaf":
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _give_up(action: str, value: Any) -> int:
    if action == "exit":
        return int(value)
    _tell(Finished(ok=False, reason=value))
    return 1


def _tell(event: Event) -> None:
    _print(json.dumps({"event": type(event).__name__, **asdict(event)}))


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(play(sys.stdin.read()))
