"""How a session ended, judged by all that is known of it; or that it goes on in a further attempt."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from router.labels import Status
from runner.agents.events import Cause, Finished
from runner.sessions.attempt import ANSWERED, Attempt, Ended
from runner.sessions.tally import Tally

MOST_ATTEMPTS = 20
MOST_INTERRUPTIONS = 8
"""Attempts that were killed from outside, by the kernel for memory it may be, before a session is given up."""
BACKOFF_S = (5.0, 20.0, 60.0, 180.0)
"""Waits after a provider that did not answer, beside those of the program itself."""
UNKNOWN_RESET_S = 900.0
"""Wait where a provider names no time."""
KILLED = frozenset({-1, -2, -9, -15, 129, 130, 137, 143})
"""Exit codes of a program that somebody else ended."""
LOST = "its conversation is lost"
_ENDED_BY_US = {
    "cancelled": (Status.CANCELLED, "stopped by the user"),
    "timed_out": (Status.TIMED_OUT, "ran past its time limit"),
    "stalled": (Status.STALLED, "printed nothing for too long"),
    "budget_exhausted": (Status.BUDGET_EXHAUSTED, "used up what it was allowed"),
    "overflowed": (Status.FAILED, "printed more than fits"),
}


@dataclass(frozen=True)
class Verdict:
    """How a session ended."""

    status: Status
    reason: str
    exit_code: int | None
    wall_s: float
    tally: Tally
    resets_at: float | None = None
    """When it may go on, in seconds since 1970; only where `status` is `rate_limited`."""
    attempts: int = 1


@dataclass(frozen=True)
class Again:
    """It goes on in a further attempt."""

    reason: str
    not_before: float = 0.0
    """In seconds since 1970."""
    fresh: bool = False
    """True where there is no conversation to go on with."""


def judge(begun: Sequence[Attempt], tally: Tally, stderr: Path, backoff_s: Sequence[float]) -> Verdict | Again:
    """Judge a session that has no supervisor any more by its last attempt."""
    ended, wall_s = begun[-1].ended, spent_s(begun)
    answer = _judge(begun, ended, tally, stderr, backoff_s) if ended else Again("its supervisor was killed")
    if isinstance(answer, Again):
        given_up = _given_up(begun, answer)
        if given_up is None:
            return answer
        answer = (Status.FAILED, given_up, None)
    status, reason, resets_at = answer
    return Verdict(status, reason, ended.code if ended else None, wall_s, tally, resets_at, len(begun))


def spent_s(begun: Sequence[Attempt]) -> float:
    """Seconds that a session has run in all its attempts; of a killed one, as long as it was heard of."""
    return sum(attempt.ended.running_s if attempt.ended else _heard_s(attempt) for attempt in begun)


_Answer = tuple[Status, str, float | None] | Again


def _judge(begun: Sequence[Attempt], ended: Ended, tally: Tally, stderr: Path, backoff_s: Sequence[float]) -> _Answer:
    """Trust neither alone: a program that ends with 0 may have failed, and one that reports success may crash."""
    finished = tally.finished
    done = finished is not None and finished.ok and ended.code == 0
    if ended.cause in _ENDED_BY_US and (ended.cause == "cancelled" or not done):  # it may end just when it is ended
        return *_ENDED_BY_US[ended.cause], None
    if ended.cause in {"interrupted", ANSWERED} or (ended.code in KILLED and not finished):
        return Again(f"it was {ended.cause or 'interrupted'}")
    if finished and not finished.ok:
        return _unfinished(ended, finished, tally, resumed=begun[-1].resumed, backoff_s=backoff_s)
    if finished and (done or ended.code in KILLED):  # killed only after it had said so
        return Status.SUCCEEDED, finished.reason, None
    if ended.code is not None and begun[-1].resumed and not tally.opened:
        return Again(LOST, fresh=True)
    return Status.FAILED, _without_result(ended, stderr), None


def _without_result(ended: Ended, stderr: Path) -> str:
    if ended.cause == "unstartable":
        return f"the program can't be started ({ended.problem})"
    if ended.problem:
        return f"ended with code {ended.code}: {ended.problem}"
    last = stderr.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] if stderr.exists() else []
    return f"ended with code {ended.code} " + (f"({last[0]})" if last else "and without a result")


def _unfinished(
    ended: Ended, finished: Finished, tally: Tally, *, resumed: bool, backoff_s: Sequence[float]
) -> _Answer:
    """What follows from an agent's own word that it did not succeed."""
    answer: _Answer = Status.FAILED, finished.reason, None
    match finished.cause:
        case Cause.BUDGET:
            answer = Status.BUDGET_EXHAUSTED, finished.reason, None
        case Cause.ABORTED:
            answer = Again("it was interrupted")
        case Cause.UNKNOWN_SESSION if resumed:
            answer = Again(LOST, fresh=True)
        case Cause.OVERLOADED if tally.overloads <= len(backoff_s):
            answer = Again(finished.reason, ended.at + backoff_s[tally.overloads - 1])
        case Cause.USAGE_LIMIT | Cause.OVERLOADED:
            answer = _limited(finished.reason, finished.resets_at or _reset_of(tally) or ended.at + UNKNOWN_RESET_S)
        case _ if tally.limited:
            answer = _limited(finished.reason, _reset_of(tally) or ended.at + UNKNOWN_RESET_S)
    return answer


def _reset_of(tally: Tally) -> float | None:
    return tally.limited.resets_at if tally.limited else None


def _limited(reason: str, resets_at: float) -> _Answer:
    return Again(reason) if time.time() >= resets_at else (Status.RATE_LIMITED, reason, resets_at)


def _given_up(begun: Sequence[Attempt], answer: Again) -> str | None:
    if len(begun) >= MOST_ATTEMPTS:
        return f"given up after {len(begun)} attempts; the last one: {answer.reason}"
    killed = sum(not attempt.ended or attempt.ended.cause == "interrupted" or attempt.ended.code in KILLED
                 for attempt in begun)  # fmt: skip
    return f"was interrupted {killed} times" if killed >= MOST_INTERRUPTIONS else None


def _heard_s(attempt: Attempt) -> float:
    try:
        begun = (attempt.folder / "order.json").stat().st_mtime
        heard = (attempt.folder.parent / "output.jsonl").stat().st_mtime
    except OSError:
        return 0.0
    return max(0.0, heard - begun)
