"""Routers to test: with the shipped model, and with none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from router.journal import Journal
from router.registry import Registry
from router.service import Router


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    yield journal
    journal.close()


@pytest.fixture
def router(shipped_models: Path, journal: Journal) -> Router:
    """The shipped model over a journal of its own."""
    return Router(Registry(shipped_models), journal)


@pytest.fixture
def rules_router(tmp_path: Path, journal: Journal) -> Router:
    """No model: the seed's rules decide."""
    return Router(Registry(tmp_path / "no-models"), journal)
