"""All vectors of a scope as one-bit codes in memory: near ones are found in a millisecond, then compared exactly."""

import threading
import time
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from runner.memory.sql import vectors
from runner.memory.sql.database import Database
from runner.memory.view import View

CANDIDATES = 192
"""Nearest codes whose vectors are compared exactly."""
_BITS = 64
_FIRST = 256


def code_of(vector: NDArray[np.float32]) -> bytes:
    """The signs of a vector, padded to whole 64-bit words."""
    padded = np.zeros(-(-len(vector) // _BITS) * _BITS, dtype=bool)
    padded[: len(vector)] = vector > 0
    return np.packbits(padded).tobytes()


class CodeCache:
    """The codes that one encoder made of one scope, brought up to date before each look."""

    def __init__(self, database: Database, scope: str, encoder: str, dimension: int) -> None:
        """Hold nothing yet."""
        self.database, self.scope, self.encoder = database, scope, encoder
        self._since, self._size = 0, 0
        self._rows: dict[int, int] = {}
        self._names: dict[str, int] = {}
        # Words of 64 bits by column: summing along the long axis is what makes the look quick.
        self._codes = np.zeros((-(-dimension // _BITS), _FIRST), dtype=np.uint64)
        self._ids, self._namespaces, self._runs = (np.zeros(_FIRST, dtype=np.int64) for _ in range(3))
        self._until = np.zeros(_FIRST)
        self._lock = threading.Lock()

    def nearest(self, view: View, namespaces: Collection[str], vector: NDArray[np.float32]) -> list[int]:
        """Ids of the `CANDIDATES` entries whose codes differ least, in no order."""
        with self._lock:
            self._refresh()
            used = self._until[: self._size] > time.time()
            if namespaces:
                used &= np.isin(self._namespaces[: self._size], [self._number(name) for name in namespaces])
            if view.run:
                used &= np.isin(self._runs[: self._size], [self._number(""), self._number(view.run)])
            rows = np.flatnonzero(used)
            code = np.frombuffer(code_of(vector), dtype=np.uint64)
            apart = np.zeros(len(rows), dtype=np.uint16)
            for word, column in zip(code, self._codes[:, : self._size], strict=True):
                apart += np.bitwise_count((column if len(rows) == self._size else column[rows]) ^ word)
            if len(rows) > CANDIDATES:
                rows = rows[np.argpartition(apart, CANDIDATES)[:CANDIDATES]]
            return [int(found) for found in self._ids[rows]]

    def _refresh(self) -> None:
        with self.database.reading() as connection:
            changes = vectors.changes(connection, self.scope, self._since)
        for change in changes:
            self._since = change.changed
            usable = change.code if change.encoder == self.encoder and not change.deleted else None
            if usable is not None or change.id in self._rows:
                row = self._row_of(change.id)
                self._until[row] = 0 if usable is None else change.expires_at or np.inf
                self._namespaces[row], self._runs[row] = self._number(change.namespace), self._number(change.run)
                if usable is not None:
                    self._codes[:, row] = np.frombuffer(usable, dtype=np.uint64)

    def _row_of(self, entry_id: int) -> int:
        row = self._rows.setdefault(entry_id, self._size)
        if row == self._size:
            self._size += 1
            if row == len(self._ids):
                self._grow()
            self._ids[row] = entry_id
        return row

    def _grow(self) -> None:
        room = len(self._ids)
        self._codes = np.pad(self._codes, ((0, 0), (0, room)))
        self._ids, self._namespaces, self._runs = (
            np.pad(column, (0, room)) for column in (self._ids, self._namespaces, self._runs)
        )
        self._until = np.pad(self._until, (0, room))

    def _number(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names))
