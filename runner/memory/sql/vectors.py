"""Vectors of entries and their one-bit codes."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import sqlalchemy as sa

from runner.memory.sql.entries import next_change
from runner.memory.sql.tables import codes, entries, vectors


class Change(NamedTuple):
    """An entry that changed, with its code if it has one."""

    id: int
    namespace: str
    run: str
    expires_at: float | None
    deleted: bool
    encoder: str
    changed: int
    code: bytes | None


def changes(connection: sa.Connection, scope: str, since: int) -> list[Change]:
    """What changed after change number `since`, in order."""
    columns = (
        entries.c.id, entries.c.namespace, entries.c.run, entries.c.expires_at, entries.c.deleted,
        entries.c.encoder, entries.c.changed, codes.c.code,
    )  # fmt: skip
    query = sa.select(*columns).select_from(entries.outerjoin(codes, codes.c.entry_id == entries.c.id))
    query = query.where(entries.c.scope == scope, entries.c.changed > since).order_by(entries.c.changed)
    return [Change(*row) for row in connection.execute(query).all()]


def missing(connection: sa.Connection, scope: str, encoder: str, limit: int) -> list[tuple[int, str, str, int]]:
    """(id, key, value as JSON, version) of the newest entries that this encoder has not seen."""
    other = sa.or_(entries.c.encoder < encoder, entries.c.encoder > encoder)  # two ranges of an index; != is none
    query = sa.select(entries.c.id, entries.c.key, entries.c.value, entries.c.version)
    query = query.where(entries.c.scope == scope, other, entries.c.deleted.is_(False))
    rows = connection.execute(query.order_by(entries.c.id.desc()).limit(limit))
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def put(connection: sa.Connection, scope: str, encoder: str, found: Iterable[tuple[int, int, bytes, bytes]]) -> None:
    """Write (id, version, code, vector) for entries that still have that version."""
    for entry_id, version, code, vector in found:
        values = {"encoder": encoder, "changed": next_change(connection, scope)}
        same = (entries.c.id == entry_id) & (entries.c.version == version)
        if connection.execute(sa.update(entries).where(same).values(values)).rowcount:
            for table, column, content in ((codes, "code", code), (vectors, "vector", vector)):
                connection.execute(sa.delete(table).where(table.c.entry_id == entry_id))
                connection.execute(sa.insert(table).values({"entry_id": entry_id, column: content}))


def read(connection: sa.Connection, ids: Collection[int]) -> list[tuple[int, bytes]]:
    """(id, vector) of entries; those without one are left out."""
    query = sa.select(vectors.c.entry_id, vectors.c.vector).where(vectors.c.entry_id.in_(ids))
    return [(row[0], row[1]) for row in connection.execute(query).all()]
