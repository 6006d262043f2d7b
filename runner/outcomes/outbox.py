"""Outcomes and corrections on their way to the router: on disk first, removed once the router has them."""

import time
import uuid
from pathlib import Path

from router.client import RouterError, Routing, ServiceUnavailable
from router.schemas import Feedback, Outcome
from runner.errors import Busy, StorageUnavailable
from runner.lock import locked
from runner.outcomes.letter import Letter, leave
from runner.storage import write_whole

__all__ = ["Outbox", "leave"]


class Outbox:
    """Sends to `routing` what lies in `folder`; what can't be sent stays there for the next run."""

    def __init__(self, folder: Path, routing: Routing) -> None:
        self.folder = folder
        self.routing = routing

    def record(self, outcome: Outcome) -> None:
        """Keep what came of a task, and send it if the router takes it now.

        Raises:
            RouterError: it can neither be kept nor sent; `correct` likewise.
        """
        self._post(Letter(outcome=outcome))

    def correct(self, feedback: Feedback) -> None:
        """Keep a person's correction, and send it if the router takes it now."""
        self._post(Letter(feedback=feedback))

    def flush(self) -> int:
        """Send all that waits, the oldest first; return how many remain."""
        if not self._waiting():
            return 0
        try:
            with locked(self.folder / "lock", wait_s=0):
                self._send_all()
        except Busy:  # another runner is sending
            pass
        return len(self._waiting())

    def _post(self, letter: Letter) -> None:
        name = f"{time.time_ns()}-{uuid.uuid4().hex[:8]}.json"
        try:
            write_whole(self.folder / name, letter.model_dump_json())
        except StorageUnavailable:
            self._send(letter)  # the disk can't keep it: now or never
        else:
            self.flush()

    def _waiting(self) -> list[Path]:
        return sorted(self.folder.glob("*.json"))

    def _send_all(self) -> None:
        for path in self._waiting():
            try:
                self._send(Letter.model_validate_json(path.read_bytes()))
            except ServiceUnavailable:
                return
            except (RouterError, ValueError):  # a decision this journal does not know; another one may
                continue
            path.unlink(missing_ok=True)

    def _send(self, letter: Letter) -> None:
        if letter.outcome:
            self.routing.record_outcome(letter.outcome)
        if letter.feedback:
            self.routing.record_feedback(letter.feedback)
