"""One headless session from its first attempt to its verdict: started once, followed, adopted, resumed."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from router.labels import Status
from runner.agents.events import Event
from runner.agents.protocol import Agent, Session
from runner.census import kill_marked
from runner.errors import Left, StorageUnavailable
from runner.process import POLL_S
from runner.sessions.attempt import (
    BUDGET_EXHAUSTED,
    Attempt,
    answer_before,
    ask_to_end,
    asked_to_end,
    attempts,
    is_supervised,
    kill_supervisor,
)
from runner.sessions.eventlog import EventLog
from runner.sessions.verdict import BACKOFF_S, Again, Verdict, judge, spent_s
from runner.storage import write_whole

CONTINUE = """You were interrupted while you worked on the task that this conversation began with. Nothing else has
happened meanwhile. Look at `git status` and `git log` to see how far you are, then continue where you stopped and
finish the task; do not begin again."""
TASK = """

The task was:

"""
AGAIN = """

(An earlier attempt at this task was interrupted: look at `git status` and `git log` before you begin, and go on
from there.)"""
ANSWER = """

Your question was answered so:

"""
SHORT_POLL_S = 0.01
PATIENCE_S = 30.0
"""Beside the waits between signals: longest that a supervisor may take to end its session before it is killed."""


@dataclass(frozen=True)
class Limits:
    """How long a session may take, in seconds, and what it may use."""

    wall_s: float
    silence_s: float
    grace_s: float
    """Wait between the signals that end it."""
    turns: int | None = None
    """Most model calls of a session."""
    run_cost_usd: float | None = None
    """Most that all sessions of the run together may cost."""
    backoff_s: tuple[float, ...] = field(default=BACKOFF_S)
    """Waits before the session goes on after its provider did not answer."""


def work(
    session: Session,
    agent: Agent,
    limits: Limits,
    stop: threading.Event,
    report: Callable[[Event], None],
    leave: threading.Event | None = None,
) -> Verdict:
    """Have `agent` work on `session` to its end, or until it runs past a limit or `stop` is set.

    May be called again after any crash: a living session is followed from where it stands, a dead one is resumed, and
    one that has ended is only judged. All its files lie beside the prompt; only one may follow at a time.

    Raises:
        Left: `leave` was set; the session goes on without us.
        ProgramMissing: its supervisor can't be started.
        StorageUnavailable: its files can't be read or written.
    """
    folder = session.prompt.parent
    try:
        log = EventLog(folder, agent)
        return _Following(session, agent, limits, stop, leave or threading.Event(), report, log).to_the_end()
    except OSError as error:
        raise StorageUnavailable(error.filename or folder, f"can't be read or written ({error.strerror})") from error


@dataclass(frozen=True)
class _Following:
    session: Session
    agent: Agent
    limits: Limits
    stop: threading.Event
    leave: threading.Event
    report: Callable[[Event], None]
    log: EventLog

    @property
    def folder(self) -> Path:
        return self.session.prompt.parent

    def to_the_end(self) -> Verdict:
        again = Again("it begins", fresh=True)
        while True:
            begun = attempts(self.folder)
            if begun:
                self._attend(begun[-1])
                answer = judge(begun, self.log.tally, self.folder / "stderr.txt", self.limits.backoff_s)
                if isinstance(answer, Verdict):
                    return answer
                again = answer
            if verdict := self._not_any_more(again, begun):
                return verdict
            self._start(again, begun)

    def _attend(self, attempt: Attempt) -> None:
        """Hear the attempt out, until nothing supervises it."""
        self.log.begin(attempt)
        deadline, began = float("inf"), time.monotonic()
        while is_supervised(self.folder):
            self._hear()
            self._mind()
            if asked_to_end(self.folder):
                deadline = min(deadline, time.monotonic() + 2 * self.limits.grace_s + PATIENCE_S)
            if time.monotonic() > deadline:
                kill_supervisor(self.folder)
            # A short session is not kept waiting, and a long one not looked at all the time.
            time.sleep(min(POLL_S, max(SHORT_POLL_S, (time.monotonic() - began) / 20)))
        while self._hear():
            pass
        self._hear(last=True)

    def _hear(self, *, last: bool = False) -> bool:
        events, came = self.log.follow(last=last)
        for event in events:
            self.report(event)
        return came

    def _mind(self) -> None:
        """Pass on what the user and the limits ask for."""
        if self.leave.is_set():
            raise Left(self.session.id)
        if self.stop.is_set():
            ask_to_end(self.folder)
        elif self._has_used_up():
            ask_to_end(self.folder, BUDGET_EXHAUSTED)

    def _has_used_up(self) -> bool:
        """True where one step more, as dear as the dearest up to now, would be too much."""
        tally, most_usd = self.log.tally, self.session.max_cost_usd
        if self.limits.turns is not None and not self.agent.limits_turns and tally.turns >= self.limits.turns:
            return tally.finished is None
        dear = most_usd is not None and tally.cost_usd > 0 and tally.cost_usd + tally.dearest_usd > most_usd
        return dear and tally.finished is None

    def _not_any_more(self, again: Again, begun: list[Attempt]) -> Verdict | None:
        """Wait until the next attempt may begin; returns the verdict where it must not."""
        spent, wait_s = spent_s(begun), max(0.0, again.not_before - time.time())
        # No longer than a wait can be, for the clock may be set meanwhile.
        until = time.monotonic() + min(wait_s, max(self.limits.backoff_s, default=0.0))
        while True:
            self._mind()
            word = asked_to_end(self.folder)
            if word or spent >= self.limits.wall_s:
                status = Status(word) if word else Status.TIMED_OUT
                reason = "stopped by the user" if status is Status.CANCELLED else f"{status}: {again.reason}"
                if begun:
                    kill_marked(self.session.id)
                return Verdict(status, reason, None, spent, self.log.tally, attempts=len(begun))
            if time.monotonic() >= until:
                return None
            time.sleep(POLL_S)

    def _start(self, again: Again, begun: list[Attempt]) -> None:
        """Begin a further attempt; whatever of an earlier one still lives is ended first, else there were two."""
        vendor_id = None if again.fresh else self.log.tally.session_id
        command = self.agent.command(self.session)
        if begun:
            kill_marked(self.session.id)
            number = len(begun) + 1
            prompt = self.folder / f"prompt-{number}.txt"
            own = str(uuid.uuid5(uuid.UUID(self.session.id), str(number)))
            session = replace(self.session, prompt=prompt, conversation=own)
            write_whole(prompt, self._continuation(number, resumes=vendor_id is not None))
            command = self.agent.resume(session, vendor_id) if vendor_id else self.agent.command(session)
        limits = {
            "wall_s": self.limits.wall_s - spent_s(begun), "silence_s": self.limits.silence_s,
            "grace_s": self.limits.grace_s,
        }  # fmt: skip
        Attempt.start(self.folder, command, self.session.id, limits, resumed=bool(begun and vendor_id))

    def _continuation(self, number: int, *, resumes: bool) -> str:
        """What the agent is told; one that was not heard to answer may not have written its task down yet."""
        answer, is_new = answer_before(self.folder, number)
        if is_new and resumes:
            return answer
        again = CONTINUE if self.log.tally.steps else CONTINUE + TASK + self.session.task
        told = again if resumes else self.session.task + AGAIN
        return told + ANSWER + answer if answer else told
