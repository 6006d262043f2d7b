"""`runner` in a terminal, with a small program in the place of claude."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from runner.checkout.repository import Repository
from runner.runs.archive import Archive
from runner.settings import Settings

Open = Callable[..., "pexpect.spawn[str]"]
CLAUDE = f"""#!{sys.executable}
import json, os, pathlib, signal, sys, termios, tty
if sys.argv[-1] == " deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, lambda *_: os.write(1, b"INTERRUPTED\\n"))  # print can't be entered twice
tty.setcbreak(0)
print(f"CLAUDE GOT{{sys.argv[-1]}}", flush=True)
if "CLAUDE_CONFIG_DIR" in os.environ:
    folder = pathlib.Path(os.environ["CLAUDE_CONFIG_DIR"]) / "projects/here"
    folder.mkdir(parents=True)
    usage = {{"input_tokens": 100, "output_tokens": 7}}
    message = {{"id": "m", "content": [{{"type": "text", "text": "So it is."}}], "usage": usage}}
    lines = {{"type": "assistant", "message": message}}, {{"type": "cost-state", "totalCostUSD": 0.5}}
    transcript = folder / (sys.argv[sys.argv.index("--session-id") + 1] + ".jsonl")
    transcript.write_text("".join(json.dumps(line) + "\\n" for line in lines))
for answer in iter(sys.stdin.readline, ""):
    if answer in ("bye\\n", "fail\\n"):
        sys.exit(0 if answer == "bye\\n" else 3)
"""


@pytest.fixture
def open_runner(repo: Path, environ: dict[str, str], tmp_path: Path) -> Iterator[Open]:
    """Runs `runner execute` in a terminal, with a small program in the place of claude."""
    claude = tmp_path / "claude"
    claude.write_text(CLAUDE)
    claude.chmod(0o755)
    opened: list[pexpect.spawn[str]] = []

    def run(*args: str, command: tuple[str, ...] = ("execute",)) -> "pexpect.spawn[str]":
        argv = ["-c", "from runner.cli import entry; entry()", *command, *args]
        env = {**environ, "RUNNER_CLAUDE": str(claude), "TERM": "xterm-256color"}
        opened.append(
            pexpect.spawn(
                sys.executable, argv, cwd=str(repo), env=env, encoding="utf-8", timeout=60, dimensions=(40, 160)
            )
        )
        return opened[-1]

    yield run
    for terminal in opened:
        if terminal.isalive():
            terminal.kill(signal.SIGKILL)
            terminal.wait()
        terminal.close()


@pytest.fixture
def archive(repository: Repository, settings: Settings) -> Archive:
    return Archive.of(repository, settings.data_folder())


def end(terminal: "pexpect.spawn[str]") -> int | None:
    """Wait for the end and return the exit code."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus
