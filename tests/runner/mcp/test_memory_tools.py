"""The tools of the shared memory."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.mcp.place import Place

from .conftest import Call

Refuse = Callable[..., tuple[str, str]]


def test_any_json_value_comes_back_as_it_was(call: Call) -> None:
    for value in ("text", {"a": [1]}, [1, 2], 7, True):
        call("memory_store", key="k", value=value)
        assert call("memory_retrieve", key="k")["value"] == value
    assert call("memory_retrieve", key="k")["version"] == 5


def test_a_missing_entry_is_an_answer_not_an_error(call: Call) -> None:
    assert call("memory_retrieve", key="none")["found"] is False
    assert call("memory_delete", key="none")["deleted"] is False


def test_a_deleted_entry_is_gone(call: Call) -> None:
    call("memory_store", key="k", value="v")
    assert call("memory_delete", key="k")["deleted"] is True
    assert call("memory_retrieve", key="k")["found"] is False


def test_options_of_a_store_are_obeyed(call: Call, refuse: Refuse) -> None:
    call("memory_store", key="k", value="v", tags=["t"], ttl=60, provenance_type="tool_result")
    assert call("memory_retrieve", key="k")["tags"] == ["t"]
    assert refuse("memory_store", key="k", value="w", upsert=False)[0] == "KEY_EXISTS"
    found = call("memory_search", query="v", provenance_filter=["tool_result"], limit=3.0, threshold=0.5, smart=True)
    assert (found["results"][0]["provenanceType"], found["stats"]["variants"]) == ("tool_result", ["v"])
    assert call("memory_search", query="v", provenance_filter=["user_claim"])["total"] == 0


def test_several_namespaces_are_searched_at_once(call: Call) -> None:
    for namespace in ("one", "two", "three"):
        call("memory_store", key="note", value="apples", namespace=namespace)
    both = call("memory_search_unified", query="apples", namespaces=["one", "two"])
    assert {result["namespace"] for result in both["results"]} == {"one", "two"}
    assert call("memory_search_unified", query="apples", namespace="three")["total"] == 1


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("memory_store", {"value": "v"}, "MISSING_REQUIRED_PARAM", "key is missing"),
    ("memory_store", {"key": "k"}, "MISSING_REQUIRED_PARAM", "value is missing"),
    ("memory_store", {"key": "", "value": "v"}, "MISSING_REQUIRED_PARAM", "the key is empty"),
    ("memory_store", {"key": "../k", "value": "v"}, "INVALID_PARAM", "is not taken"),
    ("memory_store", {"key": "k|k", "value": "v"}, "INVALID_PARAM", "is not taken"),
    ("memory_store", {"key": "k", "value": "v" * 2**21}, "VALUE_TOO_LARGE", "write it to a file"),
    ("memory_store", {"key": "k", "value": "v", "tags": "t"}, "INVALID_PARAM", "tags: "),
    ("memory_store", {"key": 5, "value": "v"}, "INVALID_PARAM", "key: "),
    ("memory_search", {"query": "q" * 4097}, "INVALID_PARAM", "4097 characters"),
    ("memory_search", {"query": "q", "limit": 10_000}, "INVALID_PARAM", "limit is 10000"),
    ("memory_search", {"query": "q", "limit": 1.5}, "INVALID_PARAM", "limit: "),
    ("no_such_tool", {}, "UNKNOWN_TOOL", "tools/list"),
]


@pytest.mark.parametrize(("tool", "given", "code", "why"), REFUSED, ids=range(len(REFUSED)))
def test_what_breaks_a_rule_is_refused_with_a_reason(
    refuse: Refuse, tool: str, given: dict[str, Any], code: str, why: str
) -> None:
    assert (refuse(tool, **given)[0], why in refuse(tool, **given)[1]) == (code, True)


def test_a_server_in_another_repository_sees_nothing(
    call: Call, place: Place, tmp_path: Path, git: Callable[..., str]
) -> None:
    call("memory_store", key="secret", value="the launch code")
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    elsewhere = Place(place.settings, other)
    assert call("memory_search", elsewhere, query="launch code")["total"] == 0
    assert call("memory_retrieve", elsewhere, key="secret")["found"] is False
    elsewhere.close()


def test_worktrees_of_a_repository_share_one_memory(
    call: Call, place: Place, repo: Path, tmp_path: Path, git: Callable[..., str]
) -> None:
    call("memory_store", key="k", value="v")
    git(repo, "worktree", "add", "--quiet", tmp_path / "tree")
    worker = Place(place.settings, tmp_path / "tree")
    assert call("memory_retrieve", worker, key="k")["value"] == "v"
    worker.close()


def test_a_folder_that_is_no_repository_has_a_memory_of_its_own(call: Call, place: Place, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    plain = Place(place.settings, tmp_path / "plain")
    call("memory_store", plain, key="k", value="v")
    assert call("memory_retrieve", plain, key="k")["found"] is True
    assert call("memory_retrieve", key="k")["found"] is False
    plain.close()


def test_runs_are_kept_apart(call: Call, place: Place) -> None:
    first, second = Place(place.settings, place.cwd, run="r1"), Place(place.settings, place.cwd, run="r2")
    call("memory_store", first, key="design/x", value="one", namespace="shared")
    call("memory_store", second, key="design/x", value="two", namespace="shared")
    assert call("memory_retrieve", first, key="design/x", namespace="shared")["value"] == "one"
    first.close()
    second.close()


def test_without_a_model_words_still_find(
    call: Call, place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stored = call("memory_store", key="k", value="apples")  # the fixtures' environment names no model
    assert (stored["hasEmbedding"], stored["embeddingDimensions"]) == (False, 0)
    assert call("memory_search", query="apples")["total"] == 1
    assert call("memory_stats")["features"]["vectorEmbeddings"] is False
    assert "without an encoder" in caplog.text


def test_a_store_that_cannot_be_reached_is_an_answer(refuse: Refuse, place: Place) -> None:
    broken = Place(place.settings.model_copy(update={"database_url": "sqlite:////proc/none/memory.db"}), place.cwd)
    code, why = refuse("memory_list", broken)
    assert "/proc/none" in why
    assert code
    assert replace(broken, run="r").run == "r"
