"""The router itself, in process; the HTTP service and `router route` both use this one."""

import logging
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from router.artifact import Model
from router.decision import Prediction, choose
from router.errors import ArtifactError, InvalidTask, JournalError
from router.journal import Journal
from router.labels import Platform
from router.policy import SHIPPED, Policy
from router.registry import Registry
from router.schemas import Decision, Feedback, Outcome, Similar, StoredDecision, Task
from router.settings import Settings

LOOK_AGAIN_S = 1.0
"""How often the registry is asked whether another version has been promoted."""
KEPT_DECISIONS = 1000
"""Decisions kept in memory while the journal can't be written; older ones are lost, and counted."""
_task = TypeAdapter(Task)
_log = logging.getLogger("router")


class Router:
    """Routes tasks with the served model, or with the seed's rules where there is none."""

    def __init__(self, registry: Registry, journal: Journal) -> None:
        self.registry, self.journal = registry, journal
        self.counts: Counter[str] = Counter()
        """decisions, degraded, journal_errors, journal_lost."""
        self._rules = Policy.open(SHIPPED)
        self._model: Model | None = None
        self._problem: str | None = None
        self._marker: tuple[int, int] | None = None
        self._looked_at = float("-inf")
        self._loading = threading.Lock()
        self._unwritten: deque[Callable[[], None]] = deque(maxlen=KEPT_DECISIONS)
        self.reload()

    @property
    def model(self) -> Model | None:
        """The model served; None where the seed's rules decide."""
        return self._model

    @property
    def problem(self) -> str | None:
        """Why there is no model; None where there is one."""
        return self._problem

    def reload(self) -> None:
        """Load the version that the registry names; a failure keeps the rules deciding, never raises."""
        with self._loading:
            self._load()

    def route(self, task: str, context: dict[str, Any] | None = None, platform: Platform | None = None) -> Decision:
        """Decide who should take `task`; `platform` is the user's own choice and always wins.

        Raises:
            InvalidTask: the task is blank, too long, or no text.
        """
        started = time.perf_counter()
        self._check(task)
        self._look()
        model = self._model
        prediction, vector = self._predict(model, task)
        policy = model.policy if model else self._rules
        choice = choose(task, prediction, policy, platform)
        decision = Decision(
            decision_id=uuid.uuid4().hex[:16],
            platform=choice.platform,
            mode=choice.mode,
            workflow=choice.workflow,
            task_type=choice.task_type,
            confidence=round(choice.confidence, 6),
            probabilities={name: round(p, 6) for name, p in choice.probabilities.items()},
            task_types={name: round(p, 6) for name, p in prediction.task_types.items()} if prediction else {},
            source=choice.source,
            reason=choice.reason,
            needs_confirmation=choice.needs_confirmation,
            similar=self._similar(model, vector),
            model_version=model.version if model and prediction else None,
            latency_ms=round((time.perf_counter() - started) * 1000, 3),
        )
        self.counts["decisions"] += 1
        embedding = None if vector is None else vector.astype(np.float16).tobytes()
        self._write(lambda: self.journal.add_decision(decision, task, context, embedding))
        return decision

    def record_outcome(self, outcome: Outcome) -> None:
        """Store durably what came of a decision; raises `UnknownDecision`, `JournalError`."""
        self._flush()
        self.journal.add_outcome(outcome)

    def record_feedback(self, feedback: Feedback) -> None:
        """Store durably a person's correction; raises `UnknownDecision`, `JournalError`."""
        self._flush()
        self.journal.add_feedback(feedback)

    def decisions(self, limit: int = 50, before: str | None = None) -> list[StoredDecision]:
        """The latest decisions, newest first; raises `UnknownDecision`, `JournalError`."""
        return self.journal.decisions(limit, before)

    def close(self) -> None:
        """Write what is still unwritten and close the journal."""
        self._flush()
        self.counts["journal_lost"] += len(self._unwritten)
        self.journal.close()

    def _check(self, task: str) -> None:
        try:
            _task.validate_python(task, strict=True)
        except ValidationError as error:
            raise InvalidTask(error.errors()[0]["msg"].removeprefix("Value error, ")) from error

    def _predict(self, model: Model | None, task: str) -> tuple[Prediction | None, Any]:
        if model is None:
            self.counts["degraded"] += 1
            return None, None
        try:
            vector = model.encoder.encode(task)
        except ArtifactError as error:
            _log.error("encoder_failed", extra={"problem": error.problem})
            self.counts["degraded"] += 1
            return None, None
        probabilities = model.classifier.predict_proba(vector[None])[0]
        return Prediction.of(dict(zip(model.classifier.classes_, map(float, probabilities), strict=True))), vector

    def _similar(self, model: Model | None, vector: Any) -> list[Similar]:
        return model.examples.nearest(vector) if model and vector is not None else []

    def _look(self) -> None:
        if time.monotonic() - self._looked_at < LOOK_AGAIN_S or not self._loading.acquire(blocking=False):
            return  # another thread is loading: its model serves from the next call on
        try:
            self._looked_at = time.monotonic()
            if self._model is None or self.registry.marker() != self._marker:
                self._load()
        finally:
            self._loading.release()

    def _load(self) -> None:
        self._looked_at, self._marker = time.monotonic(), self.registry.marker()
        try:
            self._model, self._problem = self.registry.load_current(), None
        except (ArtifactError, OSError) as error:
            self._model, self._problem = None, str(error)
            _log.warning("no_model", extra={"problem": self._problem})
        else:
            _log.info("model_loaded", extra={"version": self._model.version})

    def _write(self, write: Callable[[], None]) -> None:
        if len(self._unwritten) == KEPT_DECISIONS:
            self.counts["journal_lost"] += 1
        self._unwritten.append(write)
        self._flush()

    def _flush(self) -> None:
        while self._unwritten:
            write = self._unwritten.popleft()
            try:
                write()
            except JournalError as error:
                self._unwritten.appendleft(write)
                self.counts["journal_errors"] += 1
                _log.warning("journal_unwritable", extra={"problem": error.problem})
                return


def open_router(settings: Settings | None = None) -> Router:
    """The router that the settings (by default: the environment) describe."""
    settings = settings or Settings()
    return Router(Registry.of(settings), Journal(settings.journal_url(), store_tasks=settings.store_tasks))
