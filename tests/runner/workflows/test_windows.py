"""`runner coordinate --tmux`: a phase with a person goes on in its window when the terminal is closed."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux isn't installed")
Tmux = Callable[..., str]
GitRun = Callable[..., str]


@pytest.fixture
def tmux(tmp_path: Path, environ: dict[str, str]) -> Iterator[Tmux]:
    """A tmux of the test's own, which the commands use too."""
    environ |= {"TMUX_TMPDIR": str(tmp_path), "TERM": "xterm-256color"}
    environ.pop("TMUX", None)

    def run(*args: str) -> str:
        return subprocess.run(["tmux", *args], env=environ, capture_output=True, text=True, check=False).stdout.strip()

    yield run
    run("kill-server")


def closed(terminal: "pexpect.spawn[str]") -> None:
    """Close a terminal as a window manager does, and wait for the command."""
    terminal.close(force=False)
    terminal.wait()


def name_of(tmux: Tmux, what: str) -> str:
    """The window of a phase."""
    (found,) = [name for name in tmux("list-sessions", "-F", "#{session_name}").split() if name.endswith(what)]
    return found


def test_a_design_goes_on_without_its_terminal_and_is_come_back_to(
    tmux: Tmux, run_in_terminal: Any, repo: Path, git: GitRun, tmp_path: Path
) -> None:
    first = run_in_terminal("coordinate", "--task", "Build it", "--tmux", CLAUDE_TEST="store")
    first.expect("CLAUDE GOT Design, before anything is implemented: Build it")
    closed(first)
    window = name_of(tmux, "-design")
    (run,) = (path.parent.name for path in tmp_path.glob("home/repositories/*/runs/*/workflow.json"))
    tmux("send-keys", "-t", f"={window}:", "Enter")
    second = run_in_terminal("resume", run)
    second.expect("design in shared/design/build-it, 2 tasks")
    second.expect("CLAUDE GOT Review the work on: Build it IN .*integration")
    closed(second)
    third = run_in_terminal("attach", run)
    third.expect("CLAUDE GOT Review the work on: Build it")
    tmux("send-keys", "-t", f"={name_of(tmux, '-review')}:", "Enter")
    third.expect("What came of the review")
    third.send("a")
    third.expect("Dual workflow complete")
    third.expect(pexpect.EOF)
    branch = git(repo, "branch", "--list", "dual/*/integration", "--format", "%(refname:short)")
    assert git(repo, "show", f"{branch}:fixed.txt") == "fixed"
    sessions = tmp_path.glob("home/repositories/*/runs/*/*/window.txt")
    assert sorted(path.parent.name for path in sessions) == ["design", "review"]
