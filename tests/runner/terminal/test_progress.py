"""Progress is a live table in a terminal and plain lines elsewhere."""

import io

import pytest
from rich.console import Console

from runner.agents.events import Message, Usage
from runner.terminal.live import LiveProgress
from runner.terminal.progress import PlainProgress, Progress, open_progress


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=120)


def tell(progress: Progress) -> None:
    """Tell the story of one worker, with an interactive session in between."""
    with progress.shown():
        progress.note("codex is missing")
        progress.started("1-x", "codex")
        progress.heard("1-x", Message("I look\naround [bold]"))
        progress.heard("1-x", Usage(1234))
        with progress.hidden():
            pass
        progress.ended("1-x", "succeeded", "completed")
        progress.ended("2-y", "waiting", "needs a person")


def test_plain_lines_tell_everything(capsys: pytest.CaptureFixture[str]) -> None:
    tell(PlainProgress())
    assert capsys.readouterr().err.splitlines() == [
        "runner: codex is missing",
        "runner: 1-x: codex starts",
        "runner: 1-x: I look around [bold]",
        "runner: 1-x: succeeded (completed)",
        "runner: 2-y: waiting (needs a person)",
    ]


def test_the_table_shows_the_last_of_everything(console: Console) -> None:
    tell(LiveProgress(console))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "runner: codex is missing" in shown
    assert "1,234" in shown
    assert "I look around [bold]" in shown
    assert "2-y" not in shown


def test_without_a_terminal_there_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(open_progress(), PlainProgress)
    assert capsys.readouterr().err == ""


def test_in_a_terminal_there_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert isinstance(open_progress(), LiveProgress)
