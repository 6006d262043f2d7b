"""Interactive work: the person's terminal is lent to Claude Code, and one key says what came of it."""

import time
import uuid
from collections.abc import Mapping

from router.labels import Mode
from runner import terminal
from runner.agents.claude import InteractiveClaude
from runner.agents.protocol import Session
from runner.plan import KEYS, Planned
from runner.records import Entry, State
from runner.run import Run

DESIGN_FIRST = "Let us design this together before anything is implemented; write no code yet.\n\n"
"""What begins the first phase of a hybrid workflow."""
HYBRID_NOTE = (
    "hybrid is design → implement → review: for now only the design is run here, then give its parts to "
    "`runner execute --platform codex`"
)


def opening(planned: Planned) -> str:
    """What the session is opened with."""
    return DESIGN_FIRST + planned.task if planned.mode is Mode.HYBRID else planned.task


def describe(planned: Planned, run: Run) -> Session:
    """Describe the session; nothing is started yet."""
    prompt = run.archive.session(run.id, planned.worker) / "prompt.txt"
    return Session(id=str(uuid.uuid4()), task=opening(planned), cwd=run.cwd, prompt=prompt)


def run_interactive(planned: Planned, run: Run, agent: InteractiveClaude) -> Entry:
    """Lend the terminal for a task, then ask for the verdict."""
    session = describe(planned, run)
    command = agent.command(session)
    record = run.record(planned, agent.name, command.shell(), session_id=session.id)
    run.archive.begin(record)
    begun = time.monotonic()
    code = terminal.lend(command, session.id, run.stop, run.limits.grace_s)
    wall_s = round(time.monotonic() - begun, 3)
    question = f"{planned.worker} ended after {wall_s:.0f} s. Was it right?"
    key = terminal.ask(question, _keys(planned), run.stop)
    status, reason, accepted = _judge(code, key, stopped=run.stop.is_set())
    return run.close(
        record, status, reason, exit_code=code, vendor_session=session.id, wall_s=wall_s, accepted=accepted,
        better=KEYS.get(key or ""),
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
