"""Vectors of texts by the served encoder, kept between runs: a retrain meets mostly texts it has seen before."""

import hashlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from router.model import encoder as encoder_module
from router.model.artifact import sha256
from router.model.encoder import OnnxEncoder

Vectors = NDArray[np.float32]
T = TypeVar("T")

KEPT_VECTORS = 100_000
"""Most vectors kept on disk (150 MB of 384 dimensions); those stored longest ago go first."""
THREADS = 2
CHUNK = 500
"""Texts encoded before their vectors are stored: what an interrupted run has done is not lost."""
LOCK_TIMEOUT_S = 5.0
NORM_ERROR = 1e-2
_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL, turn INTEGER NOT NULL)"


class VectorStore:
    """Vectors by key in one SQLite file, for any number of processes.

    It is a cache: a file that is damaged is made anew, and one that can't be used is done without (`problem`).
    """

    def __init__(self, path: Path | None = None, limit: int = KEPT_VECTORS) -> None:
        self.path = path or user_cache_path("dual-orchestrator") / "vectors.sqlite"
        self.limit = limit
        self.problem: str | None = None
        """Why the file isn't used; None where it is."""

    def get(self, keys: Sequence[bytes], dimension: int) -> dict[bytes, Vectors]:
        """Those of the vectors that are stored and sound, each of shape (dimension,)."""
        nothing: dict[bytes, bytes] = {}
        blobs = self._attempt(lambda database: _select(database, keys), nothing)
        vectors = {k: np.frombuffer(blob, dtype="<f4") for k, blob in blobs.items() if len(blob) == 4 * dimension}
        return {key: vector for key, vector in vectors.items() if abs(float(vector @ vector) - 1) < NORM_ERROR}

    def put(self, vectors: dict[bytes, Vectors]) -> None:
        """Store vectors; beyond the limit the oldest go."""
        self._attempt(lambda database: _insert(database, vectors, self.limit), None)

    def _attempt(self, act: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        if self.problem is not None:
            return otherwise
        try:
            with closing(self._connect()) as database, database:
                return act(database)
        except (sqlite3.Error, OSError) as error:
            self.problem = f"{self.path}: {error}"
            if _damaged(error):
                _remove(self.path)
            return otherwise

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return _open(self.path)
        except sqlite3.DatabaseError as error:
            if not _damaged(error):
                raise
            _remove(self.path)
            return _open(self.path)


class TextVectors:
    """An encoder that encodes no text twice: what it has seen is kept in memory, and in a store if it has one."""

    def __init__(self, encoder: OnnxEncoder, store: VectorStore | None = None) -> None:
        self.encoder, self.store = encoder, store
        self.dimension = encoder.dimension
        self.encoded = 0
        """Texts that really had to be encoded."""
        self._known: dict[str, Vectors] = {}
        self._prefix = _fingerprint(encoder) if store else b""

    def encode(self, text: str) -> Vectors:
        """Return shape (dimension,), L2 norm 1."""
        vector: Vectors = self.encode_all([text])[0]
        return vector

    def encode_all(self, texts: Sequence[str]) -> Vectors:
        """Return shape (n_texts, dimension): each text on its own, as it is served, a few at a time."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._recall(unknown)
        missing = [text for text in unknown if text not in self._known]
        for start in range(0, len(missing), CHUNK):
            self._learn(missing[start : start + CHUNK])
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([self._known[text] for text in texts])

    def _recall(self, texts: Sequence[str]) -> None:
        if self.store is None or not texts:
            return
        keys = {self._key(text): text for text in texts}
        for key, vector in self.store.get(list(keys), self.dimension).items():
            self._known[keys[key]] = vector

    def _learn(self, texts: Sequence[str]) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            vectors = list(pool.map(self.encoder.encode, texts))
        self.encoded += len(texts)
        self._known.update(zip(texts, vectors, strict=True))
        if self.store is not None:
            self.store.put({self._key(text): vector for text, vector in zip(texts, vectors, strict=True)})

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(self._prefix + text.encode()).digest()


def _fingerprint(encoder: OnnxEncoder) -> bytes:
    """Everything that a vector depends on but the text: weights, tokenizer, runtime, and the code of the window."""
    parts = [sha256(encoder.model_path), sha256(encoder.tokenizer_path), sha256(Path(encoder_module.__file__))]
    return ":".join([*parts, metadata.version("onnxruntime"), metadata.version("tokenizers")]).encode()


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(_SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _select(database: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        marks = ",".join("?" * len(some))
        found.update(database.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", some))  # noqa: S608
    return found


def _insert(database: sqlite3.Connection, vectors: Mapping[bytes, Vectors], limit: int) -> None:
    (turn,) = database.execute("SELECT coalesce(max(turn), 0) + 1 FROM vectors").fetchone()
    rows = [(key, vector.astype("<f4").tobytes(), turn) for key, vector in vectors.items()]
    database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
    (count,) = database.execute("SELECT count(*) FROM vectors").fetchone()
    if count > limit:
        oldest = "DELETE FROM vectors WHERE key IN (SELECT key FROM vectors ORDER BY turn LIMIT ?)"
        database.execute(oldest, (count - limit,))


def _damaged(error: Exception) -> bool:
    """True where the file is no sound database; a locked, full or unreadable one is left alone."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
