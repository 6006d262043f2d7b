"""The router where no service runs: in a process of its own, which is gone once the tasks are routed.

It takes ten times the memory of what follows sessions for hours. For a platform that the user chose himself it is not
started at all: his word decides, and the journal hears of it with the outcomes.
"""

import json
import os
import secrets
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from router.labels import MODES, Mode, Platform, Source
from router.schemas import Choice, Decision, Feedback, Outcome
from runner.errors import BadInput, RouterFailed
from runner.process import start_apart
from runner.storage import make_folder

SERVICE = ("127.0.0.1", 8787)
"""Where `router serve` listens unless told otherwise."""
PROBE_S = 0.3
LONGEST_S = 120.0
"""Longest that loading the router and one decision may take."""
REASON = "you said so"


def is_served(url: str | None) -> bool:
    """True where a service is named, or something listens where one would be."""
    if url is not None:
        return url != "local"
    with suppress(OSError), socket.create_connection(SERVICE, PROBE_S):
        return True
    return False


class RoutingApart:
    """Routes tasks; what came of them is for the outbox, whose letters the worker sends."""

    def __init__(self, home: Path) -> None:
        """`home` is the data folder; nothing is started yet."""
        self.choices: list[Choice] = []
        """What the user chose up to now; to be kept in the outbox before anything starts."""
        self._home = home
        self._line: socket.socket | None = None

    def begin(self) -> socket.socket:
        """Have the router loaded meanwhile, for it will be asked; returns the line to it."""
        if self._line is None:
            folder = self._home / "executor"
            make_folder(folder)
            self._line, theirs = socket.socketpair()
            self._line.settimeout(LONGEST_S)
            argv = (sys.executable, "-P", "-m", "runner.orders.router_process")
            with theirs:
                start_apart(argv, os.environ, folder / "log.txt", theirs.fileno())
        return self._line

    def route(self, task: str, context: dict[str, Any] | None = None, platform: Platform | None = None) -> Decision:
        """Decide who should take `task`; `platform` is the user's own choice and always wins.

        Raises:
            BadInput: the task is none.
            RouterFailed: the router can't be used; the sentence and the exit code are its own.
        """
        if platform is not None and MODES[platform] is not Mode.HYBRID:
            return self._choose(task, context, platform)
        answer = self._ask({"task": task, "context": context, "platform": platform})
        if "decision" in answer:
            return Decision.model_validate(answer["decision"])
        raise RouterFailed(str(answer["problem"]), int(answer["exit_code"]))

    def record_outcome(self, outcome: Outcome) -> None:
        """Not here; raises `RouterFailed`."""
        raise RouterFailed(f"what came of {outcome.decision_id} is for the outbox", 6)

    def record_feedback(self, feedback: Feedback) -> None:
        """Not here; raises `RouterFailed`."""
        raise RouterFailed(f"what is said of {feedback.decision_id} is for the outbox", 6)

    def close(self) -> None:
        """Have the router's process end; it is started again where it is asked again."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _choose(self, task: str, context: dict[str, Any] | None, platform: Platform) -> Decision:
        chosen_id = secrets.token_hex(8)
        try:
            choice = Choice(decision_id=chosen_id, task=task, context=context, platform=platform)
        except ValidationError as error:
            raise BadInput(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
        self.choices.append(choice)
        return Decision(
            decision_id=chosen_id, platform=platform, mode=MODES[platform], workflow=None, task_type=None,
            confidence=1.0, probabilities={}, task_types={}, source=Source.OVERRIDE, reason=REASON,
            needs_confirmation=False, similar=[], model_version=None, latency_ms=0.0,
        )  # fmt: skip

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        line, said = self.begin(), b""
        try:
            line.sendall(json.dumps(question).encode() + b"\n")
            while not said.endswith(b"\n") and (more := line.recv(1 << 16)):
                said += more
            answer: dict[str, Any] = json.loads(said)
        except (OSError, ValueError) as error:
            raise RouterFailed(f"the router does not answer; see {self._home / 'executor/log.txt'}", 6) from error
        return answer
