"""Outcomes and corrections on their way to the router: on disk first, removed once the router has them."""

import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from router.errors import JournalError, RouterError, ServiceUnavailable
from router.schemas import Choice, Feedback, Outcome
from runner.errors import Busy, StorageUnavailable
from runner.lock import locked
from runner.outcomes.letter import Letter, leave
from runner.storage import write_whole

if TYPE_CHECKING:  # an HTTP client, which who only keeps letters needs not
    from router.client import Routing

__all__ = ["Outbox", "leave"]

REFUSED_KEPT_S = 30 * 24 * 3600
"""A letter that the router refuses (it knows no such decision) is given up once it is so old."""


class Outbox:
    """Sends to `routing` what lies in `folder`; what can't be sent stays there for the next run.

    What routers refuse stays for 30 days.

    Without a `routing` it keeps what it is given.
    """

    def __init__(self, folder: Path, routing: "Routing | None") -> None:
        self.folder = folder
        self.routing = routing

    def record(self, outcome: Outcome) -> None:
        """Keep what came of a task, and send it if the router takes it now.

        Raises:
            RouterError, StorageUnavailable: it can neither be kept nor sent; `correct` likewise.
        """
        self._post(Letter(outcome=outcome))

    def correct(self, feedback: Feedback) -> None:
        """Keep a person's correction, and send it if the router takes it now."""
        self._post(Letter(feedback=feedback))

    def keep(self, choices: Sequence[Choice]) -> None:
        """Keep what the user chose with no router asked; raises `StorageUnavailable`."""
        if choices:
            write_whole(self.folder / _name(), Letter(choices=tuple(choices)).model_dump_json())

    def flush(self) -> int:
        """Send all that waits, the oldest first; return how many remain."""
        if self.routing is None or not self.waiting():
            return len(self.waiting())
        try:
            with locked(self.folder / "lock", wait_s=0):
                self._send_all(self.routing)
        except Busy:  # another runner is sending
            pass
        return len(self.waiting())

    def _post(self, letter: Letter) -> None:
        try:
            write_whole(self.folder / _name(), letter.model_dump_json())
        except StorageUnavailable:
            if self.routing is None:
                raise
            self._send(letter, self.routing)  # the disk can't keep it: now or never
        else:
            self.flush()

    def waiting(self) -> list[Path]:
        """The letters that are there, the oldest first."""
        return sorted(self.folder.glob("*.json"))

    def _send_all(self, routing: "Routing") -> None:
        for path in self.waiting():
            try:
                self._send(Letter.model_validate_json(path.read_bytes()), routing)
            except ServiceUnavailable:
                return
            except JournalError:
                continue
            except (RouterError, ValueError):  # a decision this journal does not know; another one may, for a while
                if time.time() - path.stat().st_mtime < REFUSED_KEPT_S:
                    continue
            path.unlink(missing_ok=True)

    @staticmethod
    def _send(letter: Letter, routing: "Routing") -> None:
        if letter.choices:
            from router.client import adopt

            adopt(letter.choices, routing)
        if letter.outcome:
            routing.record_outcome(letter.outcome)
        if letter.feedback:
            routing.record_feedback(letter.feedback)


def _name() -> str:
    return f"{time.time_ns()}-{uuid.uuid4().hex[:8]}.json"
