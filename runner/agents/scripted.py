"""A harmless agent that plays its task: for tests, demonstrations and trying out the runner without a model.

The task is a JSON list of steps, each an object with one key: `say` TEXT, `write` [PATH, TEXT], `run` COMMAND,
`wait` SECONDS, `print` LINE, `deaf` (true: ignore SIGINT and SIGTERM), `use` TOKENS, `fail` REASON, `exit` CODE,
`limit` SECONDS (its allowance is used up for so long), `overload` REASON (its provider does not answer).
Any other task is just said back, unless `RUNNER_SCRIPTS` names a JSON file that has steps by regular expression: the
first one found in the task is played. Where a task is followed by other text, that is passed over. It runs as a real
process: `python -m runner.agents.scripted [FOLDER SESSION | FOLDER --resume SESSION] < TASK`; in FOLDER it keeps what
it has played, as the real programs keep their conversations, and goes on there with the step that was interrupted.
"""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from runner.agents.events import (
    Cause,
    Event,
    FileChange,
    Finished,
    Message,
    Started,
    ToolUse,
    Usage,
)
from runner.agents.jsonl import read_object
from runner.agents.protocol import Session
from runner.census import MARK
from runner.process import Command, run
from runner.storage import write_whole

_ENDS = {"fail", "exit", "limit", "overload"}
_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


@dataclass(frozen=True)
class ScriptedAgent:
    """Plays tasks that are scripts."""

    env: Mapping[str, str] = field(repr=False)
    name = "scripted"
    reports_cost = True
    limits_turns = False

    def command(self, session: Session) -> Command:
        """Return the command that plays the session's task."""
        return self._command(session, session.conversation or session.id)

    def resume(self, session: Session, vendor_id: str) -> Command:
        """Return the command that goes on at the step that was interrupted."""
        return self._command(session, "--resume", vendor_id)

    def _command(self, session: Session, *which: str) -> Command:
        folder = str(session.prompt.parent)
        argv = (sys.executable, "-P", "-m", "runner.agents.scripted", folder, *which)  # -P: no `runner` of the worktree
        return Command(argv, session.cwd, {**self.env, **session.env}, session.prompt)

    def parse(self, line: str) -> list[Event]:
        """Return the event that a line holds."""
        facts = read_object(line)
        kind = _KINDS.get(str(facts.pop("event", "")))
        try:
            event = kind(**facts) if kind else None
            event = replace(event, cause=Cause(event.cause)) if isinstance(event, Finished) else event
        except (TypeError, ValueError):
            return []
        return [event] if event else []


@dataclass
class Conversation:
    """The steps of a task, and how many have been played."""

    steps: list[dict[str, Any]]
    done: int = 0
    path: Path | None = None
    """File that keeps it; None: it is not kept."""

    def keep(self, done: int) -> None:
        """Note that so many steps have been played."""
        self.done = done
        if self.path:
            write_whole(self.path, json.dumps({"steps": self.steps, "done": done}))


def play(script: str) -> int:
    """Play a task in the current folder and return the exit code."""
    return converse(Conversation(_steps(script)), os.environ.get(MARK, ""))


def converse(conversation: Conversation, session_id: str) -> int:
    """Play what has not been played yet and return the exit code."""
    _tell(Started(session_id))
    for number, step in enumerate(conversation.steps[conversation.done :], start=conversation.done + 1):
        (action, value), *_ = step.items()
        if action in _ENDS:
            conversation.keep(number - (action in {"fail", "exit"}))
            return _give_up(action, value)
        _do(action, value)
        conversation.keep(number)
    _tell(Finished(ok=True, reason="completed"))
    return 0


def main(arguments: list[str]) -> int:
    """Play what is read from the input, or go on with what was played before."""
    task = sys.stdin.read()
    if not arguments:
        return play(task)
    folder, session_id = Path(arguments[0]), arguments[-1]
    path = folder / f"scripted-{session_id}.json"
    if "--resume" not in arguments:
        conversation = Conversation(_steps(task), path=path)
        conversation.keep(0)
        return converse(conversation, session_id)
    try:
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        _tell(Finished(ok=False, reason=f"no conversation {session_id}", cause=Cause.UNKNOWN_SESSION))
        return 1
    conversation = Conversation(kept["steps"] + _told(task), path=path)
    conversation.keep(kept["done"])
    return converse(conversation, session_id)


def _steps(script: str) -> list[dict[str, Any]]:
    return _told(script) or _cast(script) or [{"say": script}]


def _told(script: str) -> list[dict[str, Any]]:
    """The steps that a text begins with; where it is the answer to a question, they are played after the others."""
    try:
        steps, _ = json.JSONDecoder().raw_decode(script)
    except ValueError:
        return []
    return steps if isinstance(steps, list) else []


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
    causes = {"limit": Cause.USAGE_LIMIT, "overload": Cause.OVERLOADED}
    resets_at = time.time() + value if action == "limit" else None
    _tell(Finished(ok=False, reason=str(value), cause=causes.get(action, Cause.OTHER), resets_at=resets_at))
    return 1


def _tell(event: Event) -> None:
    _print(json.dumps({"event": type(event).__name__, **asdict(event)}))


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
