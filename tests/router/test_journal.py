"""The journal: what is acknowledged is stored."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from router.errors import JournalError, ReusedKey, UnknownDecision
from router.journal.journal import SCHEMA, Journal, digest
from router.journal.record import Entry
from router.labels import Mode, Platform, Source, Status
from router.schemas import Decision, Feedback, Outcome, Similar


def decision(decision_id: str = "d1") -> Decision:
    return Decision(
        decision_id=decision_id, platform="codex", mode=Mode.HEADLESS, workflow=None, task_type="test", confidence=0.9,
        probabilities={"codex": 0.9}, task_types={"test": 0.9}, source=Source.MODEL, reason="because",
        needs_confirmation=False, similar=[Similar(text="near", task_type="test", similarity=0.9)],
        model_version="v1", latency_ms=1.0,
    )  # fmt: skip


def outcome(decision_id: str = "d1", status: Status = Status.SUCCEEDED) -> Outcome:
    return Outcome(decision_id=decision_id, run_id="r1", platform="codex", status=status)


def test_decisions_come_back_newest_first_and_in_pages(journal: Journal) -> None:
    for number in range(5):
        journal.add_entries([Entry(decision(f"d{number}"), f"task {number}", {"cwd": "/x"}, None)])
    page = journal.decisions(limit=2)
    assert [one.decision.decision_id for one in page] == ["d4", "d3"]
    rest = journal.decisions(limit=10, before="d3")
    assert [one.decision.decision_id for one in rest] == ["d2", "d1", "d0"]
    assert (rest[0].task, rest[0].context) == ("task 2", {"cwd": "/x"})


def test_secrets_are_scrubbed_from_task_and_context(journal: Journal) -> None:
    journal.add_entries([Entry(decision(), "use password=hunter2xx", {"env": "token=abcdef123"}, None)])
    (stored,) = journal.decisions()
    assert "hunter2xx" not in stored.task
    assert stored.context == {"env": "token=[secret]"}


def test_hash_mode_keeps_no_text(tmp_path: Path) -> None:
    path = tmp_path / "hashed.db"
    journal = Journal(f"sqlite:///{path}", store_tasks="hash")
    journal.add_entries([Entry(decision(), "a very private task", {"cwd": "/private"}, np.ones(2, np.float32))])
    (stored,) = journal.decisions()
    journal.close()
    assert (stored.task, stored.context, stored.decision.similar) == (digest("a very private task"), None, [])
    assert b"private" not in path.read_bytes()


def test_history_joins_outcomes_and_feedback_to_their_decision(journal: Journal) -> None:
    journal.add_entries([Entry(decision("d1"), "one", None, None)])
    journal.add_entries([Entry(decision("d2"), "two", None, None)])
    journal.add_outcome(outcome("d1", Status.FAILED))
    journal.add_outcome(outcome("d1", Status.SUCCEEDED))
    journal.add_feedback(Feedback(decision_id="d2", platform=Platform.HYBRID))
    (first, second) = journal.history()
    assert [one.status for one in first[1]] == [Status.SUCCEEDED]
    assert first[2] == []
    assert second[2][0].platform is Platform.HYBRID


def test_an_outcome_of_no_decision_is_refused(journal: Journal) -> None:
    with pytest.raises(UnknownDecision, match="'nobody'"):
        journal.add_outcome(outcome("nobody"))
    with pytest.raises(UnknownDecision):
        journal.add_feedback(Feedback(decision_id="nobody", verdict="good"))
    with pytest.raises(UnknownDecision):
        journal.decisions(before="nobody")


def test_an_outcome_sent_again_under_its_key_changes_nothing(journal: Journal) -> None:
    journal.add_entries([Entry(decision(), "one", None, None)])
    journal.add_outcome(outcome(status=Status.FAILED), key="k1")
    journal.add_outcome(outcome(status=Status.SUCCEEDED), key="k2")
    journal.add_outcome(outcome(status=Status.FAILED), key="k1")
    assert [one.status for one in journal.history()[0][1]] == [Status.SUCCEEDED]
    with pytest.raises(ReusedKey, match="'k1'"):
        journal.add_outcome(outcome(status=Status.STALLED), key="k1")
    with pytest.raises(UnknownDecision):
        journal.add_outcome(outcome("nobody"), key="k3")


def test_two_processes_share_one_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    first, second = Journal(url), Journal(url)
    first.add_entries([Entry(decision("a"), "one", None, None)])
    second.add_entries([Entry(decision("b"), "two", None, None)])
    assert len(first.decisions()) == len(second.decisions()) == 2
    first.close()
    second.close()


def test_a_journal_of_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table journal_schema (version integer primary key)")
        connection.execute("insert into journal_schema values (?)", (SCHEMA + 1,))
    connection.close()
    with pytest.raises(JournalError, match="upgrade it"):
        Journal(f"sqlite:///{path}").decisions()


@pytest.mark.parametrize("url", ["sqlite:////proc/none/journal.db", "nonsense", "nodriver://x/y"])
def test_a_journal_that_can_t_be_opened_says_so(url: str) -> None:
    with pytest.raises(JournalError):
        Journal(url).decisions()


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("this is no database, but it is long enough to be looked at as one" * 20)
    with pytest.raises(JournalError, match="not a database"):
        Journal(f"sqlite:///{path}").decisions()


def test_the_password_of_the_url_is_never_shown() -> None:
    assert "hunter2" not in Journal("postgresql://bob:hunter2@db/prod").shown_url
    assert Journal("not a url").shown_url == "ROUTER_DATABASE_URL"
