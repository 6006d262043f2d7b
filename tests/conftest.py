"""What every test may use: the shipped model, and homes that are nobody's."""

import signal
from pathlib import Path

import pytest

from router.settings import CHECKOUT_MODELS

ROUTER_VARIABLES = (
    "ROUTER_MODELS_DIR", "ROUTER_DATABASE_URL", "ROUTER_TOKEN", "ROUTER_STORE_TASKS", "ROUTER_HOST", "ROUTER_PORT",
    "ROUTER_MAX_IN_FLIGHT", "RUNNER_ROUTER_URL",
)  # fmt: skip


def pytest_configure() -> None:
    """In the background, or by `nohup`, tests and what they start would ignore Ctrl-C or a closed terminal."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the developer's own data folder or settings."""
    for name in ROUTER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data-home")))
    monkeypatch.setenv("RUNNER_WORKER_IDLE_S", "2")


@pytest.fixture(scope="session")
def shipped_models() -> Path:
    """The models folder of the checkout."""
    assert (CHECKOUT_MODELS / "current").is_file(), "the checkout ships no model"
    return CHECKOUT_MODELS
