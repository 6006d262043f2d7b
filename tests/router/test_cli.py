"""The `router` command, as typed."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from router.cli import entry

pytestmark = pytest.mark.usefixtures("no_service")
QUESTION = "why does the login test fail only in CI?"


Typed = Callable[..., tuple[int, str, str]]
"""Runs `router` with these words; exit code, stdout and stderr."""


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    """Run `router WORDS`; returns exit code, stdout and stderr."""
    monkeypatch.setattr("sys.argv", ["router", *words])
    with pytest.raises(SystemExit) as ended:
        entry()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    return lambda *words: run(capsys, monkeypatch, *words)


def test_route_shows_platform_reason_and_next_step(typed: Typed) -> None:
    code, out, err = typed("route", QUESTION)
    assert (code, err) == (0, "")
    assert out.startswith("→ claude-code")
    assert "runner execute" in out
    assert "runner feedback" in out


def test_route_as_json_is_one_decision_and_nothing_else(typed: Typed) -> None:
    code, out, _ = typed("route", "--json", "convert", "all", ".js", "files", "to", ".ts")
    decision = json.loads(out)
    assert (code, decision["platform"], decision["source"]) == (0, "codex", "model")


@pytest.mark.parametrize("task", ["--dangerously-skip-permissions", "-rf", "--help me understand"])
def test_a_task_that_looks_like_an_option_is_a_task(typed: Typed, task: str) -> None:
    code, out, _ = typed("route", "--json", task)
    assert code == 0
    assert json.loads(out)["platform"]


def test_an_unsure_or_overridden_decision_says_so(typed: Typed) -> None:
    assert "confirm" in typed("route", "good morning! how are you today?")[1]
    assert "you said so" in typed("route", "--platform", "hybrid", "x" * 300)[1]


def test_a_task_is_read_from_standard_input(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(QUESTION.encode())))
    assert json.loads(typed("route", "--json", "-")[1])["platform"] == "claude-code"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe")))
    code, _, err = typed("route", "-")
    assert code == 2
    assert "UTF-8" in err


def test_a_blank_task_ends_with_a_sentence_and_code_2(typed: Typed) -> None:
    code, out, err = typed("route", "  ")
    assert (code, out) == (2, "")
    assert err == "router: the task is blank; say in a sentence what should be done\n"


def test_without_a_model_route_answers_and_doctor_says_what_to_do(
    typed: Typed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROUTER_MODELS_DIR", str(tmp_path))
    assert json.loads(typed("route", "--json", QUESTION)[1])["source"] == "regex"
    code, out, _ = typed("doctor")
    assert code == 1
    assert "train-router" in out


def test_doctor_is_content_with_what_is_shipped(typed: Typed) -> None:
    code, out, _ = typed("doctor", "--json")
    assert code == 0
    assert {check["name"]: check["ok"] for check in json.loads(out)} == {
        "model": True, "journal": True, "service": True,
    }  # fmt: skip
    typed("route", QUESTION)
    assert "last decision" in typed("doctor")[1]


def test_doctor_says_that_the_journal_can_t_be_written(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTER_DATABASE_URL", "sqlite:////proc/none/j.db")
    code, out, _ = typed("doctor")
    assert code == 1
    assert "ROUTER_DATABASE_URL" in out


def test_a_setting_that_can_t_be_read_is_named(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTER_PORT", "lots")
    code, _, err = typed("route", "x")
    assert code == 2
    assert "ROUTER_PORT" in err


def test_serve_refuses_other_machines_without_a_token(typed: Typed) -> None:
    for host in ("0.0.0.0", "example.invalid"):  # noqa: S104
        code, _, err = typed("serve", "--host", host)
        assert code == 7
        assert "ROUTER_TOKEN" in err
