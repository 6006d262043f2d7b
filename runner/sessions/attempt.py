"""One start of a session: what was ordered, the supervisor that carries it out, and how it ended."""

import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from runner.census import MARK
from runner.errors import StorageUnavailable
from runner.process import POLL_S, Command, reap, start_apart
from runner.storage import make_folder, write_whole

CANCELLED = "cancelled"
"""Written into `stop` by whoever wants a session ended."""
BUDGET_EXHAUSTED = "budget_exhausted"
ANSWERED = "answered"
"""Cause of an attempt's end that a person has answered the question of."""
_ANSWER = "answer-{}.txt"
_STARTING_S = 2.0


@dataclass(frozen=True)
class Ended:
    """What the supervisor wrote down last of all."""

    code: int | None
    """The exit code, negative where a signal ended it; None where it never started."""
    cause: str
    """Why the supervisor ended it; empty where it ended by itself."""
    problem: str
    running_s: float
    at: float
    """Seconds since 1970."""


@dataclass(frozen=True)
class Attempt:
    """The files of one start."""

    folder: Path
    """`attempt-N` within the session's folder."""

    @property
    def number(self) -> int:
        """1 is the first."""
        return int(self.folder.name.rpartition("-")[2])

    @property
    def resumed(self) -> bool:
        """True where it went on with the conversation of an earlier one."""
        return bool(_read(self.folder / "order.json").get("resumed"))

    @property
    def ended(self) -> Ended | None:
        """How it ended; None where it runs, or its supervisor was killed."""
        facts = _read(self.folder / "ended.json")
        try:
            return Ended(facts["code"], facts["cause"], facts["problem"], facts["running_s"], facts["at"])
        except KeyError:
            return None

    @classmethod
    def start(cls, folder: Path, command: Command, session_id: str, limits: dict[str, float], *, resumed: bool) -> Self:
        """Write the order down, then start a supervisor for it; only the one who follows the session may.

        Raises:
            ProgramMissing: there is no Python to run it.
            StorageUnavailable: the order can't be written.
        """
        attempt = cls(folder / f"attempt-{len(attempts(folder)) + 1}")
        order = {
            "argv": command.argv, "cwd": str(command.cwd), "stdin": str(command.stdin or os.devnull),
            "folder": str(folder), "mark": MARK, "session": session_id, "resumed": resumed, **limits,
        }  # fmt: skip
        with _held(folder) as lock:
            write_whole(attempt.folder / "order.json", json.dumps(order))
            argv = (sys.executable, "-I", "-m", "runner.sessions.supervisor", str(attempt.folder))
            start_apart(argv, command.env, attempt.folder / "supervisor.txt", lock)
        return attempt


def attempts(folder: Path) -> list[Attempt]:
    """All starts of the session in `folder`, the first one first."""
    found = [Attempt(path.parent) for path in folder.glob("attempt-*/order.json")]
    return sorted(found, key=lambda attempt: attempt.number)


def is_supervised(folder: Path) -> bool:
    """True while the session in `folder` has a living supervisor."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared: two who look at the same time don't take each other for a supervisor.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
        reap()
    return False


def ask_to_end(folder: Path, word: str = CANCELLED) -> None:
    """Have the session in `folder` ended; its supervisor sees to it, and no other attempt begins."""
    if not (folder / "stop").exists():
        write_whole(folder / "stop", word)


def asked_to_end(folder: Path) -> str:
    """The word that was left by `ask_to_end`; empty where there is none."""
    try:
        return (folder / "stop").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def reopen(folder: Path, answer: str = "") -> None:
    """Let a session that was ended go on; its last attempt then counts as interrupted.

    With an `answer`, as answered: the next attempt, and those that have to go on with it, are told so.

    Raises:
        StorageUnavailable: that can't be written down.
    """
    begun = attempts(folder)
    if answer:
        write_whole(folder / _ANSWER.format(len(begun) + 1), answer)
    (folder / "stop").unlink(missing_ok=True)
    for attempt in begun[-1:]:
        if facts := _read(attempt.folder / "ended.json"):
            cause = ANSWERED if answer else "interrupted"
            write_whole(attempt.folder / "ended.json", json.dumps({**facts, "cause": cause}))


def answer_before(folder: Path, number: int) -> tuple[str, bool]:
    """The person's latest answer that attempt `number` goes on with, and whether it is the first to; else empty."""
    for told in range(number, 1, -1):
        with suppress(OSError):
            return (folder / _ANSWER.format(told)).read_text(encoding="utf-8"), told == number
    return "", False


def kill_supervisor(folder: Path) -> None:
    """Kill a supervisor that does not do what it is asked; for what it leaves behind see `kill_marked`."""
    for attempt in attempts(folder)[-1:]:
        pid = _read(attempt.folder / "begun.json").get("supervisor")
        if pid and is_supervised(folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def _held(folder: Path) -> Iterator[int]:
    """Hold the lock that the supervisor inherits; whoever looks at it holds it for a moment too."""
    make_folder(folder)
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageUnavailable(folder / "lock", f"can't be opened ({error.strerror})") from error
    deadline = time.monotonic() + _STARTING_S
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StorageUnavailable(folder / "lock", "is held by another supervisor") from None
                time.sleep(POLL_S)
        yield descriptor
    finally:
        os.close(descriptor)


def _read(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
