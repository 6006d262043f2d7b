"""Taking over a memory of claude-flow."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runner.errors import BadInput
from runner.memory.claude_flow import import_claude_flow
from runner.memory.store import Memory

COLUMNS = (
    "id TEXT PRIMARY KEY, key TEXT, namespace TEXT, content TEXT, type TEXT, embedding TEXT, tags TEXT, metadata TEXT,"
    " provenance_type TEXT, created_at INTEGER, updated_at INTEGER, expires_at INTEGER, access_count INTEGER,"
    " status TEXT, UNIQUE(namespace, key)"
)
ROWS: list[dict[str, Any]] = [
    {"key": "design/api", "namespace": "shared", "content": '{"endpoints": ["/users"]}', "tags": '["api"]'},
    {"key": "result-1", "namespace": "results", "content": "done", "provenance_type": "agent_output"},
    {"key": "broken json", "namespace": "default", "content": "{not json", "tags": "oops"},
    {"key": "odd tags", "namespace": "default", "content": "x", "tags": '"one"', "provenance_type": "martian"},
    {"key": "gone", "namespace": "default", "content": "x", "status": "deleted"},
    {"key": "over", "namespace": "default", "content": "x", "expires_at": 1000},
    {"key": "../up", "namespace": "default", "content": "x"},
]


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A database as claude-flow leaves it."""
    path = tmp_path / "theirs.db"
    usual = {"status": "active", "created_at": 1_700_000_000_000, "updated_at": 1_700_000_100_000}
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(f"CREATE TABLE memory_entries ({COLUMNS})")
        for number, row in enumerate(ROWS):
            full = {"id": str(number), **usual, **row}
            names, marks = ", ".join(full), ", ".join("?" * len(full))
            database.execute(f"INSERT INTO memory_entries ({names}) VALUES ({marks})", list(full.values()))  # noqa: S608
        database.commit()
    return path


def test_active_entries_come_over_with_their_times(theirs: Path, memory: Memory) -> None:
    done = import_claude_flow(theirs, memory)
    assert (done.stored, done.older, len(done.refused)) == (5, 0, 1)
    assert "default/../up" in done.refused[0]
    design = memory.get("design/api", "shared")
    assert (design.value, design.tags) == ({"endpoints": ["/users"]}, ("api",))
    assert (design.created_at, design.updated_at) == (1_700_000_000.0, 1_700_000_100.0)
    assert memory.get("result-1", "results").provenance == "agent_output"
    assert memory.get("broken json").value == "{not json"
    assert memory.get("odd tags").provenance == "unknown"
    assert memory.page("default").total == 2


def test_a_second_import_changes_nothing_and_newer_entries_of_ours_stay(theirs: Path, memory: Memory) -> None:
    memory.store("result-1", "ours is newer", namespace="results")
    assert import_claude_flow(theirs, memory).stored == 4
    assert import_claude_flow(theirs, memory).stored == 1  # the expired one: it is not there, so it is new each time
    assert memory.get("result-1", "results").value == "ours is newer"


def test_an_older_table_is_read_too(tmp_path: Path, memory: Memory) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as database:
        database.execute("CREATE TABLE memory_entries (key TEXT, namespace TEXT, content BLOB)")
        database.executemany(
            "INSERT INTO memory_entries VALUES (?, 'default', ?)",
            [(f"k{n}", json.dumps([n]).encode()) for n in range(210)],
        )
        database.commit()
    assert import_claude_flow(tmp_path / "old.db", memory).stored == 210
    assert memory.get("k7").value == [7]


def test_what_is_no_such_database_is_refused(tmp_path: Path, memory: Memory) -> None:
    (tmp_path / "text.db").write_text("just text, but long enough to be looked at as a database" * 20)
    sqlite3.connect(tmp_path / "empty.db").close()
    for name, why in (("none.db", "no such file"), ("text.db", "can't be read"), ("empty.db", "no table")):
        with pytest.raises(BadInput, match=why):
            import_claude_flow(tmp_path / name, memory)
