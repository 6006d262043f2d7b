"""The record of decisions, outcomes and feedback that retraining learns from."""

import json
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.errors import JournalError
from router.journal.record import SCHEMA, Entry, StoreTasks, digest
from router.journal.stored import StoredDecision
from router.schemas import Feedback, Outcome

if TYPE_CHECKING:
    from router.journal.database import Database

__all__ = ["SCHEMA", "Journal", "digest"]

SQLITE = "sqlite:///"
LOCK_TIMEOUT_S = 2.0
"""Longest wait for another process that writes to the same file."""


class Journal:
    """Decisions and what came of them, in SQLite (WAL) or any database SQLAlchemy reaches.

    Opening touches nothing: the tables are made at the first use. Decisions are appended to an existing SQLite
    file without SQLAlchemy, whose import alone takes longer than a process needs for its one decision.
    """

    def __init__(self, url: str, *, store_tasks: StoreTasks = "text") -> None:
        self.url, self.store_tasks = url, store_tasks
        self._opened: Database | None = None
        self._appending: tuple[sqlite3.Connection, int] | None = None
        self._lock = threading.RLock()

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return self._database.shown_url

    def add_entries(self, entries: Sequence[Entry]) -> None:
        """Store decisions in one transaction, secrets scrubbed.

        Raises:
            JournalError: none of them is stored; `passing` says whether trying again may help.
        """
        rows = [entry.row(self.store_tasks) for entry in entries]
        with self._lock:
            file = self._open_file()
            if file is not None:
                self._append(file, rows)
                return
        self._database.add_rows(rows)

    def add_outcome(self, outcome: Outcome, key: str | None = None) -> None:
        """Store an outcome; the same run's later outcome replaces it, the same `key` again changes nothing.

        Raises:
            UnknownDecision: the journal has no such decision.
            ReusedKey: the key came with another outcome before.
            JournalError: it can't be written.
        """
        self._database.add_outcome(outcome, key)

    def add_feedback(self, feedback: Feedback) -> None:
        """Store a correction; raises `UnknownDecision`, `JournalError`."""
        self._database.add_feedback(feedback)

    def decisions(self, limit: int = 50, before: str | None = None) -> list[StoredDecision]:
        """The latest decisions, newest first; `before` is the id of the last one already seen."""
        return self._database.decisions(limit, before)

    def history(self) -> list[tuple[StoredDecision, list[Outcome], list[Feedback]]]:
        """Every decision with its outcomes and feedback, oldest first: what retraining reads."""
        return self._database.history()

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._forget_file()
            if self._opened is not None:
                self._opened.close()

    @property
    def _database(self) -> "Database":
        from router.journal.database import Database  # takes 0.1 s

        with self._lock:
            self._opened = self._opened or Database(self.url)
            return self._opened

    def _open_file(self) -> sqlite3.Connection | None:
        """The SQLite file, where it is one that holds the tables already."""
        path = Path(self.url.removeprefix(SQLITE))
        inode = path.stat().st_ino if str(path) != self.url and path.is_file() else None
        if self._appending is not None and self._appending[1] == inode:
            return self._appending[0]
        self._forget_file()  # somebody has deleted or replaced it
        if inode is None:
            return None
        file = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, check_same_thread=False)
        if not _holds_tables(file):
            file.close()
            return None
        # No commit waits for the disk: decisions are acknowledged unwritten, and an outcome's commit syncs them too.
        file.execute("PRAGMA synchronous=NORMAL")
        self._appending = file, inode
        return file

    def _forget_file(self) -> None:
        if self._appending is not None:
            self._appending[0].close()
            self._appending = None

    def _append(self, file: sqlite3.Connection, rows: Sequence[dict[str, Any]]) -> None:
        columns = list(rows[0])
        command = f"INSERT INTO decisions ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
        try:
            with file:
                file.executemany(command, [[_value(row[name]) for name in columns] for row in rows])
        except (sqlite3.Error, TypeError, ValueError) as error:  # a context that is no JSON, or not UTF-8
            passing = isinstance(error, sqlite3.OperationalError)
            raise JournalError(self.shown_url, str(error), passing=passing) from error


def _holds_tables(file: sqlite3.Connection) -> bool:
    try:
        return bool(file.execute("SELECT max(version) FROM journal_schema").fetchone()[0] == SCHEMA)
    except sqlite3.Error:
        return False  # SQLAlchemy makes the tables, or says what is wrong with the file


def _value(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value
