"""Runs, agents and processes beside each other."""

import subprocess
import sys

import pytest

from runner.memory.errors import EntryMissing

from .conftest import Open

WRITER = """
import sys
from runner.memory.sql.database import Database
from runner.memory.store import Memory
from runner.memory.view import View
memory = Memory(Database(sys.argv[1]), View("shop"), lambda: None)
for number in range(6):
    memory.store("shared", f"{sys.argv[2]}-{number}")
    memory.store(f"own-{sys.argv[2]}-{number}", number)
memory.close()
"""


def test_two_runs_with_one_slug_do_not_meet(open_memory: Open) -> None:
    first, second, person = open_memory(run="r1"), open_memory(run="r2"), open_memory()
    first.store("design/login", "by the first", namespace="shared")
    second.store("design/login", "by the second", namespace="shared")
    assert first.get("design/login", "shared").value == "by the first"
    assert second.get("design/login", "shared").value == "by the second"
    assert [hit.entry.value for hit in first.search("design login", namespace="shared")] == ["by the first"]
    assert person.get("design/login", "shared").value == "by the second"
    assert {(entry.run, entry.value) for entry in person.page("shared").entries} == {
        ("r1", "by the first"),
        ("r2", "by the second"),
    }


def test_a_run_sees_what_belongs_to_no_run_until_it_stores_its_own(open_memory: Open) -> None:
    person, run = open_memory(), open_memory(run="r1")
    person.store("design/login", "the old design", namespace="shared")
    assert run.get("design/login", "shared").value == "the old design"
    run.store("design/login", "the new design", namespace="shared")
    assert [entry.value for entry in run.page("shared").entries] == ["the new design"]
    assert [hit.entry.value for hit in run.search("design")] == ["the new design"]
    run.indexer.settle(10)
    assert [hit.entry.value for hit in run.search("blueprint", threshold=-1)] == ["the new design"]
    assert person.history("design/login", "shared")
    run.delete("design/login", "shared")
    assert run.get("design/login", "shared").value == "the old design"


def test_what_is_learnt_in_a_run_is_there_for_the_next(open_memory: Open) -> None:
    open_memory(run="r1").store("retry", "the payment API needs retries", namespace="patterns")
    assert open_memory(run="r2").get("retry", "patterns").run == ""


def test_results_are_hidden_from_agents_they_are_not_for(open_memory: Open) -> None:
    open_memory(run="s", author="a1").store("result-a1", "alpha result", namespace="results")
    open_memory(run="s", author="a2").store("result-a2", "beta result", namespace="results")
    open_memory(run="s", author="a2").store("design", "a design", namespace="shared")
    reader = open_memory(run="s", author="a3", hidden=frozenset({"a2"}))
    reader.indexer.settle(10)
    assert [entry.key for entry in reader.page("results").entries] == ["result-a1"]
    assert {hit.entry.key for hit in reader.search("result", threshold=-1)} == {"result-a1", "design"}
    assert reader.history("result-a2", "results") == []
    with pytest.raises(EntryMissing):
        reader.get("result-a2", "results")


def test_many_processes_write_and_no_write_is_lost(open_memory: Open, url: str) -> None:
    open_memory()
    command = [sys.executable, "-c", WRITER, url]
    started = [subprocess.Popen([*command, str(number)]) for number in range(3)]
    assert [process.wait() for process in started] == [0] * 3
    memory = open_memory()
    history = memory.history("shared")
    assert [entry.version for entry in history] == list(range(18, 0, -1))
    assert {entry.value for entry in history} == {f"{p}-{n}" for p in range(3) for n in range(6)}
    assert memory.page(limit=100).total == 19
