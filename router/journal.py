"""The record of decisions, outcomes and feedback that retraining learns from (the router's one door to SQLAlchemy)."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from router.errors import JournalError, UnknownDecision
from router.schemas import Decision, Feedback, Outcome, StoredDecision
from router.scrub import scrub, scrub_all

SCHEMA = 1
LOCK_TIMEOUT_S = 2.0
"""Longest wait for another process that writes to the same SQLite file."""

_tables = sa.MetaData()
_meta = sa.Table("journal_schema", _tables, sa.Column("version", sa.Integer, primary_key=True))
_decisions = sa.Table(
    "decisions", _tables,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("created_at", sa.Float, nullable=False, index=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("embedding", sa.LargeBinary),
    sa.Column("platform", sa.String(64), nullable=False),
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("propensity", sa.Float, nullable=False),
    sa.Column("model_version", sa.String(128)),
    sa.Column("decision", sa.JSON, nullable=False),
    sa.Column("context", sa.JSON),
)  # fmt: skip
_outcomes = sa.Table(
    "outcomes", _tables,
    sa.Column("decision_id", sa.String(64), sa.ForeignKey("decisions.id"), primary_key=True),
    sa.Column("run_id", sa.String(128), primary_key=True),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("platform", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("outcome", sa.JSON, nullable=False),
)  # fmt: skip
_feedback = sa.Table(
    "feedback", _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("decision_id", sa.String(64), sa.ForeignKey("decisions.id"), nullable=False, index=True),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("feedback", sa.JSON, nullable=False),
)  # fmt: skip


class Journal:
    """Decisions and what came of them, in SQLite (WAL) or any database SQLAlchemy reaches.

    Opening touches nothing: the tables are made at the first use.
    """

    def __init__(self, url: str, *, store_tasks: Literal["text", "hash"] = "text") -> None:
        self.url, self.store_tasks = url, store_tasks
        self._engine: sa.Engine | None = None

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return _shown(self.url)

    def add_decision(
        self, decision: Decision, task: str, context: dict[str, Any] | None, embedding: bytes | None = None
    ) -> None:
        """Store a decision, secrets scrubbed; raises `JournalError`."""
        hashed = self.store_tasks == "hash"
        stored = decision.model_dump(mode="json")
        if hashed:
            stored["similar"] = []
        row = {
            "id": decision.decision_id, "created_at": time.time(),
            "task": digest(task) if hashed else scrub(task), "embedding": embedding,
            "platform": decision.platform, "source": decision.source, "propensity": decision.propensity,
            "model_version": decision.model_version, "decision": stored,
            "context": None if hashed else scrub_all(context),
        }  # fmt: skip
        with self._begin() as connection:
            connection.execute(sa.insert(_decisions).values(row))

    def add_outcome(self, outcome: Outcome) -> None:
        """Store an outcome; the same run's later outcome replaces it.

        Raises:
            UnknownDecision: the journal has no such decision.
            JournalError: it can't be written.
        """
        row = {
            "decision_id": outcome.decision_id, "run_id": outcome.run_id, "created_at": time.time(),
            "platform": outcome.platform, "status": outcome.status, "outcome": outcome.model_dump(mode="json"),
        }  # fmt: skip
        with self._begin() as connection:
            self._check_known(connection, outcome.decision_id)
            same = (_outcomes.c.decision_id == outcome.decision_id) & (_outcomes.c.run_id == outcome.run_id)
            connection.execute(sa.delete(_outcomes).where(same))
            connection.execute(sa.insert(_outcomes).values(row))

    def add_feedback(self, feedback: Feedback) -> None:
        """Store a correction; raises `UnknownDecision`, `JournalError`."""
        row = {
            "decision_id": feedback.decision_id, "created_at": time.time(),
            "feedback": feedback.model_dump(mode="json"),
        }  # fmt: skip
        with self._begin() as connection:
            self._check_known(connection, feedback.decision_id)
            connection.execute(sa.insert(_feedback).values(row))

    def decisions(self, limit: int = 50, before: str | None = None) -> list[StoredDecision]:
        """The latest decisions, newest first; `before` is the id of the last one already seen."""
        query = sa.select(_decisions).order_by(_decisions.c.created_at.desc(), _decisions.c.id.desc()).limit(limit)
        with self._begin() as connection:
            if before is not None:
                self._check_known(connection, before)
                seen = sa.select(_decisions.c.created_at).where(_decisions.c.id == before).scalar_subquery()
                query = query.where(
                    (_decisions.c.created_at < seen) | ((_decisions.c.created_at == seen) & (_decisions.c.id < before))
                )
            return [_stored(row) for row in connection.execute(query).mappings()]

    def history(self) -> list[tuple[StoredDecision, list[Outcome], list[Feedback]]]:
        """Every decision with its outcomes and feedback, oldest first: what retraining reads."""
        with self._begin() as connection:
            decisions = [_stored(row) for row in connection.execute(
                sa.select(_decisions).order_by(_decisions.c.created_at, _decisions.c.id)).mappings()]  # fmt: skip
            outcomes = [Outcome.model_validate(row.outcome) for row in connection.execute(
                sa.select(_outcomes.c.outcome).order_by(_outcomes.c.created_at))]  # fmt: skip
            feedback = [Feedback.model_validate(row.feedback) for row in connection.execute(
                sa.select(_feedback.c.feedback).order_by(_feedback.c.id))]  # fmt: skip
        return [
            (
                stored,
                [o for o in outcomes if o.decision_id == stored.decision.decision_id],
                [f for f in feedback if f.decision_id == stored.decision.decision_id],
            )
            for stored in decisions
        ]

    def close(self) -> None:
        """Close the connections."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        try:
            with self._open().begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise JournalError(self.shown_url, _why(error)) from error

    def _open(self) -> sa.Engine:
        if self._engine is None:
            engine = _engine(self.url)
            with engine.begin() as connection:
                _tables.create_all(connection)
                version = connection.scalar(sa.select(sa.func.max(_meta.c.version)))
                if version is None:
                    connection.execute(sa.insert(_meta).values(version=SCHEMA))
            if version is not None and version > SCHEMA:
                engine.dispose()
                raise JournalError(self.shown_url, f"has schema {version}, this program reads {SCHEMA}; upgrade it")
            self._engine = engine
        return self._engine

    def _check_known(self, connection: sa.Connection, decision_id: str) -> None:
        if connection.scalar(sa.select(sa.func.count()).where(_decisions.c.id == decision_id)) == 0:
            raise UnknownDecision(decision_id)


def digest(task: str) -> str:
    """What is stored of a task in hash mode."""
    return "sha256:" + hashlib.sha256(task.encode()).hexdigest()


def _engine(url: str) -> sa.Engine:
    address = sa.make_url(url)
    if address.get_backend_name() != "sqlite":
        return sa.create_engine(address, pool_pre_ping=True)
    if address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(address, connect_args={"timeout": LOCK_TIMEOUT_S})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def _stored(row: Any) -> StoredDecision:
    return StoredDecision(
        decision=Decision.model_validate(row["decision"]),
        task=row["task"],
        created_at=datetime.fromtimestamp(row["created_at"], UTC),
        context=row["context"],
    )


def _shown(url: str) -> str:
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "ROUTER_DATABASE_URL"


def _why(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__
