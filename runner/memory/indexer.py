"""Making vectors after the writing, so that a store need not wait for the encoder."""

import logging
import threading
import time
from collections.abc import Callable

import numpy as np

from runner.errors import RunnerError
from runner.memory.codes import code_of
from runner.memory.embedding import Embedder
from runner.memory.sql import vectors
from runner.memory.sql.database import Database
from runner.memory.words import plain_text

BATCH = 16
"""Entries embedded between two writes, so that other writers wait only milliseconds."""
EMBEDDED_CHARACTERS = 20_000
"""Of a longer text only the beginning and the end: the encoder's window sees no more."""
_log = logging.getLogger("runner.memory")


class Indexer:
    """Embeds what has no vector yet: at once on `settle`, or in the background after `wake`."""

    def __init__(self, database: Database, scope: str, embedder: Callable[[], Embedder | None]) -> None:
        """Start nothing yet."""
        self.database, self.scope, self.embedder = database, scope, embedder
        self._wanted, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def settle(self, budget_s: float) -> bool:
        """Embed for at most `budget_s` seconds; True where nothing is left."""
        embedder, deadline = self.embedder(), time.monotonic() + budget_s
        if embedder is None:
            return True
        while not self._stopping.is_set():
            if not self._embed_some(embedder):
                return True
            if time.monotonic() > deadline:
                return False
        return False

    def wake(self) -> None:
        """Have the background embed what is missing."""
        with self._starting:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._work, name="memory-indexer", daemon=True)
                self._thread.start()
        self._wanted.set()

    def close(self) -> None:
        """Stop the background; what is missing then, the next search or server makes good."""
        self._stopping.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait()
            self._wanted.clear()
            try:
                self.settle(float("inf"))
            except RunnerError as error:  # searched by words meanwhile; the next write tries again
                _log.warning("entries wait for their vectors: %s", error)

    def _embed_some(self, embedder: Embedder) -> int:
        with self.database.reading() as connection:
            missing = vectors.missing(connection, self.scope, embedder.name, BATCH)
        found = []
        for entry_id, key, value, version in missing:
            vector = embedder.encode(text_of(key, value))
            found.append((entry_id, version, code_of(vector), vector.astype(np.float16).tobytes()))
        if found:
            with self.database.writing(self.scope) as connection:
                vectors.put(connection, self.scope, embedder.name, found)
        return len(found)


def text_of(key: str, value: str) -> str:
    """What is embedded of an entry: its key's words and its value, which comes as JSON."""
    plain = plain_text(value)
    if len(plain) > EMBEDDED_CHARACTERS:
        half = EMBEDDED_CHARACTERS // 2
        plain = f"{plain[:half]} {plain[-half:]}"
    return f"{key.replace('/', ' ').replace('-', ' ').replace('_', ' ')}: {plain}"
