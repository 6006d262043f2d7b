"""Vectors kept between runs."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from router.model.encoder import OnnxEncoder
from router.model.registry import Registry
from training.vectors import TextVectors, VectorStore

TEXTS = ["fix the login", "write tests for the parser", "why is this slow?", "ünïcode ✓"]


@pytest.fixture(scope="module")
def encoder(shipped_models: Path) -> OnnxEncoder:
    return Registry(shipped_models).load_current().encoder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "vectors.sqlite"


def test_a_text_is_encoded_once_and_its_vector_comes_back_bit_for_bit(encoder: OnnxEncoder, path: Path) -> None:
    first = TextVectors(encoder, VectorStore(path))
    vectors = first.encode_all([*TEXTS[:3], TEXTS[0]])
    assert (vectors.shape, first.encoded) == ((4, encoder.dimension), 3)
    assert np.array_equal(vectors[0], encoder.encode(TEXTS[0]))
    again = TextVectors(encoder, VectorStore(path))
    assert np.array_equal(again.encode_all(TEXTS[:3]), vectors[:3])
    assert again.encoded == 0


def test_no_texts_are_no_vectors(encoder: OnnxEncoder, path: Path) -> None:
    assert TextVectors(encoder, VectorStore(path)).encode_all([]).shape == (0, encoder.dimension)


def test_another_encoder_never_gets_these_vectors(encoder: OnnxEncoder, path: Path, tmp_path: Path) -> None:
    TextVectors(encoder, VectorStore(path)).encode(TEXTS[0])
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_text(encoder.tokenizer_path.read_text() + "\n")
    other = TextVectors(OnnxEncoder(encoder.model_path, tokenizer), VectorStore(path))
    other.encode(TEXTS[0])
    assert other.encoded == 1


def test_a_damaged_file_is_made_anew(encoder: OnnxEncoder, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database " * 500)
    TextVectors(encoder, VectorStore(path)).encode(TEXTS[0])
    again = TextVectors(encoder, VectorStore(path))
    again.encode(TEXTS[0])
    assert again.encoded == 0


def test_damage_that_shows_only_while_reading_costs_a_run_its_cache_and_no_more(
    encoder: OnnxEncoder, path: Path
) -> None:
    keys = {bytes([n]) * 32: np.eye(1, 384, n % 256, dtype=np.float32)[0] for n in range(1, 200)}
    VectorStore(path).put(keys)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    store = VectorStore(path)
    assert store.get(list(keys), 384) == {}
    assert store.problem is not None
    assert store.get(list(keys), 384) == {}
    store.put(keys)
    VectorStore(path).put(keys)
    assert len(VectorStore(path).get(list(keys), 384)) == 199


@pytest.mark.parametrize("blob", [b"", b"\0" * 384 * 4, np.full(384, np.nan, dtype="<f4").tobytes()])
def test_a_vector_that_is_none_is_computed_again(encoder: OnnxEncoder, path: Path, blob: bytes) -> None:
    vectors = TextVectors(encoder, VectorStore(path))
    right = vectors.encode(TEXTS[0])
    with sqlite3.connect(path) as database:
        database.execute("UPDATE vectors SET vector = ?", (blob,))
    again = TextVectors(encoder, VectorStore(path))
    assert np.array_equal(again.encode(TEXTS[0]), right)
    assert again.encoded == 1


def test_where_nothing_can_be_written_everything_is_computed(encoder: OnnxEncoder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = VectorStore(tmp_path / "file" / "vectors.sqlite")
    vectors = TextVectors(encoder, store)
    assert vectors.encode_all(TEXTS).shape[0] == len(TEXTS)
    assert store.problem is not None
    assert str(tmp_path) in store.problem


def test_beyond_its_limit_the_oldest_vectors_go(path: Path) -> None:
    store = VectorStore(path, limit=3)
    unit = np.eye(1, 4, dtype=np.float32)[0]
    for turn in range(5):
        store.put({bytes([turn]): unit})
    assert set(store.get([bytes([turn]) for turn in range(5)], 4)) == {b"\x02", b"\x03", b"\x04"}


def test_many_processes_may_use_one_file(path: Path) -> None:
    program = (
        "import sys, numpy as np; from pathlib import Path; from training.vectors import VectorStore\n"
        "store = VectorStore(Path(sys.argv[1])); unit = np.eye(1, 8, dtype=np.float32)[0]\n"
        "for n in range(30): store.put({f'{sys.argv[2]}-{n}'.encode(): unit})\n"
        "assert store.problem is None, store.problem"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(path), str(n)]) for n in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    keys = [f"{process}-{n}".encode() for process in range(3) for n in range(30)]
    assert len(VectorStore(path).get(keys, 8)) == 90
