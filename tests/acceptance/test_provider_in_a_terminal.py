"""The real programs' screens come up in the provider's homes without a question, and do the task."""

import os
import pty
import select
import subprocess
import sysconfig
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.provider.script import parse_scripts
from runner.provider.server import running

INSTALLED = Path(sysconfig.get_path("purelib"))
CLAUDE = [INSTALLED / "claude_agent_sdk/_bundled/claude", "--permission-mode", "acceptEdits"]
CODEX = [INSTALLED / "codex_cli_bin/bin/codex", "--no-daemon", "-s", "workspace-write", "-a", "never"]
SCRIPTS = parse_scripts("""
file:
  steps: [{say: Working., write: {path: made.txt, content: "made\\n"}}, {say: Finished.}]
""")


@pytest.mark.acceptance
@pytest.mark.parametrize("program", [CLAUDE, CODEX, [*CODEX, "-m", "gpt-6-sol"]], ids=["claude", "codex", "code mode"])
def test_a_screen_in_a_worktree_of_a_trusted_repository_does_the_task(
    program: list[Path | str], tmp_path: Path
) -> None:
    if not Path(program[0]).exists():
        pytest.skip("the extra `agents` isn't installed")
    repo, worktree = tmp_path / "repo", tmp_path / "worktree"
    subprocess.run(["git", "init", "-q", repo], check=True)
    identity = ["-c", "user.name=dev", "-c", "user.email=dev@localhost"]
    subprocess.run(["git", "-C", repo, *identity, "commit", "-qm", "Start", "--allow-empty"], check=True)
    subprocess.run(["git", "-C", repo, "worktree", "add", "-q", worktree], check=True)
    with running(SCRIPTS, tmp_path / "home", repos=[repo]) as provider:
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color", **provider.env}
        with _terminal([*program, "[[script:file]] go"], worktree, env) as screen:
            assert "Finished." in _shown(screen, until="Finished.", limit_s=30)
    assert (worktree / "made.txt").read_text() == "made\n"


@contextmanager
def _terminal(command: list[Path | str], cwd: Path, env: dict[str, str]) -> Iterator[int]:
    """Run a program in a terminal of its own; yield the other end of the terminal."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (45, 110))
    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=its, stdout=its, stderr=its, start_new_session=True)
    os.close(its)
    try:
        yield ours
    finally:
        process.terminate()
        process.wait(10)
        os.close(ours)


def _shown(screen: int, *, until: str, limit_s: float) -> str:
    """Return what came on the screen, up to a text or the limit."""
    shown, end = "", time.monotonic() + limit_s
    while until not in shown and select.select([screen], [], [], max(0, end - time.monotonic()))[0]:
        shown += os.read(screen, 65536).decode(errors="replace")
    return shown
