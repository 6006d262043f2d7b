"""The journal's database, by SQLAlchemy (with `router.journal.tables` the router's one door to it)."""

import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from router.errors import JournalError, ReusedKey, UnknownDecision
from router.journal import tables
from router.journal.record import SCHEMA
from router.journal.stored import StoredDecision
from router.schemas import Decision, Feedback, Outcome

LOCK_TIMEOUT_S = 2.0
"""Longest wait for another process that writes to the same SQLite file, and for a server to answer."""
KEY_LIFETIME_S = 24 * 3600.0
"""How long an idempotency key is remembered."""


class Database:
    """SQLite (WAL) or any database SQLAlchemy reaches. Opening touches nothing: tables are made at the first use."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine: sa.Engine | None = None
        self._opening = threading.Lock()

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        try:
            return sa.make_url(self.url).render_as_string(hide_password=True)
        except SQLAlchemyError:
            return "ROUTER_DATABASE_URL"

    def add_rows(self, rows: Sequence[dict[str, Any]]) -> None:
        """Append rows of `decisions` in one transaction; raises `JournalError`."""
        with self._begin() as connection:
            connection.execute(sa.insert(tables.decisions), list(rows))

    def add_outcome(self, outcome: Outcome, key: str | None) -> None:
        """Store an outcome once per `key`; raises `UnknownDecision`, `ReusedKey`, `JournalError`."""
        columns = tables.outcomes.c
        row = {
            "decision_id": outcome.decision_id, "run_id": outcome.run_id, "created_at": time.time(),
            "platform": outcome.platform, "status": outcome.status, "outcome": outcome.model_dump(mode="json"),
        }  # fmt: skip
        with self._begin() as connection:
            if key is not None and _seen(connection, key, outcome):
                return
            _check_known(connection, outcome.decision_id)
            same = (columns.decision_id == outcome.decision_id) & (columns.run_id == outcome.run_id)
            connection.execute(sa.delete(tables.outcomes).where(same))
            connection.execute(sa.insert(tables.outcomes).values(row))

    def add_feedback(self, feedback: Feedback) -> None:
        """Store a correction; raises `UnknownDecision`, `JournalError`."""
        row = {
            "decision_id": feedback.decision_id, "created_at": time.time(),
            "feedback": feedback.model_dump(mode="json"),
        }  # fmt: skip
        with self._begin() as connection:
            _check_known(connection, feedback.decision_id)
            connection.execute(sa.insert(tables.feedback).values(row))

    def decisions(self, limit: int, before: str | None) -> list[StoredDecision]:
        """The latest decisions, newest first; raises `UnknownDecision`, `JournalError`."""
        columns = tables.decisions.c
        query = sa.select(tables.decisions).order_by(columns.created_at.desc(), columns.id.desc()).limit(limit)
        with self._begin() as connection:
            if before is not None:
                _check_known(connection, before)
                seen = sa.select(columns.created_at).where(columns.id == before).scalar_subquery()
                query = query.where(
                    (columns.created_at < seen) | ((columns.created_at == seen) & (columns.id < before))
                )
            return [_stored(row) for row in connection.execute(query).mappings()]

    def history(self) -> list[tuple[StoredDecision, list[Outcome], list[Feedback]]]:
        """Every decision with its outcomes and feedback, oldest first; raises `JournalError`."""
        oldest_first = sa.select(tables.decisions).order_by(tables.decisions.c.created_at, tables.decisions.c.id)
        outcomes: dict[str, list[Outcome]] = defaultdict(list)
        feedback: dict[str, list[Feedback]] = defaultdict(list)
        with self._begin() as connection:
            decisions = [_stored(row) for row in connection.execute(oldest_first).mappings()]
            for row in connection.execute(sa.select(tables.outcomes.c.outcome).order_by(tables.outcomes.c.created_at)):
                outcome = Outcome.model_validate(row.outcome)
                outcomes[outcome.decision_id].append(outcome)
            for row in connection.execute(sa.select(tables.feedback.c.feedback).order_by(tables.feedback.c.id)):
                said = Feedback.model_validate(row.feedback)
                feedback[said.decision_id].append(said)
        return [
            (stored, outcomes[stored.decision.decision_id], feedback[stored.decision.decision_id])
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
        except (SQLAlchemyError, OSError, TypeError, ValueError) as error:
            passing = isinstance(error, OperationalError | OSError)
            raise JournalError(self.shown_url, _why(error), passing=passing) from error

    def _open(self) -> sa.Engine:
        with self._opening:
            if self._engine is None or _vanished(self._engine.url):
                self.close()
                self._engine = self._prepared(_engine(self.url))
            return self._engine

    def _prepared(self, engine: sa.Engine) -> sa.Engine:
        with engine.begin() as connection:
            tables.metadata.create_all(connection)
            version = connection.scalar(sa.select(sa.func.max(tables.schema.c.version)))
            if version is None:
                connection.execute(sa.insert(tables.schema).values(version=SCHEMA))
        if version is not None and version > SCHEMA:
            engine.dispose()
            raise JournalError(self.shown_url, f"has schema {version}, this program reads {SCHEMA}; upgrade it")
        return engine


def _seen(connection: sa.Connection, key: str, outcome: Outcome) -> bool:
    columns, now = tables.requests.c, time.time()
    sent = hashlib.sha256(outcome.model_dump_json().encode()).hexdigest()
    connection.execute(sa.delete(tables.requests).where(columns.created_at < now - KEY_LIFETIME_S))
    before = connection.scalar(sa.select(columns.digest).where(columns.key == key))
    if before is None:
        connection.execute(sa.insert(tables.requests).values(key=key, created_at=now, digest=sent))
    elif before != sent:
        raise ReusedKey(key)
    return before is not None


def _check_known(connection: sa.Connection, decision_id: str) -> None:
    known = sa.select(sa.literal(1)).where(tables.decisions.c.id == decision_id)
    if connection.scalar(known) is None:
        raise UnknownDecision(decision_id)


def _engine(url: str) -> sa.Engine:
    address = sa.make_url(url)
    if address.get_backend_name() != "sqlite":
        return sa.create_engine(address, pool_pre_ping=True, connect_args=_timeout(address))
    if not _file(address):
        return sa.create_engine(address)
    Path(_file(address)).parent.mkdir(parents=True, exist_ok=True)
    # No pool: a pooled connection would go on writing to a file that somebody has deleted.
    engine = sa.create_engine(address, connect_args={"timeout": LOCK_TIMEOUT_S}, poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def _timeout(address: sa.URL) -> dict[str, Any]:
    return {"connect_timeout": int(LOCK_TIMEOUT_S)} if address.get_driver_name() == "psycopg" else {}


def _file(address: sa.URL) -> str:
    in_file = address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}
    return str(address.database).removeprefix("file:") if in_file else ""  # SQLite's own URIs begin so


def _vanished(address: sa.URL) -> bool:
    return bool(_file(address)) and not Path(_file(address)).is_file()


def _stored(row: Any) -> StoredDecision:
    return StoredDecision(
        decision=Decision.model_validate(row["decision"]),
        task=row["task"],
        created_at=datetime.fromtimestamp(row["created_at"], UTC),
        context=row["context"],
    )


def _why(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__
