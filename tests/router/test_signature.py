"""Models that must be signed."""

import shutil
from pathlib import Path

import pytest

from router.errors import ArtifactError
from router.model.registry import CURRENT_FILE, Registry
from router.model.signature import SIGNATURE_FILE
from router.settings import Settings


@pytest.fixture
def signed(shipped_models: Path, tmp_path: Path) -> Registry:
    version = (shipped_models / CURRENT_FILE).read_text().strip()
    shutil.copytree(shipped_models / version, tmp_path / version)
    (tmp_path / CURRENT_FILE).write_text(version)
    registry = Registry(tmp_path, key=b"our key")
    with pytest.raises(ArtifactError, match="router sign"):
        registry.load_current()
    registry.sign()
    return registry


def test_a_signed_model_is_loaded_and_one_signed_with_another_key_is_not(signed: Registry) -> None:
    assert signed.load_current().version == signed.current()
    with pytest.raises(ArtifactError, match="nothing was opened"):
        Registry(signed.root, key=b"another key").load_current()
    assert Registry(signed.root).load_current()
    with pytest.raises(ArtifactError, match="ROUTER_MANIFEST_KEY"):
        Registry(signed.root).sign()


def test_a_manifest_changed_after_signing_is_refused(signed: Registry) -> None:
    folder = signed.folder(signed.current() or "")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text() + " ")
    with pytest.raises(ArtifactError, match="not signed with"):
        signed.load_current()
    assert (folder / SIGNATURE_FILE).is_file()


def test_the_key_comes_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTER_MANIFEST_KEY", "k")
    assert Registry.of(Settings()).key == b"k"
    assert "k" not in repr(Settings().manifest_key)
