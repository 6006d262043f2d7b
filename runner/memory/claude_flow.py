"""Reading the `memory.db` of claude-flow (ruflo): its command line's and its MCP server's tables are the same."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.errors import BadInput
from runner.memory.entry import Draft, Provenance, as_json, check_key, check_namespace, check_tags
from runner.memory.errors import EntryRefused
from runner.memory.store import Memory

BATCH = 200
_COLUMNS = "key, namespace, content, tags, provenance_type, created_at, updated_at, expires_at"


@dataclass
class Imported:
    """What came of an import."""

    stored: int = 0
    older: int = 0
    """Left alone because what is here under their key is as new or newer."""
    refused: list[str] = field(default_factory=list)
    """One sentence for each entry that breaks a rule."""


def import_claude_flow(path: Path, memory: Memory) -> Imported:
    """Take over the active entries of a claude-flow database, their times too; the file is only read.

    Raises:
        BadInput: it is no such database.
        MemoryUnavailable: ours can't be written; what was stored until then stays, and importing again goes on.
    """
    report, batch = Imported(), list[Draft]()
    for found in _read(path):
        if isinstance(found, str):
            report.refused.append(found)
            continue
        batch.append(found)
        if len(batch) == BATCH:
            _store(memory, batch, report)
    _store(memory, batch, report)
    return report


def _store(memory: Memory, batch: list[Draft], report: Imported) -> None:
    stored = memory.restore(batch)
    report.stored += stored
    report.older += len(batch) - stored
    batch.clear()


def _read(path: Path) -> Iterator[Draft | str]:
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file; claude-flow keeps its memory in .swarm/memory.db")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            have = {row["name"] for row in database.execute("PRAGMA table_info(memory_entries)")}
            if not {"key", "namespace", "content"} <= have:
                raise BadInput(f"{path}: has no table of claude-flow's memory; look for .swarm/memory.db")
            columns = ", ".join(name if name in have else f"NULL AS {name}" for name in _COLUMNS.split(", "))
            active = "WHERE status = 'active'" if "status" in have else ""
            for row in database.execute(f"SELECT {columns} FROM memory_entries {active}"):  # noqa: S608
                yield _draft(row)
    except sqlite3.Error as error:
        raise BadInput(f"{path}: can't be read as a database ({error})") from error


def _draft(row: Any) -> Draft | str:
    try:
        updated = _seconds(row["updated_at"]) or _seconds(row["created_at"]) or 0.0
        return Draft(
            check_namespace(str(row["namespace"])), check_key(str(row["key"])), as_json(_value(row["content"])),
            check_tags(_tags(row["tags"])), _provenance(row["provenance_type"]), updated_at=updated,
            created_at=_seconds(row["created_at"]), expires_at=_seconds(row["expires_at"]),
        )  # fmt: skip
    except EntryRefused as error:
        return f"{row['namespace']}/{row['key']}: {error}"


def _value(content: object) -> Any:
    # Objects were stored as their JSON, and claude-flow gives them back as objects.
    text = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
    if text[:1] not in {"{", "["}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _tags(tags: object) -> list[str]:
    try:
        found = json.loads(str(tags or "[]"))
    except ValueError:
        return []
    return [str(tag) for tag in found] if isinstance(found, list) else []


def _provenance(name: object) -> Provenance:
    return Provenance(str(name)) if name in set(Provenance) else Provenance.UNKNOWN


def _seconds(milliseconds: object) -> float | None:
    return milliseconds / 1000 if isinstance(milliseconds, int | float) else None
