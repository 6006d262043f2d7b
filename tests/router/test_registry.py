"""Model folders and which of them is served."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest

from router.errors import ArtifactError
from router.model.artifact import CLASSIFIER_FILE, MANIFEST_FILE, load, read_manifest
from router.model.encoder import MODEL_FILE, TOKENIZER_FILE
from router.model.registry import CURRENT_FILE, Registry


@pytest.fixture
def models(shipped_models: Path, tmp_path: Path) -> Registry:
    """A copy of the shipped version in a folder of its own."""
    version = (shipped_models / CURRENT_FILE).read_text().strip()
    shutil.copytree(shipped_models / version, tmp_path / "models" / version)
    (tmp_path / "models" / CURRENT_FILE).write_text(version)
    return Registry(tmp_path / "models")


def served(models: Registry) -> Path:
    version = models.current()
    assert version is not None
    return models.folder(version)


def test_the_served_version_loads(models: Registry) -> None:
    model = models.load_current()
    assert model.version == models.current()
    assert [one.version for one in models.versions()] == [model.version]


@pytest.mark.parametrize("name", [CLASSIFIER_FILE, MODEL_FILE, TOKENIZER_FILE])
def test_a_changed_file_is_refused_before_it_is_opened(models: Registry, name: str) -> None:
    with (served(models) / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtifactError, match=f"{name} is not the file its manifest vouches for"):
        models.load_current()


def test_a_foreign_pickle_is_not_run(models: Registry, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "it-ran"),)

    (served(models) / CLASSIFIER_FILE).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ArtifactError):
        models.load_current()
    assert not (tmp_path / "it-ran").exists()


def test_a_vouched_file_that_is_no_model_is_an_error_of_ours(models: Registry) -> None:
    import hashlib

    folder = served(models)
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    for name in (CLASSIFIER_FILE, MODEL_FILE):
        kept = (folder / name).read_bytes()
        (folder / name).write_bytes(b"nonsense")
        manifest["files"][name] = hashlib.sha256(b"nonsense").hexdigest()
        (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
        with pytest.raises(ArtifactError):
            load(folder)
        (folder / name).write_bytes(kept)
        manifest["files"][name] = hashlib.sha256(kept).hexdigest()


@pytest.mark.parametrize(
    ("content", "said"), [("{", "is not a manifest"), ("{}", "is not a manifest"), (None, "no readable")]
)
def test_a_folder_without_a_manifest_is_no_model(models: Registry, content: str | None, said: str) -> None:
    path = served(models) / MANIFEST_FILE
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(ArtifactError, match=said):
        load(path.parent)
    assert models.versions() == []


@pytest.mark.parametrize(("number", "asked"), [(99, "upgrade"), (1, "train again")])
def test_a_manifest_of_another_format_says_what_to_do(models: Registry, number: int, asked: str) -> None:
    path = served(models) / MANIFEST_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": number}))
    with pytest.raises(ArtifactError, match=asked):
        read_manifest(path.parent)


def test_a_missing_file_is_named(models: Registry) -> None:
    (served(models) / MODEL_FILE).unlink()
    with pytest.raises(ArtifactError, match=r"encoder.onnx is missing"):
        models.load_current()


def test_an_empty_folder_holds_no_model(tmp_path: Path) -> None:
    empty = Registry(tmp_path / "none")
    assert (empty.current(), empty.marker(), empty.versions()) == (None, (None,), [])
    with pytest.raises(ArtifactError, match="holds no model"):
        empty.load_current()


@pytest.mark.parametrize("version", ["nobody", "../models", "", ".."])
def test_a_version_that_is_not_there_can_t_be_promoted(models: Registry, version: str) -> None:
    before = models.current()
    with pytest.raises(ArtifactError, match="no such version"):
        models.promote(version)
    assert models.current() == before


def test_promoting_changes_the_marker_and_a_damaged_version_is_not_promoted(models: Registry) -> None:
    first = served(models)
    shutil.copytree(first, models.root / "second")
    before = models.marker()
    models.promote("second")
    assert models.current() == "second"
    assert models.marker() != before
    (first / CLASSIFIER_FILE).write_bytes(b"damaged")
    with pytest.raises(ArtifactError):
        models.promote(first.name)
    assert models.current() == "second"


def test_a_version_appears_whole_or_not_at_all(models: Registry) -> None:
    with models.staging("third") as folder:
        (folder / "file").write_text("x")
        assert not (models.root / "third").exists()
    assert (models.root / "third" / "file").read_text() == "x"

    def fail() -> None:
        with models.staging("fourth") as folder:
            (folder / "file").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert sorted(path.name for path in models.root.iterdir() if path.name.startswith((".", "fourth"))) == []


def test_what_is_shipped_is_served_until_something_is_promoted_over_it(models: Registry, tmp_path: Path) -> None:
    both = Registry(tmp_path / "own", shipped=models.root)
    assert both.current() == models.current()
    assert both.load_current().version == models.current()
    shutil.copytree(served(models), tmp_path / "own" / "mine")
    both.promote("mine")
    assert both.current() == "mine"
    assert models.current() != "mine"


def test_a_folder_that_can_t_be_written_says_so() -> None:
    with pytest.raises(ArtifactError, match="can't be written"), Registry(Path("/proc/none")).staging("x"):
        pass
