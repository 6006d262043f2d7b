"""Pages and counts of entries."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from runner.memory.entry import Entry
from runner.memory.sql.entries import entry_of, visible
from runner.memory.sql.tables import entries
from runner.memory.view import View

SWEPT = 500
"""Expired entries removed at once."""


def page(
    connection: sa.Connection, view: View, namespaces: Sequence[str], tags: Sequence[str], limit: int, offset: int
) -> tuple[list[Entry], int]:
    """Entries, the latest first, and how many there are."""
    where = visible(view, namespaces)
    # Tags are few and rarely asked for: compared as text, the same in every database.
    where += [sa.cast(entries.c.tags, sa.Text).contains(_quoted(tag), autoescape=True) for tag in tags]
    query = sa.select(entries).where(*where).order_by(entries.c.updated_at.desc(), entries.c.id.desc())
    rows = connection.execute(query.limit(limit).offset(offset)).mappings()
    total = connection.scalar(sa.select(sa.func.count()).select_from(entries).where(*where))
    return [entry_of(row) for row in rows], total or 0


def count(connection: sa.Connection, view: View) -> list[tuple[str, int, int]]:
    """Each namespace with its entries, and those of them that have a vector."""
    embedded = sa.func.sum(sa.case((entries.c.encoder != "", 1), else_=0))
    query = sa.select(entries.c.namespace, sa.func.count(), embedded).where(*visible(view))
    rows = connection.execute(query.group_by(entries.c.namespace).order_by(entries.c.namespace))
    return [(name, number, with_vector) for name, number, with_vector in rows]


def expired(connection: sa.Connection, scope: str, now: float) -> list[int]:
    """Ids of entries that expired, at most `SWEPT`."""
    query = sa.select(entries.c.id).where(entries.c.expires_at <= now, entries.c.scope == scope)
    return list(connection.scalars(query.limit(SWEPT)))


def forget(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Remove entries with all their versions and vectors."""
    connection.execute(sa.delete(entries).where(entries.c.id.in_(ids)))


def touch(connection: sa.Connection, entry_id: int) -> None:
    """Count a reading."""
    row: Any = entries.c.accessed
    connection.execute(sa.update(entries).where(entries.c.id == entry_id).values(accessed=row + 1))


def _quoted(tag: str) -> str:
    return json.dumps(tag)
