"""Interactive work: the person's terminal is lent to Claude Code, and one key says what came of it."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from runner import terminal
from runner.agents.claude import InteractiveClaude
from runner.agents.protocol import Session
from runner.plan import KEYS, Planned
from runner.process import Command
from runner.records import Closed, Record, State
from runner.run import Run


@dataclass(frozen=True)
class InteractiveJob:
    """A task that a person does together with an agent."""

    planned: Planned
    agent: InteractiveClaude

    def branch(self, _run: Run) -> None:
        """The person works in his own checkout."""
        return

    def session(self, run: Run) -> Session:
        """Describe the session; nothing is started yet."""
        prompt = run.archive.session(run.id, self.planned.worker) / "prompt.txt"
        return Session(id=str(uuid.uuid4()), task=self.planned.task, cwd=run.cwd, prompt=prompt)

    def carry_out(self, run: Run) -> Closed:
        """Lend the terminal to the agent, then ask the person for the verdict."""
        if run.stop.is_set():
            return run.drop(self.planned, "stopped by the user before it started")
        session = self.session(run)
        command = self.agent.command(session)
        record = run.record(self.planned, self.agent.name, command.shell(), session_id=session.id)
        run.archive.begin(record)
        with run.progress.hidden():
            return self._sit(run, record, command)

    def _sit(self, run: Run, record: Record, command: Command) -> Closed:
        begun = time.monotonic()
        code = terminal.lend(command, record.session_id, run.stop, run.limits.grace_s)
        wall_s = round(time.monotonic() - begun, 3)
        question = f"{self.planned.worker} ended after {wall_s:.0f} s. Was it right?"
        key = terminal.ask(question, _keys(self.planned), run.stop)
        status, reason, accepted = _judge(code, key, stopped=run.stop.is_set())
        return run.close(
            record, status, reason, exit_code=code, vendor_session=record.session_id, wall_s=wall_s,
            accepted=accepted, better=KEYS.get(key or ""),
        )  # fmt: skip


def _keys(planned: Planned) -> Mapping[str, str]:
    others = {key: f"should be {other}" for key, other in KEYS.items() if other != planned.decision.platform}
    return {"g": "good", "b": "bad", **others, "s": "skip"}


def _judge(code: int, key: str | None, *, stopped: bool) -> tuple[State, str, bool | None]:
    if stopped:
        return State.CANCELLED, "stopped by the user", None
    if key == "g":
        return State.SUCCEEDED, "accepted by the user", True
    if key == "b" or key in KEYS:
        return State.REJECTED, "rejected by the user", False
    if code:
        return State.FAILED, f"ended with code {code}", None
    return State.SUCCEEDED, "ended without a verdict", None
