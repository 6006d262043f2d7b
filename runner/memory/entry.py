"""What the memory holds, and what it takes."""

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from runner.memory.errors import EntryRefused

KEY_LENGTH = 1024
NAMESPACE_LENGTH = 255
VALUE_BYTES = 1024**2
QUERY_LENGTH = 4096
TAGS, TAG_LENGTH = 64, 128
LIMIT = 1000
"""Most entries that one search or page returns."""
TTL_S = 100 * 365 * 86400.0
DEFAULT_NAMESPACE = "default"
THRESHOLD = 0.3
"""Least cosine of an entry that holds no word of what is searched for."""
_FORBIDDEN = re.compile(r"[;&|`$(){}\[\]<>!#\\\x00-\x1f\x7f]|\.\./")


class Provenance(StrEnum):
    """Who or what produced a value."""

    USER_CLAIM = "user_claim"
    AGENT_OUTPUT = "agent_output"
    SYSTEM_OBSERVATION = "system_observation"
    TOOL_RESULT = "tool_result"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Draft:
    """An entry to be written, already checked; times are Unix seconds."""

    namespace: str
    key: str
    text: str
    """The value as JSON."""
    tags: tuple[str, ...] = ()
    provenance: Provenance = Provenance.UNKNOWN
    updated_at: float = 0.0
    created_at: float | None = None
    """None: as `updated_at`."""
    expires_at: float | None = None


@dataclass(frozen=True)
class Entry:
    """An entry as it is stored; times are Unix seconds."""

    id: int
    namespace: str
    key: str
    value: Any
    """Any JSON value."""
    tags: tuple[str, ...]
    version: int
    """Counts from 1; every write adds one, and older ones stay readable."""
    provenance: Provenance
    author: str
    """The agent that wrote it; empty where a person or an unnamed session did."""
    run: str
    """The run it belongs to; empty where it belongs to the repository."""
    created_at: float
    updated_at: float
    expires_at: float | None
    accessed: int
    """How often it was read by key."""
    embedded: bool
    """True once it can be found by meaning."""
    size_bytes: int
    deleted: bool = False
    """True only in a history."""


@dataclass(frozen=True)
class Page:
    """Some of the entries, the latest first."""

    entries: list[Entry]
    total: int


@dataclass(frozen=True)
class Count:
    """Entries of a namespace."""

    entries: int
    embedded: int
    """Those that can be found by meaning already."""


def draft(
    key: str, value: Any, namespace: str, tags: Iterable[str], ttl_s: float | None, provenance: Provenance
) -> Draft:
    """Check an entry to be written; raises `EntryRefused`."""
    now = time.time()
    if ttl_s is not None and not 0 < ttl_s <= TTL_S:
        raise EntryRefused(f"ttl is {ttl_s:g}; give seconds above 0, or leave it out to keep the entry")
    return Draft(
        check_namespace(namespace), check_key(key), as_json(value), check_tags(tags), provenance,
        updated_at=now, expires_at=None if ttl_s is None else now + ttl_s,
    )  # fmt: skip


def check_key(key: str) -> str:
    """Return the key, or raise `EntryRefused`."""
    return _check_name("key", key, KEY_LENGTH)


def check_namespace(namespace: str) -> str:
    """Return the namespace, or raise `EntryRefused`."""
    return _check_name("namespace", namespace, NAMESPACE_LENGTH)


def check_namespaces(namespace: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the namespaces to look in, none for all, or raise `EntryRefused`."""
    names = (namespace,) if isinstance(namespace, str) else tuple(namespace or ())
    return tuple(check_namespace(name) for name in names)


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags without repeats, or raise `EntryRefused`."""
    unique = tuple(dict.fromkeys(tags))
    if len(unique) > TAGS:
        raise EntryRefused(f"{len(unique)} tags; at most {TAGS} are kept")
    return tuple(_check_name("tag", tag, TAG_LENGTH) for tag in unique)


def check_query(query: str) -> str:
    """Return the query, or raise `EntryRefused`."""
    if not query.strip():
        raise EntryRefused("the query is empty; say what to look for", "MISSING_REQUIRED_PARAM")
    if len(query) > QUERY_LENGTH:
        raise EntryRefused(f"the query has {len(query)} characters, at most {QUERY_LENGTH} are taken; shorten it")
    return _check_text("query", query)


def check_limit(limit: int) -> int:
    """Return the limit, or raise `EntryRefused`."""
    if not 1 <= limit <= LIMIT:
        raise EntryRefused(f"limit is {limit}; 1 to {LIMIT} are returned at once")
    return limit


def as_json(value: Any) -> str:
    """Return the value as JSON, or raise `EntryRefused`."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise EntryRefused(f"the value is no JSON ({error}); store text, or numbers, lists and objects") from error
    size = len(_check_text("value", text).encode())
    if size > VALUE_BYTES:
        problem = f"the value has {size} bytes, at most {VALUE_BYTES} are kept"
        raise EntryRefused(f"{problem}; write it to a file and store its path", "VALUE_TOO_LARGE")
    return text


def _check_name(what: str, name: str, longest: int) -> str:
    if not name.strip():
        raise EntryRefused(f"the {what} is empty; give it a name such as design/api", "MISSING_REQUIRED_PARAM")
    if len(name) > longest:
        raise EntryRefused(f"the {what} has {len(name)} characters, at most {longest} are taken; shorten it")
    if found := _FORBIDDEN.search(name):
        advice = "letters, digits, spaces and ._:/@- are safe"
        raise EntryRefused(f"the {what} {name[:60]!r} holds {found[0]!r}, which is not taken; {advice}")
    return _check_text(what, name)


def _check_text(what: str, text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise EntryRefused(f"the {what} is not valid Unicode ({error.reason}); send UTF-8") from error
    return text
