"""Reading and writing entries, within a transaction of the caller."""

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from runner.memory.entry import Draft, Entry, Provenance
from runner.memory.sql.tables import changes, entries, versions
from runner.memory.view import RESULTS, View

KEPT = ("tags", "provenance", "author", "updated_at", "expires_at", "deleted", "size", "value", "version")
"""What a version remembers."""


@dataclass(frozen=True)
class Written:
    """What became of a draft."""

    entry: Entry
    taken: bool = False
    """True where the key was there and no upsert was wanted: then nothing was written, and `entry` is the old one."""


def put(connection: sa.Connection, view: View, draft: Draft, *, upsert: bool) -> Written:
    """Write an entry; what it replaces becomes a version."""
    run = view.run_for(draft.namespace)
    same = (entries.c.scope == view.scope) & (entries.c.namespace == draft.namespace)
    same &= (entries.c.key == draft.key) & (entries.c.run == run)
    old = connection.execute(sa.select(entries).where(same)).mappings().one_or_none()
    if old is not None and not upsert and is_live(old):
        return Written(entry_of(old), taken=True)
    row = {
        "scope": view.scope, "run": run, "namespace": draft.namespace, "key": draft.key,
        "value": draft.text, "size": len(draft.text.encode()), "tags": list(draft.tags),
        "provenance": draft.provenance.value, "author": view.author, "version": 1, "accessed": 0,
        "created_at": draft.updated_at if draft.created_at is None else draft.created_at,
        "updated_at": draft.updated_at, "expires_at": draft.expires_at, "deleted": False,
        "changed": next_change(connection, view.scope), "encoder": "",
    }  # fmt: skip
    if old is None:
        result = connection.execute(sa.insert(entries).values(row))
        return Written(entry_of({**row, "id": _key_of(result)}))
    keep(connection, old)
    row |= {"version": old["version"] + 1, "accessed": old["accessed"]}
    if is_live(old):
        row["created_at"] = old["created_at"]
    connection.execute(sa.update(entries).where(entries.c.id == old["id"]).values(row))
    return Written(entry_of({**row, "id": old["id"]}))


def remove(connection: sa.Connection, view: View, key: str, namespace: str) -> Entry | None:
    """Mark the entry that `get` would find as deleted; None where there is none."""
    row = find(connection, view, key, namespace)
    if row is None:
        return None
    keep(connection, row)
    gone = {
        "deleted": True, "version": row["version"] + 1, "updated_at": time.time(), "encoder": "",
        "expires_at": None, "value": "null", "size": 4, "changed": next_change(connection, view.scope),
        "author": view.author,
    }  # fmt: skip
    connection.execute(sa.update(entries).where(entries.c.id == row["id"]).values(gone))
    return entry_of({**row, **gone})


def find(connection: sa.Connection, view: View, key: str, namespace: str) -> Any:
    """The row that `view` means by a key: its own run's, else the latest; None where there is none."""
    query = sa.select(entries).where(*visible(view, (namespace,)), entries.c.key == key)
    return connection.execute(query.order_by(entries.c.updated_at.desc()).limit(1)).mappings().one_or_none()


def exact(connection: sa.Connection, view: View, namespaces: Sequence[str], key: str) -> set[int]:
    """Ids of the entries of this key."""
    return set(connection.scalars(sa.select(entries.c.id).where(*visible(view, namespaces), entries.c.key == key)))


def history(connection: sa.Connection, view: View, key: str, namespace: str) -> list[Entry]:
    """All versions of a key, the newest first; of a deleted one too."""
    where = [*visible(view, (namespace,), live=False), entries.c.key == key]
    latest = sa.select(entries).where(*where).order_by(entries.c.updated_at.desc()).limit(1)
    row = connection.execute(latest).mappings().one_or_none()
    if row is None:
        return []
    older = sa.select(versions).where(versions.c.entry_id == row["id"]).order_by(versions.c.version.desc())
    facts = [{**row, **old, "encoder": ""} for old in connection.execute(older).mappings()]
    return [entry_of(row), *(entry_of(fact) for fact in facts)]


def keep(connection: sa.Connection, row: Any) -> None:
    """Remember a row as a version."""
    connection.execute(sa.insert(versions).values(entry_id=row["id"], **{name: row[name] for name in KEPT}))


def visible(view: View, namespaces: Sequence[str] = (), *, live: bool = True) -> list[sa.ColumnElement[bool]]:
    """Conditions on what a view sees."""
    where: list[sa.ColumnElement[bool]] = [entries.c.scope == view.scope]
    if namespaces:
        where.append(entries.c.namespace.in_(namespaces))
    if live:
        where += _live(entries)
    if view.run:
        own = entries.alias("own")
        hides = sa.exists().where(
            own.c.scope == view.scope, own.c.namespace == entries.c.namespace, own.c.key == entries.c.key,
            own.c.run == view.run, *_live(own),
        )  # fmt: skip
        where.append(sa.or_(entries.c.run == view.run, (entries.c.run == "") & ~hides))
    if view.hidden:
        where.append(sa.or_(entries.c.namespace != RESULTS, entries.c.author.not_in(sorted(view.hidden))))
    return where


def by_ids(connection: sa.Connection, view: View, ids: Collection[int]) -> dict[int, Entry]:
    """Those of `ids` that the view sees."""
    # Not by scope: SQLite would take the index of that, and read the whole repository.
    query = sa.select(entries).where(entries.c.id.in_(ids), *visible(view)[1:])
    rows = connection.execute(query).mappings()
    return {row["id"]: entry_of(row) for row in rows if row["scope"] == view.scope}


def next_change(connection: sa.Connection, scope: str) -> int:
    """The number of the change that is being made."""
    one_more = sa.update(changes).where(changes.c.scope == scope).values(changed=changes.c.changed + 1)
    number: int | None = connection.scalar(one_more.returning(changes.c.changed))
    if number is None:
        number = 1
        connection.execute(sa.insert(changes).values(scope=scope, changed=number))
    return number


def is_live(row: Any) -> bool:
    """True where the row is neither deleted nor expired."""
    return not row["deleted"] and (row["expires_at"] is None or row["expires_at"] > time.time())


def entry_of(row: Any) -> Entry:
    """A row as an entry."""
    return Entry(
        id=row["id"], namespace=row["namespace"], key=row["key"], value=json.loads(row["value"]),
        tags=tuple(row["tags"]), version=row["version"], provenance=Provenance(row["provenance"]),
        author=row["author"], run=row["run"], created_at=row["created_at"], updated_at=row["updated_at"],
        expires_at=row["expires_at"], accessed=row["accessed"], embedded=bool(row["encoder"]),
        size_bytes=row["size"], deleted=bool(row["deleted"]),
    )  # fmt: skip


def _live(table: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    return [table.c.deleted.is_(False), sa.or_(table.c.expires_at.is_(None), table.c.expires_at > time.time())]


def _key_of(result: sa.CursorResult[Any]) -> int:
    key = result.inserted_primary_key
    assert key is not None  # noqa: S101  (an insert of one row has one)
    return int(key[0])
