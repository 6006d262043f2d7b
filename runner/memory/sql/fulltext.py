"""The full-text index: SQLite's FTS5, or PostgreSQL's tsvector, over the words that `runner.memory.words` makes."""

import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from runner.memory.sql.tables import entries
from runner.memory.view import View

NEWEST = 128
"""Entries looked at for one word, newest first: more hold it only where it says little."""
MOST_TERMS = 32
_PLACE = "\ue000"
"""Begins the tokens that say where an entry lies. A private character: no word begins so, and FTS5 keeps it."""


class SqliteWords:
    """An FTS5 table of its own. Scope, namespace and run are words too, so that they narrow before the limit does."""

    def create(self, connection: sa.Connection) -> None:
        """Make the index where there is none."""
        options = 'tokenize="unicode61 remove_diacritics 0", detail=none'
        connection.exec_driver_sql(f"CREATE VIRTUAL TABLE IF NOT EXISTS memory_words USING fts5(words, {options})")

    def put(self, connection: sa.Connection, entry_id: int, place: Sequence[str], found: Sequence[str]) -> None:
        """Index an entry anew; `place` is its scope, namespace and run."""
        self.drop(connection, entry_id)
        text = " ".join((*(_token(kind, name) for kind, name in zip("snr", place, strict=True)), *found))
        connection.exec_driver_sql("INSERT INTO memory_words(rowid, words) VALUES (?, ?)", (entry_id, text))

    def drop(self, connection: sa.Connection, entry_id: int) -> None:
        """Forget an entry."""
        connection.exec_driver_sql("DELETE FROM memory_words WHERE rowid = ?", (entry_id,))

    def find(
        self, connection: sa.Connection, view: View, namespaces: Sequence[str], terms: Sequence[str]
    ) -> list[tuple[int, int]]:
        """Return (number of the term, entry id) for the newest entries that hold each term."""
        place = [_token("s", view.scope)]
        if namespaces:
            place.append(_any(_token("n", name) for name in namespaces))
        if view.run:
            place.append(_any(_token("r", name) for name in ("", view.run)))
        one = (
            "SELECT * FROM (SELECT {}, rowid FROM memory_words WHERE memory_words MATCH ? ORDER BY rowid DESC LIMIT {})"
        )
        statement = " UNION ALL ".join(one.format(number, NEWEST) for number in range(len(terms)))
        asked = tuple(" AND ".join((f'"{term}"', *place)) for term in terms)
        return [(row[0], row[1]) for row in connection.exec_driver_sql(statement, asked).all()]


class PostgresWords:
    """A table of tsvectors with a GIN index; scope, namespace and run are asked of the entries themselves."""

    def create(self, connection: sa.Connection) -> None:
        """Make the index where there is none; the caller holds a lock."""
        _postgres.create(connection, checkfirst=True)

    def put(self, connection: sa.Connection, entry_id: int, place: Sequence[str], found: Sequence[str]) -> None:
        """Index an entry anew; its place is known already."""
        del place
        self.drop(connection, entry_id)
        lexemes = sa.func.array_to_tsvector(sa.cast(list(found), postgresql.ARRAY(sa.Text)))
        connection.execute(sa.insert(_postgres).values(entry_id=entry_id, words=lexemes))

    def drop(self, connection: sa.Connection, entry_id: int) -> None:
        """Forget an entry."""
        connection.execute(sa.delete(_postgres).where(_postgres.c.entry_id == entry_id))

    def find(
        self, connection: sa.Connection, view: View, namespaces: Sequence[str], terms: Sequence[str]
    ) -> list[tuple[int, int]]:
        """Return (number of the term, entry id) for the newest entries that hold each term."""
        where: list[sa.ColumnElement[bool]] = [entries.c.scope == view.scope]
        if namespaces:
            where.append(entries.c.namespace.in_(namespaces))
        if view.run:
            where.append(entries.c.run.in_(("", view.run)))
        both = _postgres.join(entries, entries.c.id == _postgres.c.entry_id)

        def one(number: int, term: str) -> Any:
            holds = _postgres.c.words.op("@@")(sa.cast(f"'{term}'", postgresql.TSQUERY))
            found = sa.select(sa.literal(number).label("term"), entries.c.id).select_from(both).where(holds, *where)
            return sa.select(found.order_by(entries.c.id.desc()).limit(NEWEST).subquery())

        statement = sa.union_all(*(one(number, term) for number, term in enumerate(terms)))
        return [(row[0], row[1]) for row in connection.execute(statement).all()]


_postgres = sa.Table(
    "memory_words", sa.MetaData(),
    sa.Column("entry_id", sa.ForeignKey(entries.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("words", postgresql.TSVECTOR, nullable=False),
    sa.Index("memory_words_index", "words", postgresql_using="gin"),
)  # fmt: skip


def _token(kind: str, name: str) -> str:
    return f"{_PLACE}{kind}{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _any(tokens: Any) -> str:
    return f"({' OR '.join(tokens)})"
