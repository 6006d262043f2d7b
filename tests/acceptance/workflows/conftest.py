"""The real `claude` and `codex` on a scripted model, in a repository of their own; terminals are tmux windows."""

import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.provider.script import parse_scripts
from runner.provider.server import Provider, running

from ..programs import CLAUDE, CODEX, RUNNER, environ_of, git  # noqa: TID252 (no folder of tests is on the path)

LONGEST_S, LOOK_EVERY_S = 90.0, 0.1
Serve = Callable[[str], "Stage"]


@dataclass(frozen=True)
class Stage:
    """A repository, the programs, and what the model plays."""

    repo: Path
    provider: Provider
    environ: dict[str, str]

    @property
    def home(self) -> Path:
        """The runner's data folder."""
        return Path(self.environ["RUNNER_HOME"])

    def cli(self, *args: str) -> "subprocess.CompletedProcess[str]":
        """Run the `runner` command to its end, without a terminal."""
        return subprocess.run(
            [*RUNNER, *args], cwd=self.repo, env=self.environ, capture_output=True, text=True, check=False
        )

    def start(self, *args: str) -> "subprocess.Popen[bytes]":
        """Start the `runner` command."""
        quiet = subprocess.DEVNULL
        return subprocess.Popen([*RUNNER, *args], cwd=self.repo, env=self.environ, stdout=quiet, stderr=quiet)

    def git(self, *args: str) -> str:
        """What git says in the repository."""
        return git(self.repo, *args)

    def asked(self) -> list[tuple[str, int]]:
        """The steps that the model played, in order: names of scripts and numbers."""
        return [(str(one["script"]), int(one["step"])) for one in self.provider.journal() if one["script"]]

    def until(self, is_so: Callable[[], Any], what: Callable[[], str]) -> None:
        """Look again and again until something is so; `what` says how it stands where that never comes."""
        deadline = time.monotonic() + LONGEST_S
        while not is_so():
            assert time.monotonic() < deadline, what()
            time.sleep(LOOK_EVERY_S)


class Window:
    """A terminal that a person would sit at: a tmux server of its own with one window."""

    def __init__(self, stage: Stage, folder: Path, *args: str) -> None:
        """Type `runner` and `args` into it."""
        self.stage, self.socket = stage, str(folder / "tmux")
        words = shlex.join([*RUNNER, *args])
        line = f"cd {shlex.quote(str(stage.repo))} && {words}; echo EXIT CODE $?; exec sleep 600"
        env = {**stage.environ, "TERM": "xterm-256color", "SHELL": "/bin/sh"}
        size = ("-x", "150", "-y", "50")
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "sh", "-c", line, env=env)

    def shows(self, text: str) -> str:
        """Wait until a text is on the screen, and return all of it."""
        self.stage.until(lambda: text in self.screen(), lambda: f"no {text!r} on the screen:\n{self.screen()}")
        return self.screen()

    def answer(self, question: str, key: str) -> None:
        """Press a key once a question is the last thing on the screen."""
        self.stage.until(lambda: question in self.screen().rstrip().rpartition("\n")[2], self.screen)
        self.type(key)

    def screen(self) -> str:
        """What is on the screen, and what was scrolled away."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-2000").stdout

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", text)

    def leave_claude(self, said: str) -> None:
        """Wait until Claude has said something, and end the session as people do."""
        self.shows(said)
        self.type("/exit")
        time.sleep(0.7)  # the screen takes keys that follow at once for pasted text
        self._tmux("send-keys", "Enter")

    def pid(self) -> int:
        """The runner's process."""
        shell = int(self._tmux("display-message", "-p", "#{pane_pid}").stdout)
        children = subprocess.run(["pgrep", "-P", str(shell)], check=True, capture_output=True, text=True)
        return int(children.stdout.split()[0])

    def close_first(self) -> None:
        """Close what was opened first, the terminal of the command; other windows stay."""
        self._tmux("kill-window", "-t", ":0")

    def close(self) -> None:
        """End everything in it."""
        self._tmux("kill-server")

    def _tmux(self, *args: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        command = ["tmux", "-S", self.socket, *args]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def serve(tmp_path: Path, repo: Path) -> Iterator[Serve]:
    """Has the model play scripts; returns the stage for it."""
    if not (CLAUDE.exists() and CODEX.exists()):
        pytest.skip("the extra `agents` isn't installed")
    with ExitStack() as stack:

        def play(scripts: str) -> Stage:
            provider = stack.enter_context(running(parse_scripts(scripts), tmp_path / "agents", repos=[repo]))
            return Stage(repo, provider, environ_of(provider, tmp_path))

        yield play


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Callable[..., Window]]:
    """Opens a terminal in which the `runner` command is typed."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux isn't installed")
    opened: list[Window] = []

    def open_one(stage: Stage, *args: str) -> Window:
        folder = tmp_path / f"window-{len(opened)}"
        folder.mkdir()
        opened.append(Window(stage, folder, *args))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
