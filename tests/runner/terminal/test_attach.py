"""A session is come back to: one that waited for a person, one in a tmux window, one that has ended."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from router.service import Router
from runner.runs.archive import Archive
from runner.runs.state import State

from .conftest import Open, end


def test_a_task_that_waits_for_a_person_is_had_by_attaching(
    open_runner: Open, archive: Archive, cli: Callable[..., Any], router: Router
) -> None:
    assert cli("execute", "explain it").returncode == 8
    terminal = open_runner(command=("attach",))
    terminal.expect("CLAUDE GOT explain it")
    terminal.sendline("bye")
    terminal.expect("Was it right")
    terminal.send("g")
    terminal.expect(pexpect.EOF)
    assert terminal.wait() == 0
    (entry,) = archive.entries()
    assert (entry.state, entry.reason) == (State.SUCCEEDED, "accepted by the user")
    assert [o.accepted for _, outcomes, _ in router.journal.history() for o in outcomes] == [True]
    refused = cli("attach")
    assert (refused.returncode, "waits for a person" in refused.stderr) == (2, True)


@pytest.fixture
def tmux(tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """A tmux of the test's own."""
    found = shutil.which("tmux")
    if found is None:
        pytest.skip("tmux isn't installed")
    environ["TMUX_TMPDIR"] = str(tmp_path)
    environ.pop("TMUX", None)

    def run(*args: str) -> str:
        return subprocess.run([found, *args], env=environ, capture_output=True, text=True, check=False).stdout

    yield run
    run("kill-server")


def test_a_session_in_a_window_outlives_the_terminal_and_is_attached_to_again(
    open_runner: Open, archive: Archive, tmux: Callable[..., str], cli: Callable[..., Any]
) -> None:
    terminal = open_runner("--tmux", "--platform", "claude-code", "explain it")
    terminal.expect("CLAUDE GOT explain it")
    terminal.ptyproc.fileobj.close()  # type: ignore[attr-defined]  # missing in the stubs
    terminal.wait()
    (entry,) = archive.entries()
    assert (entry.state, entry.reason) == (State.RUNNING, "")
    again = open_runner(command=("attach", entry.record.run_id))
    again.expect("CLAUDE GOT explain it")
    again.sendline("bye")
    again.expect(r"Was it right\?")
    again.send("g")
    assert end(again) == 0
    (entry,) = archive.entries()
    assert (entry.state, entry.reason) == (State.SUCCEEDED, "accepted by the user")


def test_what_a_session_used_is_read_from_its_transcript(
    open_runner: Open, archive: Archive, environ: dict[str, str], tmp_path: Path, cli: Callable[..., Any]
) -> None:
    environ["CLAUDE_CONFIG_DIR"] = str(tmp_path / "claude-home")
    terminal = open_runner("--platform", "claude-code", "explain it")
    terminal.expect("CLAUDE GOT explain it")
    terminal.sendline("bye")
    terminal.expect("skip")
    terminal.send("g")
    assert end(terminal) == 0
    (entry,) = archive.entries()
    assert entry.ending is not None
    assert (entry.ending.tokens, entry.ending.cost_usd, entry.ending.turns) == (107, 0.5, 1)
    assert entry.ending.message == "So it is."
    assert "So it is." in cli("logs", entry.record.run_id).stdout
