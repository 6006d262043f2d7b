"""Interactive work: the person's terminal is lent to Claude Code, and one key says what came of it."""

import os
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.agents.claude import InteractiveClaude
from runner.agents.protocol import Session
from runner.errors import StorageUnavailable
from runner.process import Command
from runner.runs.records import Closed, Entry, Record
from runner.runs.run import Run
from runner.runs.state import State
from runner.sessions.tmux import Window
from runner.sessions.transcript import read_transcript
from runner.storage import write_whole
from runner.tasks.plan import KEYS, Planned
from runner.terminal import terminal

BRIEF = "brief.md"
"""In a session's folder: the instructions that it is given beside its task."""


@dataclass(frozen=True)
class InteractiveJob:
    """A task that a person does together with an agent."""

    planned: Planned
    agent: InteractiveClaude
    window: bool = False
    """In a window of tmux, which goes on when the terminal is closed."""

    def branch(self, _run: Run) -> None:
        """The person works in their own checkout."""
        return

    def session(self, run: Run) -> Session:
        """Describe the session; nothing is started yet."""
        prompt = run.archive.session(run.id, self.planned.worker) / "prompt.txt"
        brief = brief_file(self.planned, prompt.parent)
        return Session(id=str(uuid.uuid4()), task=self.planned.task, cwd=run.cwd, prompt=prompt, brief=brief)

    def carry_out(self, run: Run) -> Closed:
        """Lend the terminal to the agent, then ask the person for the verdict.

        Raises:
            Left: the terminal was closed, and the session goes on in its window.
        """
        if run.stop.is_set():
            return run.drop(self.planned, "stopped by the user before it started")
        session = self.session(run)
        record = self._left_open(run)
        command = self.agent.command(session)
        if record is None:
            record = run.record(self.planned, self.agent.name, command.shell(), session_id=session.id)
            run.archive.begin(record)
        with run.progress.hidden():
            return self._sit(run, record, command)

    def _left_open(self, run: Run) -> Record | None:
        """The session whose window was left open by a runner before; it is gone back to, not begun again."""
        entry = run.archive.entry(run.id, self.planned.worker)
        return entry.record if self.window and entry and has_window(entry) else None

    def _sit(self, run: Run, record: Record, command: Command) -> Closed:
        begun = time.monotonic()
        code = lend(run, record, command, window=self.window)
        wall_s = round(time.monotonic() - begun, 3)
        key = None
        if terminal.has_terminal() and not run.leave.is_set():
            question = f"{self.planned.worker} ended after {wall_s:.0f} s. Was it right?"
            key = terminal.ask(question, _keys(self.planned), run.stop)
        status, reason, accepted = _judge(code, key, stopped=run.stop.is_set(), closed=run.leave.is_set())
        return run.close(
            record, status, reason, exit_code=code, vendor_session=record.session_id, wall_s=wall_s,
            accepted=accepted, better=KEYS.get(key or ""),
            **told_in(record.session_id, run.archive.session(run.id, record.worker)),
        )  # fmt: skip


def lend(run: Run, record: Record, command: Command, *, window: bool) -> int:
    """Have a session in this terminal, or in a window of its own that is opened or found open; return its exit code.

    Raises:
        Left: the terminal was closed, and the session goes on in its window.
    """
    folder = run.archive.session(run.id, record.worker)
    if record.brief:
        write_whole(folder / BRIEF, record.brief)
    if not window:
        return terminal.lend(command, record.session_id, run.stop, run.limits.grace_s, run.leave)
    name = f"dual-{run.id.rpartition('-')[2]}-{record.worker}"
    return Window(folder, name, record.session_id, run.limits.grace_s).run(
        command, run.stop, run.leave, run.progress.note
    )


def brief_file(planned: Planned, folder: Path) -> Path | None:
    """Where the instructions lie that a session is given beside its task; None where there are none."""
    return folder / BRIEF if planned.brief else None


def has_window(entry: Entry) -> bool:
    """True where the session has a window that nobody waits for, open or not."""
    return entry.ending is None and Window.is_of(entry.folder)


def told_in(session_id: str, folder: Path) -> dict[str, object]:
    """What the transcript of a session tells, as facts of an `Ending`; a copy is kept in the session's folder."""
    transcript = read_transcript(session_id, os.environ)
    if transcript is None:
        return {}
    with suppress(OSError, StorageUnavailable):  # Claude has the original
        transcript.keep(folder)
    return {
        "message": transcript.message, "tokens": transcript.tokens, "cost_usd": transcript.cost_usd,
        "turns": transcript.turns,
    }  # fmt: skip


def _keys(planned: Planned) -> Mapping[str, str]:
    others = {key: f"should be {other}" for key, other in KEYS.items() if other != planned.decision.platform}
    return {"g": "good", "b": "bad", **others, "s": "skip"}


def _judge(code: int, key: str | None, *, stopped: bool, closed: bool) -> tuple[State, str, bool | None]:
    if stopped or closed:
        return State.CANCELLED, "stopped by the user" if stopped else "its terminal was closed", None
    if key == "g":
        return State.SUCCEEDED, "accepted by the user", True
    if key == "b" or key in KEYS:
        return State.REJECTED, "rejected by the user", False
    if code:
        return State.FAILED, f"ended with code {code}", None
    return State.SUCCEEDED, "ended without a verdict", None
