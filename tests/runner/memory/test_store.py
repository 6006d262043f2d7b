"""Storing, reading, listing and deleting, in SQLite and in PostgreSQL."""

import time
from typing import Any

import pytest

from runner.memory.entry import Provenance
from runner.memory.errors import EntryExists, EntryMissing, EntryRefused, MemoryUnavailable
from runner.memory.sql.database import Database
from runner.memory.store import Memory
from runner.memory.view import View

from .conftest import Open, Until

VALUES = ["text", "", "Zeile 1\nZeile 2", "nul \x00 byte", "支付", {"a": [1, 2.5, None, True]}, [], 0, None]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_is_stored_comes_back(memory: Memory, value: Any) -> None:
    memory.store("key", value)
    assert memory.get("key").value == value


def test_an_entry_says_what_is_known_of_it(memory: Memory) -> None:
    memory.store("design/api", "REST", namespace="shared", tags=["api", "api", "v1"], provenance=Provenance.USER_CLAIM)
    entry = memory.get("design/api", "shared")
    assert (entry.tags, entry.version, entry.provenance) == (("api", "v1"), 1, "user_claim")
    assert (entry.accessed, entry.author, entry.run, entry.size_bytes) == (1, "", "", 6)
    assert time.time() - 60 < entry.created_at == entry.updated_at < time.time() + 1
    assert memory.get("design/api", "shared").accessed == 2


def test_an_upsert_keeps_what_it_replaces(memory: Memory) -> None:
    for value in ("first", "second", "third"):
        memory.store("key", value)
    assert [(entry.version, entry.value) for entry in memory.history("key")] == [
        (3, "third"),
        (2, "second"),
        (1, "first"),
    ]
    assert memory.get("key", version=1).value == "first"
    assert memory.get("key").created_at == memory.history("key")[-1].created_at


def test_without_upsert_a_taken_key_is_refused_and_kept(memory: Memory) -> None:
    memory.store("key", "first")
    with pytest.raises(EntryExists, match="version 1; store it with upsert") as caught:
        memory.store("key", "second", upsert=False)
    assert (caught.value.key, caught.value.version) == ("key", 1)
    assert memory.get("key").value == "first"
    assert memory.store("other", "x", upsert=False).version == 1


def test_a_deleted_entry_is_gone_but_its_history_stays(memory: Memory) -> None:
    memory.store("key", "precious words")
    memory.delete("key")
    with pytest.raises(EntryMissing):
        memory.get("key")
    with pytest.raises(EntryMissing):
        memory.delete("key")
    assert (memory.page().total, memory.search("precious")) == (0, [])
    assert [(entry.version, entry.deleted) for entry in memory.history("key")] == [(2, True), (1, False)]
    assert memory.get("key", version=1).value == "precious words"
    with pytest.raises(EntryMissing, match="version 2"):
        memory.get("key", version=2)
    assert memory.store("key", "again", upsert=False).version == 3


def test_a_key_nobody_stored_has_no_history(memory: Memory) -> None:
    assert memory.history("key") == []


def test_an_entry_is_forgotten_after_its_ttl(memory: Memory, until: Until) -> None:
    memory.store("brief", "soon gone", ttl_s=0.001)
    memory.store("lasting", "stays", ttl_s=3600)
    until(lambda: memory.page().total == 1)
    assert [entry.key for entry in memory.page().entries] == ["lasting"]
    with pytest.raises(EntryMissing):
        memory.get("brief")
    assert memory.search("soon") == []
    assert memory.store("brief", "new", upsert=False).value == "new"


def test_expired_entries_are_swept_away_when_something_is_stored(open_memory: Open, until: Until) -> None:
    open_memory().store("brief", "soon gone", ttl_s=0.001)
    later = open_memory()
    until(lambda: later.page().total == 0)
    later.store("next", "value")
    assert later.history("brief") == []


def test_pages_are_the_latest_first_and_say_how_many_there_are(memory: Memory) -> None:
    for number in range(5):
        memory.store(f"key-{number}", number, namespace="even" if number % 2 == 0 else "odd", tags=[f"t{number}"])
    page = memory.page(limit=2, offset=1)
    assert ([entry.key for entry in page.entries], page.total) == (["key-3", "key-2"], 5)
    assert [entry.key for entry in memory.page("odd").entries] == ["key-3", "key-1"]
    assert [entry.key for entry in memory.page(tags=["t4"]).entries] == ["key-4"]
    assert memory.page(tags=["t"]).total == 0


