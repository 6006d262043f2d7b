"""`runner memory …` from a shell."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from .conftest import Shell

RunCli = Callable[..., Any]


def test_what_is_stored_is_printed_as_it_was(cli: RunCli, shell: Shell) -> None:
    assert cli("memory", "store", "design/api", "REST, über HTTP").stdout == "default/design/api: stored as version 1\n"
    assert cli("memory", "get", "design/api").stdout == "REST, über HTTP\n"
    assert shell("memory", "store", "design/api", "-", stdin=b"from stdin").returncode == 0
    assert cli("memory", "get", "design/api").stdout == "from stdin\n"
    assert cli("memory", "get", "design/api", "--version", "1").stdout == "REST, über HTTP\n"
    history = cli("memory", "get", "design/api", "--history").stdout.splitlines()
    assert [line.split("\t")[2] for line in history] == ["v2", "v1"]
    assert len(json.loads(cli("memory", "get", "design/api", "--history", "--json").stdout)["versions"]) == 2


def test_json_goes_in_and_out(cli: RunCli) -> None:
    cli("memory", "store", "k", '{"a": [1]}', "--as-json", "--namespace", "n", "--tag", "t", "--ttl", "3600")
    told = json.loads(cli("memory", "get", "k", "--namespace", "n", "--json").stdout)
    assert (told["value"], told["tags"], told["provenance"]) == ({"a": [1]}, ["t"], "user_claim")
    assert told["expires_at"] > told["created_at"]
    assert cli("memory", "get", "k", "-n", "n").stdout == '{"a": [1]}\n'


def test_entries_are_found_and_listed(cli: RunCli) -> None:
    for number in range(3):
        cli("memory", "store", f"note/{number}", f"apples {number} " + "x" * 100, "--namespace", "notes")
    found = cli("memory", "search", "apples", "--limit", "2").stdout.splitlines()
    assert len(found) == 2
    assert found[0].startswith("1.00 keyword")
    results = json.loads(cli("memory", "search", "apples", "--namespace", "notes", "--json").stdout)["results"]
    assert {result["match"] for result in results} == {"keyword"}
    listed = cli("memory", "list", "--namespace", "notes", "--limit", "1").stdout
    assert "…" in listed.splitlines()[0]
    assert listed.splitlines()[1] == "… 2 more; --limit and --offset show them"
    assert json.loads(cli("memory", "list", "--offset", "2", "--json").stdout)["total"] == 3


def test_deleting_says_how_to_read_it_still(cli: RunCli) -> None:
    cli("memory", "store", "k", "v")
    assert "--history" in cli("memory", "delete", "k").stdout
    assert cli("memory", "get", "k", "--version", "1").stdout == "v\n"
    cli("memory", "store", "k", "v")
    assert json.loads(cli("memory", "delete", "k", "--json").stdout)["version"] == 4


def test_what_cannot_be_done_is_a_sentence_and_an_exit_code(cli: RunCli) -> None:
    cli("memory", "store", "k", "v")
    for args, code, why in (
        (("get", "none"), 1, "no 'none' in 'default'; `runner memory list"),
        (("get", "none", "--history"), 1, "no 'none'"),
        (("delete", "none"), 1, "no 'none'"),
        (("store", "k", "w", "--no-upsert"), 2, "'k' is in 'default' already, as version 1"),
        (("store", "../k", "w"), 2, "is not taken"),
        (("store", "k", "{", "--as-json"), 2, "leave --as-json out"),
        (("import", "none.db"), 2, "no such file"),
    ):
        done = cli("memory", *args)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith("runner: ")
        assert why in done.stderr


def test_a_value_that_is_not_utf8_is_refused(shell: Shell) -> None:
    done = shell("memory", "store", "k", "-", stdin=b"\xff")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"the value is not UTF-8 (invalid start byte at byte 0)" in done.stderr


def test_runs_and_the_database_can_be_named(cli: RunCli, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    cli("memory", "store", "k", "v", "--namespace", "shared", "--run", "r1", RUNNER_DATABASE_URL=url)
    assert (tmp_path / "elsewhere.db").exists()
    assert cli("memory", "get", "k", "-n", "shared", RUNNER_RUN_ID="r2", RUNNER_DATABASE_URL=url).returncode == 1
    assert cli("memory", "get", "k", "-n", "shared", RUNNER_DATABASE_URL=url).stdout == "v\n"
    assert cli("memory", "list", RUNNER_DATABASE_URL="mysql://root:secret@h/d").returncode == 2


def test_a_claude_flow_memory_comes_over(cli: RunCli, repo: Path) -> None:
    (repo / ".swarm").mkdir()
    with closing(sqlite3.connect(repo / ".swarm/memory.db")) as database:
        database.execute("CREATE TABLE memory_entries (key TEXT, namespace TEXT, content TEXT)")
        database.executemany(
            "INSERT INTO memory_entries VALUES (?, 'patterns', ?)", [("retry", "retry three times"), ("../up", "x")]
        )
        database.commit()
    done = cli("memory", "import", ".swarm/memory.db")
    assert done.stdout == "1 stored, 0 left alone, 1 refused\n"
    assert "../up" in done.stderr
    assert cli("memory", "get", "retry", "-n", "patterns").stdout == "retry three times\n"
    assert json.loads(cli("memory", "import", ".swarm/memory.db", "--json").stdout)["older"] == 1
