"""One database of entries: SQLite (WAL) or PostgreSQL, opened at the first use, safe for threads and processes."""

import sqlite3
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from runner.errors import BadInput
from runner.memory.errors import MemoryUnavailable
from runner.memory.sql import tables
from runner.memory.sql.fulltext import PostgresWords, SqliteWords
from runner.storage import make_folder

SCHEMA = 1
LOCK_WAIT_S = 30.0
"""Longest wait for another process that writes."""
_SCHEMA_LOCK = 5_312_017
_WRITE = "memory_write"


class Database:
    """Hands out connections; what goes wrong in one becomes `MemoryUnavailable`."""

    def __init__(self, url: str) -> None:
        """Name the database; nothing is opened or made yet."""
        self.url = url
        self._engine: sa.Engine | None = None
        self._opening = threading.Lock()

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        try:
            return sa.make_url(self.url).render_as_string(hide_password=True)
        except SQLAlchemyError:
            return "RUNNER_DATABASE_URL"

    @property
    def words(self) -> SqliteWords | PostgresWords:
        """The full-text index that this database has."""
        return SqliteWords() if self._open().dialect.name == "sqlite" else PostgresWords()

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return str(self._open().dialect.name)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees what is committed."""
        with self._answering(), self._open().connect() as connection:
            yield connection

    @contextmanager
    def writing(self, scope: str) -> Iterator[sa.Connection]:
        """A transaction; those of one scope come one after the other, so that changes are numbered in order."""
        with self._answering(), self._open().connect() as plain:
            connection = plain.execution_options(**{_WRITE: True})
            with connection.begin():
                if connection.dialect.name != "sqlite":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(zlib.crc32(scope.encode()))))
                yield connection

    def close(self) -> None:
        """Close the connections."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            raise MemoryUnavailable(self.shown_url, _why(error)) from error

    def _open(self) -> sa.Engine:
        with self._opening, self._answering():
            if self._engine is None:
                engine = _engine(self.url)
                try:
                    self._prepare(engine)
                except BaseException:
                    engine.dispose()
                    raise
                self._engine = engine
            return self._engine

    def _prepare(self, engine: sa.Engine) -> None:
        sqlite = engine.dialect.name == "sqlite"
        with engine.connect() as plain:
            connection = plain.execution_options(**{_WRITE: True})
            with connection.begin():
                if not sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
                tables.metadata.create_all(connection)
                (SqliteWords() if sqlite else PostgresWords()).create(connection)
                found = connection.scalar(sa.select(tables.schema.c.version))
                if found is None:
                    connection.execute(sa.insert(tables.schema).values(version=SCHEMA))
                elif found > SCHEMA:
                    problem = f"was written by a newer version (schema {found}, this one reads {SCHEMA}); upgrade"
                    raise MemoryUnavailable(self.shown_url, problem)


def _engine(url: str) -> sa.Engine:
    address = sa.make_url(url)
    backend = address.get_backend_name()
    if backend == "postgresql":
        return sa.create_engine(address.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    if backend != "sqlite" or not address.database:
        raise BadInput(f"RUNNER_DATABASE_URL: {backend} is not supported; use sqlite:///FILE or postgresql://HOST/NAME")
    make_folder(Path(address.database).parent)
    engine = sa.create_engine(address, connect_args={"timeout": LOCK_WAIT_S, "isolation_level": None})

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing; a power cut may take the last writes, but never damages the file.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def _began(connection: sa.Connection) -> None:
        # A transaction that reads first and writes later would fail where another wrote in between.
        write = connection.get_execution_options().get(_WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _why(error: Exception) -> str:
    cause: Any = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__
