"""The router itself, in process; the HTTP service and `router route` both use this one."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from router.artifact import Model
from router.decision import choose
from router.errors import ArtifactError, InvalidTask, JournalError, PolicyError
from router.journal import Journal
from router.labels import Platform
from router.policy import SHIPPED, Policy
from router.predictor import Answer, Predictor, as_decision
from router.record import Entry
from router.registry import Marker, Registry
from router.schemas import Decision, Feedback, Outcome, StoredDecision, Task
from router.writer import JournalWriter

if TYPE_CHECKING:
    from router.settings import Settings

LOOK_AGAIN_S = 1.0
"""How often the registry is asked whether another version has been promoted, or a file of it changed."""
TRY_AGAIN_S = 5.0
"""How often a model that can't be loaded is tried again though nothing changed."""
KEPT_DECISIONS = 5000
"""Decisions kept in memory while the journal can't be written; older ones are lost, and counted."""
_task = TypeAdapter(Task)
_log = logging.getLogger("router")


@dataclass(frozen=True)
class Routed:
    """A decision as it was made; what observers are told."""

    decision: Decision
    answer: Answer | None
    """What the model said; None where no model could answer."""
    cached: bool
    """True where the model had said it before."""
    seconds: float
    """From the call to the decision."""


class Router:
    """Routes tasks with the served model, or with the seed's rules where there is none."""

    def __init__(self, registry: Registry, journal: Journal) -> None:
        self.registry = registry
        self.writer = JournalWriter(journal, KEPT_DECISIONS)
        self.observers: list[Callable[[Routed], None]] = []
        """Called with every decision, in the thread that made it."""
        self._tally: Counter[str] = Counter()
        self._rules: Policy | None = None
        self._predictor: Predictor | None = None
        self._problem: str | None = None
        self._marker: Marker = ()
        self._looked_at = self._loaded_at = float("-inf")
        self._loading = threading.Lock()
        self.reload()

    @property
    def journal(self) -> Journal:
        """The journal, with every decision made so far in it as long as it can be written."""
        self._settle()
        return self.writer.journal

    @property
    def model(self) -> Model | None:
        """The model served; None where the seed's rules decide."""
        return self._predictor.model if self._predictor else None

    @property
    def problem(self) -> str | None:
        """Why there is no model; None where there is one."""
        return self._problem

    @property
    def counts(self) -> dict[str, int]:
        """decisions, degraded, reloads, load_failures and the journal's: written, errors, lost, pending."""
        writer = self.writer
        return {
            **{name: self._tally[name] for name in ("decisions", "degraded", "reloads", "load_failures")},
            "journal_written": writer.written, "journal_errors": writer.failures,
            "journal_lost": writer.lost, "journal_pending": writer.pending,
        }  # fmt: skip

    def reload(self) -> None:
        """Load the version that the registry names; a failure keeps the rules deciding, never raises."""
        with self._loading:
            self._load(self.registry.marker())

    def look(self) -> None:
        """Load anew if another version was promoted or a file changed; asks at most once in `LOOK_AGAIN_S`."""
        if time.monotonic() - self._looked_at < LOOK_AGAIN_S or not self._loading.acquire(blocking=False):
            return  # another thread is loading: its model serves from the next call on
        try:
            self._looked_at = time.monotonic()
            marker = self.registry.marker()
            failed_long_ago = self._predictor is None and self._looked_at - self._loaded_at >= TRY_AGAIN_S
            if marker != self._marker or failed_long_ago:
                self._load(marker)
        finally:
            self._loading.release()

    def route(self, task: str, context: dict[str, Any] | None = None, platform: Platform | None = None) -> Decision:
        """Decide who should take `task`; `platform` is the user's own choice and always wins.

        Raises:
            InvalidTask: the task is blank, too long, or no text.
        """
        started = time.perf_counter()
        _check(task)
        self.look()
        predictor = self._predictor
        answer = self._ask(predictor, task)
        policy = predictor.model.policy if predictor else self._seed_policy()
        choice = choose(task, answer.prediction if answer else None, policy, platform)
        version = predictor.model.version if predictor and answer else None
        decision = as_decision(choice, answer, version, time.perf_counter() - started)
        self._tally["decisions"] += 1
        embedding = answer.vector.astype(np.float16).tobytes() if answer else None
        self.writer.put(Entry(decision, task, context, embedding))
        routed = Routed(decision, answer, bool(answer and answer.began < started), time.perf_counter() - started)
        for observe in self.observers:
            observe(routed)
        return decision

    def record_outcome(self, outcome: Outcome, key: str | None = None) -> None:
        """Store durably what came of a decision; the same `key` again changes nothing.

        Raises:
            UnknownDecision: no decision has this id.
            ReusedKey: the key came with another outcome before.
            JournalError: it can't be stored now.
        """
        self.writer.flush()
        self.writer.journal.add_outcome(outcome, key)

    def record_feedback(self, feedback: Feedback) -> None:
        """Store durably a person's correction; raises `UnknownDecision`, `JournalError`."""
        self.writer.flush()
        self.writer.journal.add_feedback(feedback)

    def decisions(self, limit: int = 50, before: str | None = None) -> list[StoredDecision]:
        """The latest decisions, newest first; raises `UnknownDecision`, `JournalError`."""
        return self.journal.decisions(limit, before)

    def close(self) -> None:
        """Write what is still unwritten and close the journal."""
        self.writer.close()
        self.writer.journal.close()

    def _settle(self) -> None:
        try:
            self.writer.flush()
        except JournalError as error:
            _log.warning("journal_behind", extra={"problem": error.problem, "decisions": self.writer.pending})

    def _ask(self, predictor: Predictor | None, task: str) -> Answer | None:
        if predictor is not None:
            try:
                return predictor.predict(task)
            except ArtifactError as error:
                _log.error("encoder_failed", extra={"problem": error.problem})
        self._tally["degraded"] += 1
        return None

    def _seed_policy(self) -> Policy:
        self._rules = self._rules or Policy.open(SHIPPED)
        return self._rules

    def _load(self, marker: Marker) -> None:
        self._looked_at = self._loaded_at = time.monotonic()
        self._marker = marker
        self._tally["reloads"] += 1
        try:
            self._predictor, self._problem = Predictor(self.registry.load_current()), None
        except (ArtifactError, PolicyError, OSError) as error:
            self._predictor, self._problem = None, str(error)
            self._tally["load_failures"] += 1
            _log.warning("no_model", extra={"problem": self._problem})
        else:
            _log.info("model_loaded", extra={"version": self._predictor.model.version})


def open_router(settings: "Settings | None" = None) -> Router:
    """The router that the settings (by default: the environment) describe."""
    from router.settings import Settings

    settings = settings or Settings()
    return Router(Registry.of(settings), Journal(settings.journal_url(), store_tasks=settings.store_tasks))


def _check(task: str) -> None:
    try:
        _task.validate_python(task, strict=True)
    except ValidationError as error:
        raise InvalidTask(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
