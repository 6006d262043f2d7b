"""The router itself, in process; the HTTP service and `router route` both use this one."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from router.choice.decision import choose
from router.choice.policy import SHIPPED, Policy
from router.errors import ArtifactError, InvalidTask, JournalError
from router.journal.journal import Journal
from router.journal.record import Entry
from router.journal.stored import StoredDecision
from router.journal.writer import JournalWriter
from router.labels import Platform
from router.later import Later
from router.model.artifact import Model
from router.model.current import CurrentModel
from router.model.predictor import Answer, Predictor, as_decision
from router.model.registry import Registry
from router.schemas import Decision, Feedback, Outcome, check_task

if TYPE_CHECKING:
    from router.settings import Settings

KEPT_DECISIONS = 5000
"""Decisions kept in memory while the journal can't be written; older ones are lost, and counted."""
_log = logging.getLogger("router")


class Routed(NamedTuple):
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
        """Told of every decision, a moment later (`later`)."""
        self.later = Later()
        self._tally: Counter[str] = Counter()
        self._rules: Policy | None = None
        self._current = CurrentModel(registry)

    @property
    def journal(self) -> Journal:
        """The journal, with every decision made so far in it as long as it can be written."""
        self._settle()
        return self.writer.journal

    @property
    def model(self) -> Model | None:
        """The model served; None where the seed's rules decide."""
        predictor = self._current.predictor
        return predictor.model if predictor else None

    @property
    def problem(self) -> str | None:
        """Why there is no model; None where there is one."""
        return self._current.problem

    @property
    def counts(self) -> dict[str, int]:
        """decisions, degraded, reloads, load_failures and the journal's: written, errors, lost, pending."""
        writer, current = self.writer, self._current
        return {
            "decisions": self._tally["decisions"], "degraded": self._tally["degraded"],
            "reloads": current.reloads, "load_failures": current.load_failures,
            "journal_written": writer.written, "journal_errors": writer.failures,
            "journal_lost": writer.lost, "journal_pending": writer.pending,
        }  # fmt: skip

    def reload(self) -> None:
        """Load the version that the registry names; a failure keeps the rules deciding, never raises."""
        self._current.reload()

    def look(self) -> None:
        """Load anew if another version was promoted or a file changed, but don't ask all the time."""
        self._current.look()

    def route(
        self, task: str, context: dict[str, Any] | None = None, platform: Platform | None = None,
        decision_id: str | None = None,
    ) -> Decision:  # fmt: skip
        """Decide who should take `task`; `platform` is the user's own choice and always wins.

        `decision_id` is the name of a decision that was made without us, by the user's own choice.

        Raises:
            InvalidTask: the task is blank, too long, or no text.
        """
        started = time.perf_counter()
        _check(task)
        self.look()
        predictor = self._current.predictor
        answer = self._ask(predictor, task)
        policy = predictor.model.policy if predictor else self._seed_policy()
        choice = choose(task, answer.prediction if answer else None, policy, platform)
        version = predictor.model.version if predictor and answer else None
        decision = as_decision(choice, answer, version, time.perf_counter() - started)
        decision = decision.model_copy(update={"decision_id": decision_id}) if decision_id else decision
        self._tally["decisions"] += 1
        self.writer.put(Entry(decision, task, context, answer.vector if answer else None))
        routed = Routed(decision, answer, bool(answer and answer.began < started), time.perf_counter() - started)
        for observe in self.observers:
            self.later.put(observe, routed)
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
        """Tell observers the last decisions, write what is still unwritten and close the journal."""
        self.later.close()
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


def open_router(settings: "Settings | None" = None) -> Router:
    """The router that the settings (by default: the environment) describe."""
    from router.settings import Settings

    settings = settings or Settings()
    return Router(Registry.of(settings), Journal(settings.journal_url(), store_tasks=settings.store_tasks))


def _check(task: str) -> None:
    if not isinstance(task, str):
        raise InvalidTask("the task is no text; say in a sentence what should be done")
    try:
        check_task(task)
    except ValueError as error:
        raise InvalidTask(str(error)) from error
