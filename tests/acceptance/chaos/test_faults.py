"""What happens to a run, beside kills, loses nothing: `docs/sessions.md` lists where each fault is tested."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from runner.census import started_at
from runner.runs.state import State

pytestmark = pytest.mark.acceptance
OpenArena = Callable[..., Any]
REPOSITORY = Path(__file__).parents[3]


def waiting(folder: Path) -> list[str]:
    """Two tasks that write a file, wait for `go`, and write another."""

    def task(number: int) -> str:
        wait = f"echo begin >> {folder}/note-{number}; while [ ! -e {folder}/go ]; do sleep 0.05; done"
        return json.dumps(
            [{"write": [f"one-{number}.txt", "1\n"]}, {"run": wait}, {"write": [f"two-{number}.txt", "2\n"]}]
        )

    return [task(1), task(2)]


def have_begun(arena: Any) -> None:
    """Wait until both tasks wait."""
    arena.wait_for(lambda: all((arena.folder / f"note-{number}").exists() for number in (1, 2)))


def merged(arena: Any) -> list[str]:
    """Files of the merged work."""
    run = arena.archive.entries()[0].record.run_id
    told = subprocess.run(["git", "-C", arena.repo, "ls-tree", "-r", "--name-only", f"dual/{run}/integration"],
                          check=True, capture_output=True, text=True)  # fmt: skip
    return told.stdout.split()


ALL = ["a.txt", "one-1.txt", "one-2.txt", "two-1.txt", "two-2.txt"]


def test_a_locked_database_of_the_worker_is_waited_for(arena: OpenArena) -> None:
    round_ = arena(1, waiting)
    round_.begin()
    have_begun(round_)
    with closing(sqlite3.connect(round_.home / "executor/dbos.sqlite", isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN EXCLUSIVE")
        (round_.folder / "go").touch()
        round_.wait_for(lambda: len(list(round_.home.glob("repositories/*/runs/*/*/exit.json"))) == 2)
        threading.Event().wait(7)  # longer than SQLite itself waits
        other.execute("ROLLBACK")
    entries = round_.finish()
    assert [entry.state for entry in entries] == [State.SUCCEEDED] * 2, round_.story()
    assert merged(round_) == ALL


def test_a_repository_that_is_moved_meanwhile_loses_nothing(arena: OpenArena) -> None:
    round_ = arena(1, waiting)
    round_.begin()
    have_begun(round_)
    moved = round_.folder / "elsewhere"
    round_.repo.rename(moved)
    (round_.folder / "go").touch()
    round_.wait_for(lambda: not list((round_.home / "executor/runs").glob("[!.]*")))
    (entry, _) = entries = round_.archive.entries()
    assert [one.state for one in entries] == [State.CANCELLED] * 2, round_.story()
    run = entry.record.run_id
    assert entry.reason == (
        f"its repository was moved or removed; its work lies in {entry.record.cwd}: go to the repository, and "
        f"`runner resume {run}`"
    )
    for command in ("resume", "accept"):
        said = round_.call(command, run, cwd=moved)
        assert said.returncode == 0, said.stderr
    assert sorted(path.name for path in moved.glob("*.txt")) == ALL
    assert [(round_.folder / f"note-{number}").read_text() for number in (1, 2)] == ["begin\n"] * 2


def test_a_laptop_that_sleeps_is_not_silent(arena: OpenArena) -> None:
    round_ = arena(1, waiting, RUNNER_SILENCE_S="4", RUNNER_TIMEOUT_S="30")
    round_.begin()
    have_begun(round_)
    asleep = [pid for _, pid in round_.living()]
    for pid in asleep:
        os.kill(pid, signal.SIGSTOP)
    threading.Event().wait(6)
    for pid in reversed(asleep):
        os.kill(pid, signal.SIGCONT)
    (round_.folder / "go").touch()
    entries = round_.finish()
    assert [entry.state for entry in entries] == [State.SUCCEEDED] * 2, round_.story()
    assert all(entry.ending and entry.ending.wall_s < 6 for entry in entries)
    assert merged(round_) == ALL


def test_edits_outside_the_worktree_are_told(arena: OpenArena) -> None:
    round_ = arena(1, lambda folder: [json.dumps([{"run": f"echo mine > {folder}/project/a.txt"}, {"say": "Done."}])])
    round_.prepare()
    done = round_.call("execute", "--platform", "codex", *round_.tasks)
    assert "Your checkout changed while the run was under way" in done.stdout
    assert (round_.repo / "a.txt").read_text() == "mine\n"


def test_a_clock_that_is_set_changes_nobody_s_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    before = started_at(os.getpid())
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: psutil.boot_time() + 3600)
    assert started_at(os.getpid()) == before


@pytest.fixture
def small_disk(arena: OpenArena) -> Iterator[Any]:
    """An arena whose data folder lies on a disk of 24 MB."""
    round_ = arena(1, waiting)
    round_.home.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", round_.home]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield round_
    round_.leave()
    subprocess.run(["umount", "--lazy", round_.home], check=True)


def test_a_full_disk_is_told_and_the_run_can_be_gone_on_with(small_disk: Any) -> None:
    small_disk.begin()
    have_begun(small_disk)
    fill = small_disk.home / "fill"
    with suppress(OSError):
        fill.write_bytes(b"x" * 64 * 1024**2)
    (small_disk.folder / "go").touch()
    small_disk.wait_for(lambda: not small_disk.strays())
    fill.unlink()
    run = small_disk.archive.entries()[0].record.run_id
    small_disk.call("watch", run)
    for command in ("resume", "retry"):
        if not all(one.state is State.SUCCEEDED for one in latest(small_disk)):
            small_disk.call(command, run)
    assert [one.state for one in latest(small_disk)] == [State.SUCCEEDED] * 2, small_disk.story()
    assert merged(small_disk) == ALL


def latest(arena: Any) -> list[Any]:
    """The last try of each task."""
    from runner.runs.tries import latest_tries

    return latest_tries(arena.archive.entries())


def rows() -> list[tuple[str, str]]:
    """The table of the document: fault, and test."""
    text = (REPOSITORY / "docs/sessions.md").read_text()
    return re.findall(r"^\| (.+?) \| `(tests/\S+?::\w+)` \|$", text, re.MULTILINE)


@pytest.mark.parametrize(("fault", "test"), rows())
def test_every_fault_of_the_document_has_the_test_that_it_names(fault: str, test: str) -> None:
    path, name = test.split("::")
    assert re.search(rf"^def {name}\(", (REPOSITORY / path).read_text(), re.MULTILINE), fault


def test_the_document_lists_the_faults() -> None:
    assert len(rows()) > 20
