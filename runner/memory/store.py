"""The memory that sessions share: store, get, list, delete and search."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from runner.memory import entry as rules
from runner.memory.codes import CodeCache
from runner.memory.embedding import Embedder, LazyEmbedder
from runner.memory.entry import DEFAULT_NAMESPACE, THRESHOLD, Count, Draft, Entry, Page, Provenance
from runner.memory.errors import EntryExists, EntryMissing, EntryRefused
from runner.memory.indexer import Indexer
from runner.memory.search import Found, Hit, cosines, fuse, keyword_shares
from runner.memory.sql import entries, listing
from runner.memory.sql.database import Database
from runner.memory.view import View
from runner.memory.words import plain_text, words

SWEEP_EVERY_S = 60.0


class Memory:
    """What one reader sees and writes of a store; safe for threads, and beside other processes."""

    def __init__(self, database: Database, view: View, embedder: Callable[[], Embedder | None] | None = None) -> None:
        """Opens nothing yet; without `embedder` the router's encoder is used, where there is one."""
        self.database, self.view = database, view
        self.embedder = embedder or LazyEmbedder()
        self.indexer = Indexer(database, view.scope, self.embedder)
        self._codes: CodeCache | None = None
        self._opening = threading.Lock()
        self._swept_at = float("-inf")

    def store(
        self,
        key: str,
        value: Any,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        tags: Sequence[str] = (),
        ttl_s: float | None = None,
        upsert: bool = True,
        provenance: Provenance = Provenance.UNKNOWN,
        author: str | None = None,
    ) -> Entry:
        """Store any JSON value, durably when this returns; what it replaces stays as a version.

        `author` is the agent that it is stored for; None: the memory's own.

        Raises:
            EntryRefused: the key, the value or an option breaks a rule.
            EntryExists: the key is taken, and `upsert` is False.
            MemoryUnavailable: the database can't be written; nothing was stored.
        """  # fmt: skip
        draft = rules.draft(key, value, namespace, tags, ttl_s, provenance)
        found = words(_searched(draft))
        with self.database.writing(self.view.scope) as connection:
            self._sweep(connection)
            view = self.view if author is None else replace(self.view, author=author)
            written = entries.put(connection, view, draft, upsert=upsert)
            if not written.taken:
                self._index(connection, written.entry, found)
        if written.taken:
            raise EntryExists(draft.namespace, draft.key, written.entry.version)
        return written.entry

    def restore(self, drafts: Sequence[Draft]) -> int:
        """Write drafts from elsewhere, each unless what is here under its key is as new; return how many were."""
        stored = 0
        with self.database.writing(self.view.scope) as connection:
            for draft in drafts:
                here = entries.find(connection, self.view, draft.key, draft.namespace)
                if here is None or here["updated_at"] < draft.updated_at:
                    written = entries.put(connection, self.view, draft, upsert=True)
                    self._index(connection, written.entry, words(_searched(draft)))
                    stored += 1
        return stored

    def get(self, key: str, namespace: str = DEFAULT_NAMESPACE, version: int | None = None) -> Entry:
        """Read an entry by key, and count the reading; `version` asks for an older value.

        Raises:
            EntryMissing: there is none.
        """
        rules.check_namespace(namespace)
        if version is not None:
            for old in self.history(key, namespace):
                if old.version == version and not old.deleted:
                    return old
            raise EntryMissing(namespace, key, version)
        with self.database.reading() as connection:
            row = entries.find(connection, self.view, rules.check_key(key), namespace)
        if row is None:
            raise EntryMissing(namespace, key)
        with self.database.writing(self.view.scope) as connection:
            listing.touch(connection, row["id"])
        return entries.entry_of({**row, "accessed": row["accessed"] + 1})

    def history(self, key: str, namespace: str = DEFAULT_NAMESPACE) -> list[Entry]:
        """All versions of an entry, the newest first, those of a deleted one too; empty where there never was one."""
        with self.database.reading() as connection:
            return entries.history(connection, self.view, rules.check_key(key), rules.check_namespace(namespace))

    def page(self, namespace: str | None = None, *, tags: Sequence[str] = (), limit: int = 50, offset: int = 0) -> Page:
        """Return entries, the latest first; without a namespace, those of all."""
        if offset < 0:
            raise EntryRefused(f"offset is {offset}; it counts entries to skip, from 0")
        rules.check_tags(tags), rules.check_limit(limit)
        chosen = rules.check_namespaces(namespace)
        with self.database.reading() as connection:
            some, total = listing.page(connection, self.view, chosen, tags, limit, offset)
        return Page(some, total)

    def delete(self, key: str, namespace: str = DEFAULT_NAMESPACE) -> Entry:
        """Delete an entry; its history stays. Raises `EntryMissing`."""
        rules.check_key(key), rules.check_namespace(namespace)
        with self.database.writing(self.view.scope) as connection:
            gone = entries.remove(connection, self.view, key, namespace)
            if gone is not None:
                self.database.words.drop(connection, gone.id)
        if gone is None:
            raise EntryMissing(namespace, key)
        return gone

    def search(
        self,
        query: str,
        *,
        namespace: str | Sequence[str] | None = None,
        limit: int = 10,
        threshold: float = THRESHOLD,
        provenance: Sequence[Provenance] = (),
    ) -> list[Hit]:
        """Find entries: a key that is the query, then those that hold its words or are near its meaning.

        What holds a word of the query is found whatever the threshold; only meaning alone has to reach it.
        """  # fmt: skip
        rules.check_query(query), rules.check_limit(limit)
        chosen = rules.check_namespaces(namespace)
        with self.database.reading() as connection:
            exact = entries.exact(connection, self.view, chosen, query.strip())
        ranked, shares = keyword_shares(self.database, self.view, chosen, query)
        found = Found(exact, ranked, shares, self._near(chosen, query))
        # With a filter still to come, more candidates are needed than are wanted.
        wanted = limit if not provenance else rules.LIMIT
        hits = fuse(self.database, self.view, found, wanted, threshold)
        return [hit for hit in hits if not provenance or hit.entry.provenance in provenance][:limit]

    def count(self) -> dict[str, Count]:
        """Entries by namespace."""
        with self.database.reading() as connection:
            rows = listing.count(connection, self.view)
        return {name: Count(number, embedded) for name, number, embedded in rows}

    def close(self) -> None:
        """Stop the background work and close the database."""
        self.indexer.close()
        self.database.close()

    def _near(self, chosen: Sequence[str], query: str) -> dict[int, float]:
        embedder = self.embedder()
        if embedder is None:
            return {}
        vector = embedder.encode(query)
        with self._opening:
            if self._codes is None:
                self._codes = CodeCache(self.database, self.view.scope, embedder.name, embedder.dimension)
        return cosines(self.database, self._codes.nearest(self.view, chosen, vector), vector)

    def _index(self, connection: Any, entry: Entry, found: Sequence[str]) -> None:
        self.database.words.put(connection, entry.id, (self.view.scope, entry.namespace, entry.run), found)

    def _sweep(self, connection: Any) -> None:
        if time.monotonic() - self._swept_at < SWEEP_EVERY_S:
            return
        self._swept_at = time.monotonic()
        for gone in (ids := listing.expired(connection, self.view.scope, time.time())):
            self.database.words.drop(connection, gone)
        listing.forget(connection, ids)


def _searched(draft: Draft) -> str:
    return " ".join((draft.key, *draft.tags, plain_text(draft.text)))
