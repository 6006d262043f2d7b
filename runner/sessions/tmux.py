"""A window of tmux for an interactive program: it outlives the terminal that it was opened from."""

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runner.census import MARK, kill_marked
from runner.errors import Left, ProgramMissing
from runner.process import POLL_S, Command, run
from runner.sessions.attempt import is_supervised
from runner.storage import write_whole
from runner.terminal import terminal

OPENED, ENDED = "window.txt", "window-ended.json"
HUNG_UP = 129
"""Exit code that stands for a window that was closed."""
NO_TMUX = "install it, or leave --tmux out"


@dataclass(frozen=True)
class Window:
    """The window of one session; `name` is what tmux calls it."""

    folder: Path
    name: str
    mark: str
    grace_s: float

    @staticmethod
    def is_of(folder: Path) -> bool:
        """True where the session in `folder` has a window that is open, or has ended in one."""
        return (folder / ENDED).exists() or ((folder / OPENED).exists() and is_supervised(folder))

    def run(self, command: Command, stop: threading.Event, leave: threading.Event, note: Callable[[str], None]) -> int:
        """Run `command` in the window, or find it running there; return its exit code.

        Inside tmux the window is opened beside the others, elsewhere in a session of its own, which has our terminal
        until the person detaches.

        Raises:
            Left: `leave` was set; the window goes on without us.
            ProgramMissing: there is no tmux, or it can't open a window.
        """
        if self._code() is None and not is_supervised(self.folder):
            self._open(command)
        if "TMUX" not in os.environ and terminal.has_terminal() and self._is_there():
            attach = Command((_tmux(), "attach-session", "-t", f"={self.name}"), command.cwd, os.environ)
            terminal.lend(attach, f"{self.mark}-view", stop, self.grace_s, leave)
        if self._is_open():
            note(f"{self.name} goes on: `tmux attach -t {self.name}` shows it")
        while self._is_open() and not leave.is_set() and not stop.wait(POLL_S):
            pass
        if self._is_open() and leave.is_set():
            raise Left(str(self.folder))
        if self._is_open():
            kill_marked(self.mark)
        code = self._code()
        return HUNG_UP if code is None else code

    def _is_open(self) -> bool:
        return self._code() is None and is_supervised(self.folder)

    def _open(self, command: Command) -> None:
        order = {
            "argv": command.argv, "cwd": str(command.cwd), "env": {**command.env, MARK: self.mark},
            "grace_s": self.grace_s,
        }  # fmt: skip
        write_whole(self.folder / "window.json", json.dumps(order), mode=0o600)
        write_whole(self.folder / OPENED, f"{self.name}\n")
        program = (sys.executable, "-P", "-m", "runner.sessions.window", str(self.folder))
        size = shutil.get_terminal_size()
        place = (
            ("new-window", "-n", self.name) if "TMUX" in os.environ
            else ("new-session", "-d", "-s", self.name, "-x", str(size.columns), "-y", str(size.lines))
        )  # fmt: skip
        done = run((_tmux(), *place, "-c", str(command.cwd), *program), env=os.environ)
        if done.code:
            raise ProgramMissing("tmux", f"can't open a window ({(done.err or done.out).strip()})", NO_TMUX)
        waited = threading.Event()
        for _ in range(int(10 / POLL_S)):
            if is_supervised(self.folder) or self._code() is not None:
                return
            waited.wait(POLL_S)

    def _is_there(self) -> bool:
        """Ask first: attaching to what isn't there looks like a program that ended."""
        return run((_tmux(), "has-session", "-t", f"={self.name}"), env=os.environ).code == 0

    def _code(self) -> int | None:
        try:
            return int(json.loads((self.folder / ENDED).read_bytes())["code"])
        except (OSError, ValueError):
            return None


def _tmux() -> str:
    found = shutil.which("tmux")
    if found is None:
        raise ProgramMissing("tmux", "is not installed", NO_TMUX)
    return found