def test_namespaces_hold_the_same_key_apart(memory: Memory) -> None:
    memory.store("key", 1, namespace="one")
    memory.store("key", 2, namespace="two")
    assert (memory.get("key", "one").value, memory.get("key", "two").value) == (1, 2)
    assert {name: count.entries for name, count in memory.count().items()} == {"one": 1, "two": 1}


REFUSED = [
    ("a" * 1025, "x", "1025 characters, at most 1024"),
    ("../etc/passwd", "x", "'../'"),
    ("key; rm -rf /", "x", "';'"),
    ("$(id)", "x", "is not taken"),
    ("line\nbreak", "x", "is not taken"),
    (" ", "x", "the key is empty"),
    ("\ud800", "x", "not valid Unicode"),
    ("key", "x" * (1024**2 + 1), "at most 1048576 are kept; write it to a file"),
    ("key", "\ud800", "not valid Unicode"),
    ("key", {1, 2}, "is no JSON"),
    ("key", float("nan"), "is no JSON"),
]


@pytest.mark.parametrize(("key", "value", "why"), REFUSED, ids=range(len(REFUSED)))
def test_what_breaks_a_rule_is_refused_with_a_reason(memory: Memory, key: str, value: Any, why: str) -> None:
    with pytest.raises(EntryRefused) as caught:
        memory.store(key, value)
    assert why in str(caught.value)
    assert memory.page().total == 0


OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"namespace": "a/../b"}, "namespace"),
    ({"namespace": "n" * 256}, "namespace"),
    ({"tags": [f"t{n}" for n in range(65)]}, "65 tags"),
    ({"tags": ["<b>"]}, "the tag"),
    ({"ttl_s": 0}, "ttl is 0"),
    ({"ttl_s": float("inf")}, "ttl is inf"),
]


@pytest.mark.parametrize(("options", "why"), OPTIONS, ids=range(len(OPTIONS)))
def test_options_that_break_a_rule_are_refused(memory: Memory, options: dict[str, Any], why: str) -> None:
    with pytest.raises(EntryRefused, match=why):
        memory.store("key", "value", **options)


def test_pages_and_searches_have_limits(memory: Memory) -> None:
    for call in (
        lambda: memory.page(limit=0),
        lambda: memory.page(limit=1001),
        lambda: memory.page(offset=-1),
        lambda: memory.search("  "),
        lambda: memory.search("q" * 4097),
    ):
        with pytest.raises(EntryRefused):
            call()


def test_repositories_in_one_database_do_not_see_each_other(open_memory: Open) -> None:
    ours, theirs = open_memory("ours"), open_memory("theirs")
    ours.store("secret", "the launch code is 1234")
    theirs.store("other", "nothing")
    for one in (ours, theirs):
        one.indexer.settle(10)
    assert [hit.entry.key for hit in theirs.search("launch code", threshold=-1)] == ["other"]
    assert (theirs.page().total, theirs.history("secret")) == (1, [])
    with pytest.raises(EntryMissing):
        theirs.get("secret")


def test_a_database_that_cannot_be_used_is_said_to_be_so(tmp_path: Any) -> None:
    (tmp_path / "memory.db").write_text("no database, just text, and long enough to look wrong" * 50)
    with pytest.raises(MemoryUnavailable, match=r"memory\.db: file is not a database; free some space"):
        Memory(Database(f"sqlite:///{tmp_path / 'memory.db'}"), View("shop")).page()


def test_a_newer_schema_is_left_alone(open_memory: Open, url: str) -> None:
    import sqlalchemy

    open_memory().store("key", "value")
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE memory_schema SET version = 99"))
    engine.dispose()
    with pytest.raises(MemoryUnavailable, match="newer version"):
        open_memory().page()


@pytest.mark.parametrize("bad", ["mysql://root:secret@host/db", "sqlite://", "not a url"])
def test_an_address_of_no_use_is_refused_without_its_password(bad: str) -> None:
    with pytest.raises(Exception, match="RUNNER_DATABASE_URL") as caught:
        Memory(Database(bad), View("shop")).page()
    assert "secret" not in str(caught.value)
