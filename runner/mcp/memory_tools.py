"""Tools of the shared memory."""

import time
from typing import TYPE_CHECKING

from runner.mcp.arguments import NoArguments
from runner.mcp.memory_arguments import (
    KeyArguments,
    ListArguments,
    SearchArguments,
    StoreArguments,
    UnifiedArguments,
)
from runner.mcp.place import Place
from runner.mcp.tool import Effect, Reply, Tool
from runner.memory.entry import DEFAULT_NAMESPACE, THRESHOLD, Entry, Provenance
from runner.memory.errors import EntryMissing
from runner.memory.render import iso, value_text

if TYPE_CHECKING:
    from runner.memory.search import Hit

NO_DIMENSIONS = 0


def store(place: Place, given: StoreArguments) -> Reply:
    """Store a value; its vector is made right after, in the background."""
    started, memory = time.perf_counter(), place.memory
    entry = memory.store(
        given.key, given.value, namespace=_named(given.namespace), tags=given.tags or (), ttl_s=given.ttl,
        upsert=given.upsert is not False, provenance=Provenance(given.provenance_type or "unknown"),
    )  # fmt: skip
    memory.indexer.wake()
    took = _took(started)
    embedder = memory.embedder()
    return {
        "success": True, "key": entry.key, "namespace": entry.namespace, "stored": True,
        "storedAt": iso(entry.updated_at), "hasEmbedding": embedder is not None,
        "embeddingDimensions": embedder.dimension if embedder else NO_DIMENSIONS,
        "provenanceType": entry.provenance.value, "backend": _backend(place), "storeTime": took,
        "version": entry.version,
    }  # fmt: skip


def retrieve(place: Place, given: KeyArguments) -> Reply:
    """Read a value by its key."""
    namespace = _named(given.namespace)
    try:
        entry = place.memory.get(given.key, namespace)
    except EntryMissing:
        missing = {"key": given.key, "namespace": namespace, "value": None, "found": False}
        return {**missing, "backend": _backend(place)}
    return {
        "key": entry.key, "namespace": entry.namespace, "value": entry.value, "tags": list(entry.tags),
        **_times(entry), "found": True, "backend": _backend(place), "version": entry.version,
    }  # fmt: skip


def search(place: Place, given: SearchArguments) -> Reply:
    """Find entries."""
    started = time.perf_counter()
    hits = place.memory.search(
        given.query, namespace=given.namespace, limit=_or(given.limit, 10),
        threshold=THRESHOLD if given.threshold is None else given.threshold,
        provenance=[Provenance(name) for name in given.provenance_filter or ()],
    )  # fmt: skip
    reply = _found(place, given.query, hits, started)
    return {**reply, "stats": _ranking(given.query, hits, started)} if given.smart else reply


def search_unified(place: Place, given: UnifiedArguments) -> Reply:
    """Find entries in several namespaces."""
    started, chosen = time.perf_counter(), given.namespaces or given.namespace
    return _found(
        place, given.query, place.memory.search(given.query, namespace=chosen, limit=_or(given.limit, 10)), started
    )


def listing(place: Place, given: ListArguments) -> Reply:
    """List entries."""
    limit, offset = _or(given.limit, 50), _or(given.offset, 0)
    page = place.memory.page(given.namespace, limit=limit, offset=offset)
    entries = [
        {"key": entry.key, "namespace": entry.namespace, **_times(entry), "size": len(value_text(entry.value))}
        for entry in page.entries
    ]
    return {"entries": entries, "total": page.total, "limit": limit, "offset": offset, "backend": _backend(place)}


def delete(place: Place, given: KeyArguments) -> Reply:
    """Delete an entry; its history stays."""
    namespace, found = _named(given.namespace), True
    try:
        place.memory.delete(given.key, namespace)
    except EntryMissing:
        found = False
    return {"success": found, "key": given.key, "namespace": namespace, "deleted": found, "backend": _backend(place)}


def stats(place: Place, _: NoArguments) -> Reply:
    """Count entries."""
    counts = place.memory.count()
    total, embedded = (sum(getattr(count, name) for count in counts.values()) for name in ("entries", "embedded"))
    return {
        "initialized": True, "totalEntries": total, "entriesCounted": total, "entriesWithEmbeddings": embedded,
        "embeddingCoverage": f"{100 * embedded / total if total else 100:.1f}%",
        "namespaces": {name: count.entries for name, count in counts.items()}, "backend": _backend(place),
        "version": "3.0.0",
        "features": {"vectorEmbeddings": place.memory.embedder() is not None, "patternLearning": False,
                     "temporalDecay": False},
    }  # fmt: skip


def _found(place: Place, query: str, hits: "list[Hit]", started: float) -> Reply:
    results = [
        {
            "key": hit.entry.key, "namespace": hit.entry.namespace, "value": hit.entry.value,
            "similarity": round(hit.similarity, 4), "provenanceType": hit.entry.provenance.value,
            "rankingScore": hit.score, "match": hit.match,
        }
        for hit in hits
    ]  # fmt: skip
    took = _took(started)
    return {"query": query, "results": results, "total": len(results), "searchTime": took, "backend": _backend(place)}


def _ranking(query: str, hits: "list[Hit]", started: float) -> Reply:
    counts = ("rawCandidateCount", "afterRrfCount", "afterRecencyCount", "afterMmrCount", "afterSessionCount")
    took = round((time.perf_counter() - started) * 1000)
    return {"variantCount": 1, "variants": [query], **dict.fromkeys(counts, len(hits)), "durationMs": took}


def _times(entry: Entry) -> Reply:
    return {
        "storedAt": round(entry.created_at * 1000), "updatedAt": round(entry.updated_at * 1000),
        "accessCount": entry.accessed, "hasEmbedding": entry.embedded,
    }  # fmt: skip


def _backend(place: Place) -> str:
    return {"sqlite": "sqlite (fts5, vectors)"}.get(kind := place.memory.database.kind, f"{kind} (tsvector, vectors)")


def _named(namespace: str | None) -> str:
    return DEFAULT_NAMESPACE if namespace is None else namespace


def _or(number: int | None, default: int) -> int:
    return default if number is None else number


def _took(started: float) -> str:
    return f"{(time.perf_counter() - started) * 1000:.2f}ms"


TOOLS = (
    Tool("memory_store", "Store a value that other sessions find: a design, a decision, a result.", Effect.WRITES,
         StoreArguments, store),
    Tool("memory_search", "Find stored values by key, by words and by meaning. Look here before you begin.",
         Effect.READS, SearchArguments, search),
    Tool("memory_search_unified", "As memory_search, in several namespaces at once.", Effect.READS, UnifiedArguments,
         search_unified),
    Tool("memory_retrieve", "Read a stored value by its exact key.", Effect.READS, KeyArguments, retrieve),
    Tool("memory_list", "List stored entries, the latest first, without their values.", Effect.READS, ListArguments,
         listing),
    Tool("memory_delete", "Delete an entry; a person can still read its older versions.", Effect.WRITES, KeyArguments,
         delete),
    Tool("memory_stats", "Count entries by namespace.", Effect.READS, NoArguments, stats),
)  # fmt: skip
