"""Entries on stdout: plain data for programs, a table or the value itself for people."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.memory.entry import Entry

if TYPE_CHECKING:
    from runner.memory.search import Hit

SHOWN = 80
"""Characters of a value in a list."""


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry as plain data; times in ISO 8601."""
    return {
        "key": entry.key, "namespace": entry.namespace, "value": entry.value, "tags": list(entry.tags),
        "version": entry.version, "provenance": entry.provenance.value, "author": entry.author, "run": entry.run,
        "created_at": iso(entry.created_at), "updated_at": iso(entry.updated_at),
        "expires_at": None if entry.expires_at is None else iso(entry.expires_at),
        "accessed": entry.accessed, "embedded": entry.embedded, "size_bytes": entry.size_bytes,
        "deleted": entry.deleted,
    }  # fmt: skip


def hit_json(hit: "Hit") -> dict[str, Any]:
    """A hit as plain data."""
    found = {"similarity": round(hit.similarity, 4), "score": round(hit.score, 6), "match": hit.match}
    return {**entry_json(hit.entry), **found}


def iso(moment: float) -> str:
    """Unix seconds as ISO 8601 in UTC, with milliseconds."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def value_text(value: Any) -> str:
    """A value as people read it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def print_entries(entries: Sequence[Entry], total: int) -> None:
    """One line an entry."""
    for entry in entries:
        line = " ".join(value_text(entry.value).split())
        shown = line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
        sys.stdout.write(f"{entry.namespace}\t{entry.key}\tv{entry.version}\t{shown}\n")
    if total > len(entries):
        sys.stdout.write(f"… {total - len(entries)} more; --limit and --offset show them\n")


def print_hits(hits: "Sequence[Hit]") -> None:
    """One line a hit, the best first."""
    for hit in hits:
        sys.stdout.write(f"{hit.similarity:.2f} {hit.match:<8} ")
        print_entries([hit.entry], 1)
