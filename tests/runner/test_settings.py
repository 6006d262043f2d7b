"""Settings come from the environment, or are refused by their name."""

from pathlib import Path

import pytest

from runner.errors import BadInput
from runner.settings import MOST_WORKERS, read_settings


@pytest.mark.parametrize(
    ("name", "value"), [("TIMEOUT_S", "soon"), ("WORKERS", "-1"), ("HEADLESS", "gemini"), ("GRACE_S", "-2")]
)
def test_a_variable_that_holds_what_it_cannot_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"RUNNER_{name}", value)
    with pytest.raises(BadInput, match=f"RUNNER_{name}={value}: "):
        read_settings()


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNER_CODEX", "")
    assert read_settings().codex is None


def test_the_token_of_the_router_is_taken_from_its_own_variable_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTER_TOKEN", "s3cret")
    settings = read_settings()
    assert settings.router_token is not None
    assert settings.router_token.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


def test_everything_lies_in_the_user_data_folder_or_where_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNNER_HOME", raising=False)
    assert read_settings().data_folder().parts[-2:] == ("dual-orchestrator", "runner")
    monkeypatch.setenv("RUNNER_HOME", "~/elsewhere")
    assert read_settings().data_folder() == Path.home() / "elsewhere"


def test_sessions_at_once_are_set_or_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= read_settings().workers_at_once() <= MOST_WORKERS
    monkeypatch.setenv("RUNNER_WORKERS", "9")
    assert read_settings().workers_at_once() == 9
