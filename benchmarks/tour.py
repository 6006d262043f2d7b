"""Records a hybrid run in a terminal and draws it: `python -m benchmarks.tour [--output docs/hybrid-run.svg]`.

The run is real: `runner coordinate` in a tmux window, the real `claude` and `codex` in it, what a person types typed by
this script. Only the model is scripted (docs/provider.md). Needs tmux and the extra `agents`.
"""

import argparse
import io
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from runner.provider.script import parse_scripts
from runner.provider.server import running

TASK = "Build an address book"
TYPED = f'runner coordinate --workflow hybrid_development --task "{TASK}"'
WIDTH, HEIGHT = 100, 32
LONGEST_S = 120.0
FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
NOISE = re.compile(
    r"^(?:[\s─\u276f>]*|.*(?:shift\+tab|\? for shortcuts|Resume this session|claude --resume|/effort|ENDED).*)$"
)
SCRIPTS = r"""
design:
  task: '\A\s*Design, before'
  steps:
    - say: Two modules that meet in one dictionary. I store that for the workers.
      delay_s: 12
      call:
        server: dual-memory
        tool: memory_store
        arguments:
          key: design/build-an-address-book
          namespace: shared
          value: "Two modules.\n\nTasks:\n- Implement the store\n- Implement the view\n- Write tests for both"
    - say: The design is stored, with three tasks that can be done at the same time.
coder-1:
  task: '\Acoder-1: '
  steps:
    - {say: I begin with the store., delay_s: 2, write: {path: store.py, content: "STORE: dict[str, str] = {}\n"}}
    - {say: The store is in store.py., delay_s: 4}
coder-2:
  task: '\Acoder-2: '
  steps:
    - {say: I write the view., delay_s: 2, write: {path: view.py, content: "def show(name: str) -> str: ...\n"}}
    - {say: The view is in view.py., delay_s: 5}
tester:
  task: '\Atester: '
  steps:
    - {say: I test both., delay_s: 2, write: {path: test_book.py, content: "import store, view\n"}}
    - {say: The tests are in test_book.py., delay_s: 9}
review:
  task: '\A\s*Review the work'
  steps: [{say: "All three branches are merged and fit together. I would accept this."}]
"""


class Window:
    """A terminal with the command in it."""

    def __init__(self, folder: Path, repo: Path, env: dict[str, str]) -> None:
        self.socket = str(folder / "tmux")
        program = shlex.join([sys.executable, "-c", "from runner.cli import entry; entry()", *shlex.split(TYPED)[1:]])
        line = f"cd {shlex.quote(str(repo))} && {program}; echo ENDED; exec sleep 600"
        size = ("-x", str(WIDTH), "-y", str(HEIGHT))
        self.tmux("-f", "/dev/null", "new-session", "-d", *size, "sh", "-c", line, env=env)

    def tmux(self, *args: str, env: dict[str, str] | None = None) -> str:
        """Run tmux; returns what it prints."""
        command = ["tmux", "-S", self.socket, *args]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False).stdout

    def until(self, is_so: Callable[[str], bool]) -> str:
        """Wait until the screen is as it should be, and return it with its colours."""
        deadline = time.monotonic() + LONGEST_S
        while not is_so(plain := self.tmux("capture-pane", "-p")):
            if time.monotonic() > deadline:
                raise SystemExit(f"it did not come to that:\n{plain}")
            time.sleep(0.1)
        return self.tmux("capture-pane", "-p", "-e")

    def leave(self) -> None:
        """End Claude's session as people do."""
        self.tmux("send-keys", "-l", "/exit")
        time.sleep(0.7)  # the screen takes keys that follow at once for pasted text
        self.tmux("send-keys", "Enter")


def record(window: Window) -> list[tuple[str, str]]:
    """Have the run; returns its scenes with their titles."""
    scenes = [("1 · design: you and Claude Code", window.until(lambda shown: "The design is stored" in shown))]
    window.leave()
    working = window.until(lambda shown: "succeeded" in shown and re.search(r"tester +codex", shown) is not None)
    scenes.append(("2 · implement: Codex, three sessions, a branch each", working))
    merged = window.until(lambda shown: "accept this" in shown)
    scenes.append(("3 · review: you and Claude Code, on the merged work", merged))
    window.leave()
    window.until(lambda shown: "What came of the review?" in shown.rstrip().rpartition("\n")[2])
    window.tmux("send-keys", "-l", "a")
    scenes.append(("4 · the end", window.until(lambda shown: "ENDED" in shown)))
    return scenes


def draw(scenes: list[tuple[str, str]]) -> str:
    """The scenes one below the other, as SVG that needs no font from elsewhere."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text(f"$ {TYPED}", style="bold"))
    for title, screen in scenes:
        console.print(Rule(title, align="left", style="dim"))
        for line in screen.splitlines():
            text = Text.from_ansi(line)
            if not NOISE.match(text.plain):
                console.print(text, no_wrap=True, overflow="crop", crop=True)
    return FONT.sub("", console.export_svg(title="a hybrid run", unique_id="tour"))


def main() -> None:
    """Record and draw."""
    parser = argparse.ArgumentParser(description="A hybrid run as a picture.")
    parser.add_argument("--output", type=Path, default=Path("docs/hybrid-run.svg"))
    output: Path = parser.parse_args().output
    installed = Path(sysconfig.get_path("purelib"))
    with TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as name:
        folder, repo = Path(name), Path(name) / "project"
        subprocess.run(["git", "init", "-q", "-b", "main", repo], check=True)
        author = ("-c", "user.name=you", "-c", "user.email=you@localhost")
        subprocess.run(["git", "-C", repo, *author, "commit", "-q", "--allow-empty", "-m", "Start"], check=True)
        with running(parse_scripts(SCRIPTS), folder / "agents", repos=[repo]) as provider:
            env = {
                "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor",
                "SHELL": "/bin/sh", **provider.env, "RUNNER_HOME": str(folder / "home"),
                "RUNNER_CLAUDE": str(installed / "claude_agent_sdk/_bundled/claude"),
                "RUNNER_CODEX": str(installed / "codex_cli_bin/bin/codex"),
                "ROUTER_DATABASE_URL": f"sqlite:///{folder / 'router.db'}",
            }  # fmt: skip
            window = Window(folder, repo, env)
            try:
                scenes = record(window)
            finally:
                window.tmux("kill-server")
    output.write_text(draw(scenes), encoding="utf-8")
    print(f"{output}: {output.stat().st_size // 1024} kB, {len(scenes)} scenes")


if __name__ == "__main__":
    main()
