"""Routers to test: with the shipped model, and with none."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from router.http.server import configured
from router.journal.journal import Journal
from router.model.registry import Registry
from router.service import Router


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    yield journal
    journal.close()


@pytest.fixture
def router(shipped_models: Path, journal: Journal) -> Iterator[Router]:
    """The shipped model over a journal of its own."""
    router = Router(Registry(shipped_models), journal)
    yield router
    router.close()


@pytest.fixture
def rules_router(tmp_path: Path, journal: Journal) -> Iterator[Router]:
    """No model: the seed's rules decide."""
    router = Router(Registry(tmp_path / "no-models"), journal)
    yield router
    router.close()


@pytest.fixture
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers on the default port, whatever runs on this machine."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setattr("router.ask.DEFAULT_PORT", port)
    monkeypatch.setattr("router.client.DEFAULT_URL", f"http://127.0.0.1:{port}")


Serve = Callable[[FastAPI], AbstractContextManager[int]]


@pytest.fixture
def serve() -> Serve:
    """Serves an app over a real socket, as `router serve` does; yields the port."""

    @contextmanager
    def serving(app: FastAPI) -> Iterator[int]:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            server = uvicorn.Server(configured(app))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            try:
                yield listening.getsockname()[1]
            finally:
                server.should_exit = True
                thread.join()

    return serving
