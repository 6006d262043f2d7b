"""The folder that workers share."""

import tempfile
from pathlib import Path

import pytest

from router.http.exchange import PREFIX, exchange


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_is_there_while_it_is_used_and_gone_afterwards(place: Path) -> None:
    with exchange() as folder:
        (folder / "0.prom").write_text("a 1")
        assert list(place.iterdir()) == [folder]
    assert list(place.iterdir()) == []


def test_what_a_killed_service_left_is_removed_and_what_another_uses_is_not(place: Path) -> None:
    left, foreign = place / f"{PREFIX}left", place / f"{PREFIX}no-folder"
    left.mkdir()
    (left / "0.prom").write_text("a 1")
    foreign.write_text("a file of that name")
    with exchange() as used, exchange() as ours:
        assert sorted(place.iterdir()) == sorted([used, ours, foreign])
