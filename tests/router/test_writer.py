"""The background writer: in order, together, never in the way, nothing lost in silence."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from router.errors import JournalError
from router.journal.journal import Journal
from router.journal.record import Entry
from router.journal.writer import JournalWriter
from router.labels import Mode, Source
from router.schemas import Decision


def entry(name: str, context: dict[str, object] | None = None, created_at: float = 1.0) -> Entry:
    decision = Decision(
        decision_id=name, platform="codex", mode=Mode.HEADLESS, workflow=None, task_type="test", confidence=0.9,
        probabilities={"codex": 0.9}, task_types={"test": 0.9}, source=Source.MODEL, reason="because",
        needs_confirmation=False, similar=[], model_version="v1", latency_ms=1.0,
    )  # fmt: skip
    return Entry(decision, f"task {name}", context, None, created_at)


class Slow(Journal):
    """A journal whose writes wait until they are let through."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.open = threading.Event()
        self.groups: list[int] = []

    def add_entries(self, entries: Sequence[Entry]) -> None:
        assert self.open.wait(10)
        self.groups.append(len(entries))
        super().add_entries(entries)


def test_decisions_are_written_in_order_and_several_at_once(tmp_path: Path) -> None:
    journal = Slow(f"sqlite:///{tmp_path / 'j.db'}")
    writer = JournalWriter(journal, 1000)
    for number in range(200):
        writer.put(entry(f"{number:03}"))
    journal.open.set()
    writer.flush()
    assert [stored.decision.decision_id for stored in reversed(journal.decisions(500))] == [
        f"{number:03}" for number in range(200)
    ]
    assert len(journal.groups) < 10
    assert (writer.written, writer.pending, writer.lost) == (200, 0, 0)
    writer.close()
    journal.close()


def test_a_journal_that_hangs_keeps_nobody_waiting_and_the_oldest_go(tmp_path: Path) -> None:
    journal = Slow(f"sqlite:///{tmp_path / 'j.db'}")
    writer = JournalWriter(journal, 10)
    for number in range(50):
        writer.put(entry(f"{number:03}"))
    assert (writer.pending, writer.lost) == (10, 40)
    journal.open.set()
    writer.close()
    assert "049" in {stored.decision.decision_id for stored in journal.decisions()}
    assert writer.written + writer.lost == 50
    writer.put(entry("too late"))
    assert writer.lost >= 41
    journal.close()


def test_a_locked_journal_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.journal.journal.LOCK_TIMEOUT_S", 0.05)
    path = tmp_path / "j.db"
    journal = Journal(f"sqlite:///{path}")
    journal.decisions()
    locker = sqlite3.connect(path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    writer = JournalWriter(journal, 10)
    writer.put(entry("a"))
    with pytest.raises(JournalError, match="locked"):
        writer.flush()
    locker.execute("ROLLBACK")
    locker.close()
    writer.flush()
    assert writer.failures >= 1
    assert (writer.written, writer.lost) == (1, 0)
    writer.close()
    journal.close()


def test_a_decision_that_can_never_be_stored_takes_no_other_with_it(tmp_path: Path) -> None:
    journal = Slow(f"sqlite:///{tmp_path / 'j.db'}")
    journal.decisions()
    writer = JournalWriter(journal, 100)
    for one in (entry("a"), entry("b", {"no JSON": object()}), entry("a"), entry("c", {"text": "\ud800"}), entry("d")):
        writer.put(one)
    journal.open.set()
    writer.flush()
    assert {stored.decision.decision_id for stored in journal.decisions()} >= {"a", "d"}
    assert writer.written + writer.lost == 5
    assert writer.lost >= 2
    writer.close()
    journal.close()


def test_a_journal_file_that_is_deleted_under_way_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = Journal(f"sqlite:///{path}")
    journal.add_entries([entry("a")])
    journal.add_entries([entry("b")])
    for file in tmp_path.iterdir():
        file.unlink()
    journal.add_entries([entry("c")])
    assert [stored.decision.decision_id for stored in journal.decisions()] == ["c"]
    journal.close()


def test_a_clock_that_jumps_back_loses_no_decision(journal: Journal) -> None:
    for number, now in enumerate((1000.0, 5000.0, 10.0, 2000.0)):
        journal.add_entries([entry(f"{number}", created_at=now)])
    first = journal.decisions(limit=2)
    rest = journal.decisions(limit=2, before=first[-1].decision.decision_id)
    assert [one.task for one in first + rest] == ["task 1", "task 3", "task 0", "task 2"]
