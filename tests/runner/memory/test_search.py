"""Finding by key, by words and by meaning."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from runner.memory.codes import code_of
from runner.memory.embedding import Embedder
from runner.memory.entry import Draft, Provenance
from runner.memory.search import Hit
from runner.memory.sql import vectors
from runner.memory.sql.database import Database
from runner.memory.store import Memory
from runner.memory.view import View
from runner.memory.words import plain_text, words

from .conftest import Open, Until

NOTES = {
    "auth/tokens": "JWT refresh tokens rotate every 15 minutes",
    "db/engine": "The database is PostgreSQL 16 with row level security",
    "money": "We store money as integer cents",
    "style": "Use tabs, not spaces",
    "parser": "createUserToken() lives in src/auth/userToken.ts",
    "zahlung": "Die Prüfung der Zahlung läuft über den Webhook",
    "支付": "支付接口需要签名",
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """One kind of database is enough here: the other tests ask PostgreSQL as well."""
    return f"sqlite:///{tmp_path / 'memory.db'}"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, encoder: Callable[[], Embedder | None]) -> Iterator[Memory]:
    """A memory with notes, all of them embedded, that tests only read."""
    memory = Memory(Database(f"sqlite:///{tmp_path_factory.mktemp('filled') / 'memory.db'}"), View("shop"), encoder)
    for key, value in NOTES.items():
        memory.store(key, value, namespace="notes")
    memory.store("claim", "tokens are claimed", namespace="other", provenance=Provenance.USER_CLAIM)
    memory.store("other", "money money money is mentioned here", namespace="notes")
    assert memory.indexer.settle(60)
    yield memory
    memory.close()


def keys(hits: list[Hit]) -> list[str]:
    return [hit.entry.key for hit in hits]


def test_the_seeds_example_finds_the_design(memory: Memory) -> None:
    memory.store("design/api-feature", '{"endpoints": ["/users"], "models": []}', namespace="shared")
    (hit,) = memory.search("api feature design", namespace="shared")
    assert (hit.entry.key, hit.similarity, hit.match) == ("design/api-feature", 1.0, "keyword")


BY_WORDS = [
    ("refresh", "auth/tokens"),
    ("rotating", "auth/tokens"),
    ("postgresql databases", "db/engine"),
    ("user token", "parser"),
    ("usertoken", "parser"),
    ("pruefung prufung zahlungen", "zahlung"),
    ("签名", "支付"),
    ("16", "db/engine"),
]


@pytest.mark.parametrize(("query", "key"), BY_WORDS)
def test_a_word_is_found_whatever_the_threshold(filled: Memory, query: str, key: str) -> None:
    hit = filled.search(query, threshold=1.1)[0]
    assert (hit.entry.key, hit.match) == (key, "keyword")
    assert hit.similarity > 0


BY_MEANING = [("token-based login flow", "auth/tokens"), ("representation of currency amounts", "money")]


@pytest.mark.parametrize(("query", "key"), BY_MEANING)
def test_meaning_is_found_without_a_common_word(filled: Memory, query: str, key: str) -> None:
    assert key in keys(filled.search(query, threshold=0.1)[:3])


def test_meaning_alone_has_to_reach_the_threshold(filled: Memory) -> None:
    near = filled.search("currency amounts", threshold=0.1)
    assert near
    assert all(hit.match == "semantic" for hit in near)
    assert filled.search("currency amounts", threshold=0.99) == []


def test_a_key_comes_first(filled: Memory) -> None:
    hits = filled.search("money")
    assert (hits[0].entry.key, hits[0].match, hits[0].similarity) == ("money", "exact", 1.0)


def test_search_keeps_to_namespaces_limits_and_origins(filled: Memory) -> None:
    assert keys(filled.search("tokens", namespace="other")) == ["claim"]
    assert set(keys(filled.search("tokens", namespace=["other", "notes"]))) >= {"claim", "auth/tokens"}
    assert len(filled.search("tokens", limit=1)) == 1
    assert keys(filled.search("tokens", provenance=[Provenance.USER_CLAIM])) == ["claim"]


def test_a_query_without_words_finds_by_meaning_only(filled: Memory) -> None:
    assert all(hit.match == "semantic" for hit in filled.search("?!", threshold=-1))


def test_what_changes_is_found_by_its_new_words_and_meaning(open_memory: Open) -> None:
    reader, writer = open_memory(), open_memory()
    writer.store("note", "the cat sleeps")
    writer.indexer.settle(10)
    assert keys(reader.search("cat")) == ["note"]
    writer.store("note", "invoices are sent by email")
    assert reader.search("cat", threshold=0.9) == []
    writer.indexer.settle(10)
    assert keys(reader.search("billing mail", threshold=0.1)) == ["note"]
    writer.delete("note")
    assert reader.search("billing mail", threshold=-1) == []


def test_many_entries_are_searched_by_their_codes(memory: Memory) -> None:
    colours = ("red", "green", "blue", "grey", "pink", "brown", "black", "white")
    notes = [Draft("n", f"filler/{n}", f'"{colours[n % 8]} stone {n}"', updated_at=1.0) for n in range(300)]
    assert memory.restore(notes) == 300
    memory.store("needle", "Customers can pay by credit card", namespace="n")
    embedder = memory.embedder()
    assert embedder is not None
    cheap = {colour: embedder.encode(f"{colour} stone") for colour in colours}
    with memory.database.writing("shop") as connection:
        rows = vectors.missing(connection, "shop", embedder.name, 2000)
        found = [
            (row[0], row[3], code_of(vector), vector.astype("float16").tobytes())
            for row in rows
            if (vector := cheap.get(row[2].strip('"').split()[0])) is not None
        ]
        vectors.put(connection, "shop", embedder.name, found)
    assert memory.indexer.settle(60)
    assert keys(memory.search("can a customer pay by card", threshold=-1))[0] == "needle"


def test_without_an_encoder_words_still_find(url: str) -> None:
    memory = Memory(Database(url), View("shop"), lambda: None)
    memory.store("money", "We store money as integer cents")
    assert memory.indexer.settle(1)
    assert keys(memory.search("cents")) == ["money"]
    assert memory.count()["default"].embedded == 0
    memory.close()


def test_an_encoder_of_another_name_makes_its_own_vectors(open_memory: Open, url: str) -> None:
    first = open_memory()
    first.store("money", "We store money as integer cents")
    first.indexer.settle(10)
    shipped = first.embedder()
    assert shipped is not None
    embedder: Embedder = shipped

    class Renamed:
        name, dimension = "another", 384

        def encode(self, text: str) -> NDArray[np.float32]:
            return embedder.encode(text)

    def renamed() -> Embedder:
        return Renamed()

    second = Memory(Database(url), View("shop"), renamed)
    assert second.search("currency", threshold=-1) == []
    second.indexer.settle(10)
    assert keys(second.search("currency", threshold=-1)) == ["money"]
    second.close()


def test_the_background_embeds_after_a_wake(memory: Memory, until: Until) -> None:
    memory.store("money", "We store money as integer cents")
    memory.indexer.wake()
    until(lambda: memory.count()["default"].embedded == 1)
    assert memory.get("money").embedded
    memory.indexer.close()
    memory.indexer.wake()
    assert not memory.indexer.settle(1)


def test_the_background_survives_a_database_that_is_away_for_a_while(
    memory: Memory, until: Until, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    memory.store("money", "We store money as integer cents")
    with monkeypatch.context() as away:
        away.setattr(memory.indexer, "database", Database("sqlite:////proc/none/memory.db"))
        memory.indexer.wake()
        until(lambda: "wait for their vectors" in caplog.text)
    memory.indexer.wake()
    until(lambda: memory.count()["default"].embedded == 1)


def test_a_vector_of_what_has_been_replaced_meanwhile_is_dropped(memory: Memory) -> None:
    old = memory.store("note", "the cat sleeps")
    memory.store("note", "invoices are sent by email")
    with memory.database.writing("shop") as connection:
        vectors.put(connection, "shop", "any", [(old.id, old.version, b"", b"")])
    assert not memory.get("note").embedded


def test_a_budget_of_nothing_leaves_entries_for_later(memory: Memory) -> None:
    for number in range(20):
        memory.store(f"n{number}", f"note {number}")
    assert not memory.indexer.settle(0)
    assert memory.indexer.settle(60)


@pytest.mark.parametrize(
    ("forms", "other"),
    [
        ("implement implements implemented implementing implementation", "important"),
        ("cache cached caching caches", "catch"),
        ("stop stopped stops stopping", "step"),
        ("query queries", "quest"),
        ("validate validation validated validating", "valley"),
    ],
)
def test_forms_of_a_word_are_one_word(forms: str, other: str) -> None:
    assert len(words(forms)) == 1
    assert words(other) != words(forms)


def test_escapes_of_json_are_no_letters() -> None:
    assert words(plain_text('{"a": "one\\ntwo"}')) == ["a", "one", "two"]
    assert words("x" * 500) == ["x" * 64]
    assert len(words(" ".join(f"w{n}" for n in range(30_000)))) == 20_000


def test_a_very_long_value_is_stored_found_and_embedded(memory: Memory) -> None:
    memory.store("log", "line of a log " * 5000 + "kaboom")
    assert memory.indexer.settle(10)
    assert keys(memory.search("kaboom")) == ["log"]
