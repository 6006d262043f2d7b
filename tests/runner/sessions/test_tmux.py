"""`--tmux`: an interactive session has a window of its own, which outlives the terminal."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from runner.census import marked
from runner.errors import Left, ProgramMissing
from runner.process import Command
from runner.sessions.tmux import HUNG_UP, Window

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux isn't installed")
PROGRAM = 'import sys, os; print("IN", os.getcwd(), os.environ["SECRET"], flush=True); sys.exit(len(input()))'


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """A tmux of the test's own."""
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("TMUX_TMPDIR", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm-256color")

    def run(*args: str) -> str:
        return subprocess.run(["tmux", *args], capture_output=True, text=True, check=False).stdout

    yield run
    run("kill-server")


@pytest.fixture
def window(tmp_path: Path) -> Window:
    return Window(tmp_path / "session", "dual-abcd-1-x", "mark-of-this-test", 0.5)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command((sys.executable, "-c", PROGRAM), tmp_path, {"SECRET": "s3cret", "TERM": "xterm"})


class Running:
    """A window that is waited for in another thread."""

    def __init__(self, window: Window, command: Command) -> None:
        self.stop, self.leave, self.notes = threading.Event(), threading.Event(), list[str]()
        self.code: int | BaseException | None = None

        def run() -> None:
            try:
                self.code = window.run(command, self.stop, self.leave, self.notes.append)
            except Left as left:
                self.code = left

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def ended(self) -> int | BaseException | None:
        """Wait for it, and say how it ended."""
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self.code


def until_shown(tmux: Callable[..., str], text: str) -> None:
    """Wait until the window shows something."""
    for _ in range(400):
        if text in tmux("capture-pane", "-J", "-p", "-t", "=dual-abcd-1-x:"):
            return
        threading.Event().wait(0.05)
    raise AssertionError(tmux("capture-pane", "-J", "-p", "-t", "=dual-abcd-1-x:"))


def test_the_program_runs_in_a_session_of_its_own(
    tmux: Callable[..., str], window: Window, command: Command, tmp_path: Path
) -> None:
    running = Running(window, command)
    until_shown(tmux, "s3cret")
    assert running.notes == ["dual-abcd-1-x goes on: `tmux attach -t dual-abcd-1-x` shows it"]
    assert not (window.folder / "window.json").exists()
    assert not any("s3cret" in word for process in marked("mark-of-this-test") for word in process.cmdline())
    tmux("send-keys", "-t", "=dual-abcd-1-x:", "four", "Enter")
    assert running.ended() == 4
    assert json.loads((window.folder / "window-ended.json").read_text()) == {"code": 4}


def test_who_leaves_finds_it_again(tmux: Callable[..., str], window: Window, command: Command) -> None:
    first = Running(window, command)
    until_shown(tmux, "s3cret")
    first.leave.set()
    assert isinstance(first.ended(), Left)
    second = Running(window, command)
    tmux("send-keys", "-t", "=dual-abcd-1-x:", "Enter")
    assert second.ended() == 0
    assert Running(window, command).ended() == 0


def test_stopping_ends_the_program(tmux: Callable[..., str], window: Window, command: Command) -> None:
    running = Running(window, command)
    until_shown(tmux, "s3cret")
    running.stop.set()
    assert running.ended() in {-9, HUNG_UP}
    assert marked("mark-of-this-test") == []


def test_a_closed_window_has_hung_up(tmux: Callable[..., str], window: Window, command: Command) -> None:
    running = Running(window, command)
    until_shown(tmux, "s3cret")
    tmux("kill-session", "-t", "=dual-abcd-1-x")
    assert running.ended() in {-1, 1, HUNG_UP}


def test_inside_tmux_the_window_is_opened_beside_the_others(
    tmux: Callable[..., str], window: Window, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmux("new-session", "-d", "-s", "mine")
    monkeypatch.setenv("TMUX", tmux("display-message", "-p", "-t", "mine", "#{socket_path},#{pid},0").strip())
    running = Running(window, command)
    for _ in range(200):
        if "dual-abcd-1-x" in tmux("list-windows", "-t", "mine", "-F", "#{window_name}"):
            break
        threading.Event().wait(0.05)
    tmux("send-keys", "-t", "mine:dual-abcd-1-x", "yes", "Enter")
    assert running.ended() == 3


def test_our_terminal_shows_it_until_it_is_detached(
    tmux: Callable[..., str], window: Window, command: Command, tmp_path: Path
) -> None:
    text = f"""
import os, sys, threading
from pathlib import Path
from runner.process import Command
from runner.sessions.tmux import Window
window = Window(Path({str(window.folder)!r}), {window.name!r}, {window.mark!r}, 0.5)
command = Command({command.argv!r}, Path({str(tmp_path)!r}), {dict(command.env)!r})
print("ENDED", window.run(command, threading.Event(), threading.Event(), lambda text: print(text, flush=True)))
"""
    screen = pexpect.spawn(sys.executable, ["-c", text], env=os.environ, encoding="utf-8", timeout=30)
    try:
        screen.expect("s3cret")
        screen.send("\x02d")
        screen.expect("dual-abcd-1-x goes on: `tmux attach -t dual-abcd-1-x` shows it")
        tmux("send-keys", "-t", "=dual-abcd-1-x:", "ab", "Enter")
        screen.expect("ENDED 2")
    finally:
        screen.close(force=True)


def test_without_tmux_it_is_said(
    window: Window, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing, match="tmux is not installed; install it, or leave --tmux out"):
        window.run(command, threading.Event(), threading.Event(), print)


def test_a_tmux_that_opens_no_window_is_said(
    window: Window, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tmux").write_text("#!/bin/sh\necho no server >&2; exit 1\n")
    (tmp_path / "tmux").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ProgramMissing, match=r"can't open a window \(no server\)"):
        window.run(command, threading.Event(), threading.Event(), print)
