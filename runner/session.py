"""One headless session: started, watched, ended and judged."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from router.labels import Status
from runner.agents.protocol import Agent, Session
from runner.errors import StorageUnavailable
from runner.events import Event, Tally
from runner.process import POLL_S, AgentProcess

LONGEST_LINE = 16 * 1024**2
"""A longer line is given up; all output stays in the file."""


@dataclass(frozen=True)
class Limits:
    """How long a session may take; all in seconds."""

    wall_s: float
    silence_s: float
    grace_s: float
    """Wait between the signals that end it."""


@dataclass(frozen=True)
class Verdict:
    """How a session ended."""

    status: Status
    reason: str
    exit_code: int
    wall_s: float
    tally: Tally


@dataclass
class Tail:
    """Reads the lines that are added to a file."""

    path: Path
    _offset: int = 0
    _rest: bytes = field(default=b"", repr=False)

    def read(self) -> tuple[list[str], bool]:
        """Return the lines completed since the last call, and whether anything came at all."""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            new = file.read(LONGEST_LINE)
        self._offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            self._rest = b""
        return [line.decode(errors="replace") for line in lines], bool(new)


def work(
    session: Session, agent: Agent, limits: Limits, stop: threading.Event, report: Callable[[Event], None]
) -> Verdict:
    """Let `agent` work on `session` until it ends, runs past a limit or `stop` is set; nothing stays running.

    Its output lies beside the prompt in `output.jsonl` and `stderr.txt`; every event goes to `report`.

    Raises:
        ProgramMissing: the program can't be started.
        StorageUnavailable: its output can't be written.
    """
    folder, begun = session.prompt.parent, time.monotonic()
    stderr, tail, tally = folder / "stderr.txt", Tail(folder / "output.jsonl"), Tally()

    def follow() -> bool:
        lines, came = tail.read()
        for event in (event for line in lines for event in agent.parse(line)):
            tally.add(event)
            report(event)
        return came

    try:
        process = AgentProcess(agent.command(session), session.id, tail.path, stderr)
    except OSError as error:
        raise StorageUnavailable(folder, f"can't be written ({error.strerror})") from error
    try:
        cause = _watch(process, follow, limits, stop)
    finally:
        code = process.end(limits.grace_s)
    while follow():
        pass
    status, reason = cause or _judge(code, tally, stderr)
    return Verdict(status, reason, code, time.monotonic() - begun, tally)


def _watch(
    process: AgentProcess, follow: Callable[[], bool], limits: Limits, stop: threading.Event
) -> tuple[Status, str] | None:
    """Wait for the end; returns why it must end now, or None where it ended by itself."""
    begun = heard = time.monotonic()
    while process.poll() is None:
        now = time.monotonic()
        if follow():
            heard = now
        if stop.wait(POLL_S):
            return Status.CANCELLED, "stopped by the user"
        if now - begun > limits.wall_s:
            return Status.TIMED_OUT, f"ran past its limit of {limits.wall_s:g} s"
        if now - heard > limits.silence_s:
            return Status.STALLED, f"printed nothing for {limits.silence_s:g} s"
    return None


def _judge(code: int, tally: Tally, stderr: Path) -> tuple[Status, str]:
    """Trust neither alone: a program that ends with 0 may have failed, and one that reports success may crash."""
    if tally.finished and not tally.finished.ok:
        return Status.FAILED, tally.finished.reason
    if code == 0 and tally.finished:
        return Status.SUCCEEDED, tally.finished.reason
    last = stderr.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    return Status.FAILED, f"ended with code {code} " + (f"({last[0]})" if last else "and without a result")
