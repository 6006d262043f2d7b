"""Texts to vectors."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from router.errors import ArtifactError
from router.model.artifact import Model
from router.model.encoder import HEAD_TOKENS, WINDOW_TOKENS, OnnxEncoder
from router.model.registry import Registry


@pytest.fixture(scope="module")
def model(shipped_models: Path) -> Model:
    return Registry(shipped_models).load_current()


def test_vectors_have_length_one(model: Model) -> None:
    for text in ("x", "fix the login", "word " * 3000, "日本語"):
        vector = model.encoder.encode(text)
        assert vector.shape == (model.encoder.dimension,)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)


def test_a_long_text_is_seen_by_head_and_tail(model: Model) -> None:
    tokenizer = model.encoder.tokenizer
    long = "alpha " + "filler " * 5000 + "omega"
    ids = tokenizer.ids(long)
    assert len(ids) == WINDOW_TOKENS
    assert ids[:2] == tokenizer.ids("alpha")[:2]
    assert ids[-2:] == tokenizer.ids("omega")[-2:]
    assert ids[:HEAD_TOKENS] == tokenizer.ids("alpha " + "filler " * 200)[:HEAD_TOKENS]


def test_the_middle_of_a_very_long_text_costs_nothing(model: Model) -> None:
    middle = "noise " * 50_000
    head, tail = "head " * 3000, " tail" * 3000
    assert model.encoder.tokenizer.ids(head + middle + tail) == model.encoder.tokenizer.ids(head + tail)


def test_examples_are_shown_with_their_similarity_best_first(model: Model) -> None:
    near = model.examples.nearest(model.encoder.encode(model.examples.texts[0]))
    assert near[0].text == model.examples.texts[0]
    assert near[0].similarity == pytest.approx(1, abs=0.02)
    assert near[0].similarity >= near[1].similarity >= near[2].similarity


def test_a_file_that_is_no_model_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "encoder.onnx").write_bytes(b"x")
    with pytest.raises(ArtifactError, match="can't be loaded"):
        OnnxEncoder(tmp_path / "encoder.onnx", tmp_path / "tokenizer.json")


def test_an_encoder_that_fails_is_an_error_of_ours(model: Model) -> None:
    broken = OnnxEncoder(model.encoder.model_path, model.encoder.tokenizer_path)
    broken.tokenizer.tokenizer.add_tokens(["zzunknownzz"])
    with pytest.raises(ArtifactError, match="failed"):
        broken.encode("zzunknownzz")


def test_nothing_of_its_use_is_kept_for_others(tmp_path: Path, shipped_models: Path) -> None:
    code = "import sys; from pathlib import Path; from router.model.registry import Registry; "
    code += "Registry(Path(sys.argv[1])).load_current().encoder.encode('fix it')"
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", code, str(shipped_models.resolve())], env=home, check=True)
    assert list(tmp_path.rglob("*")) == []
