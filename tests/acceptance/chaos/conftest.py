"""An arena: a repository, a run of six sessions in it, and somebody who kills what belongs to it."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from runner.census import marked, started_at
from runner.runs.archive import Archive
from runner.runs.records import Entry
from runner.sessions.attempt import attempts, is_supervised

ARGV = [sys.executable, "-c", "from runner.cli import entry; entry()"]
SESSIONS = 6
LONGEST_S = 120.0


def git(folder: Path, *args: str) -> str:
    """Run git and return what it printed."""
    return subprocess.run(["git", "-C", folder, *args], check=True, capture_output=True, text=True).stdout.strip()


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@dataclass
class Arena:
    """One round."""

    folder: Path
    tasks: list[str]
    """What the sessions do."""
    env: dict[str, str]
    chance: random.Random
    killed: list[str] = field(default_factory=list)
    """What was killed, in order."""
    _runner: "subprocess.Popen[bytes] | None" = None
    """The terminal of the moment."""
    _started: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def repo(self) -> Path:
        """The user's checkout."""
        return self.folder / "project"

    @property
    def home(self) -> Path:
        """The runner's data folder."""
        return self.folder / "home"

    @property
    def archive(self) -> Archive:
        """The repository's runs."""
        (found,) = (self.home / "repositories").iterdir()
        return Archive(found)

    def begin(self) -> None:
        """Start the run as a user does, and wait until it was handed over."""
        self.prepare()
        self._runner = self._start("execute", "--platform", "codex", "--yes", "--workers", str(SESSIONS), *self.tasks)
        self.wait_for(lambda: any((self.home / "executor/runs").glob("[!.]*")))

    def prepare(self) -> None:
        """Make the user's repository."""
        subprocess.run(["git", "init", "-q", "-b", "main", self.repo], check=True)
        (self.repo / "a.txt").write_text("hello\n")
        git(self.repo, "add", "-A")
        git(self.repo, "-c", "user.name=dev", "-c", "user.email=dev@localhost", "commit", "-qm", "Start")

    def call(self, *arguments: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """Call the runner as a user does, and wait for its end."""
        return subprocess.run([*ARGV, *arguments], cwd=cwd or self.repo, env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=LONGEST_S)  # fmt: skip

    def strike(self) -> None:
        """Kill something of it that lives, while its sessions do; nothing where all of them have ended."""
        begun = self.chance.randint(1, SESSIONS)
        self.wait_for(lambda: self._has_ended() or self._begun() >= begun)
        threading.Event().wait(self.chance.uniform(0.0, 1.0))
        living = list(self.living())
        kinds = sorted({name for name, _ in living})
        if self._has_ended() or not kinds:
            return
        victim = self.chance.choice(
            [*kinds, *(kind for kind in kinds if kind in {"supervisor", "agent"}), "everything"]
        )
        pids = [pid for name, pid in living if victim in {name, "everything"}]
        chosen = pids if victim == "everything" else [self.chance.choice(pids)]
        for pid in chosen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait_for(lambda: not any(_lives(pid) for pid in chosen))
        self.killed.append(victim)
        if not {name for name, _ in self.living()} & {"runner", "worker"}:
            self._runner = self._start("watch", self.archive.entries()[0].record.run_id)

    def _begun(self) -> int:
        return len(list((self.home / "repositories").glob("*/runs/*/*/attempt-1/begun.json")))

    def _has_ended(self) -> bool:
        return len(list((self.home / "repositories").glob("*/runs/*/*/exit.json"))) == SESSIONS

    def finish(self) -> list[Entry]:
        """Have the run carried to its end, as a user does who finds his terminal gone; returns the sessions."""
        (entry, *_) = self.archive.entries()
        for _ in range(3):
            watching = self._start("watch", entry.record.run_id)
            if watching.wait(LONGEST_S) == 0:
                break
        for popen in self._started:
            popen.wait(LONGEST_S)
        return self.archive.entries()

    def leave(self) -> None:
        """End what is left, whatever came of it."""
        for popen in self._started:  # first those who would start another worker
            popen.kill()
            popen.wait()
        for _, pid in self.living():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def strays(self) -> list[str]:
        """Processes of the sessions that still live."""
        return [str(one) for entry in self.archive.entries() for one in marked(entry.record.session_id)]

    def wait_for(self, met: Callable[[], Any]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + LONGEST_S
        while not met():
            assert time.monotonic() < deadline, self.story()
            threading.Event().wait(0.02)

    def story(self) -> str:
        """What happened, for whoever has to understand it."""
        said = [path.read_text(errors="replace")[-1500:] for path in self.folder.glob("said-*.txt")]
        logs = [path.read_text(errors="replace")[-1500:] for path in self.home.glob("executor/log.txt")]
        states = [(one.record.worker, str(one.state), one.reason) for one in self.archive.entries()]
        return f"killed {self.killed}\n{states}\n" + "\n".join((*said, *logs))

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"said-{arguments[0]}.txt").open("ab") as said:
            popen = subprocess.Popen([*ARGV, *arguments], cwd=self.repo, env=self.env, stdin=subprocess.DEVNULL,
                                    stdout=said, stderr=said, start_new_session=True)  # fmt: skip
        self._started.append(popen)
        return popen

    def living(self) -> Iterator[tuple[str, int]]:
        """What of it lives: its kind, and its number."""
        if self._runner and self._runner.poll() is None and _lives(self._runner.pid):
            yield "runner", self._runner.pid
        with suppress(OSError, ValueError, psutil.Error):
            worker = json.loads((self.home / "executor/worker.json").read_bytes())
            if _lives(worker["pid"]) and abs(started_at(worker["pid"]) - worker["started"]) < 1:
                yield "worker", worker["pid"]
        for folder in (self.home / "repositories").glob("*/runs/*/*"):
            for attempt in attempts(folder)[-1:]:
                with suppress(OSError, ValueError):
                    begun = json.loads((attempt.folder / "begun.json").read_bytes())
                    if is_supervised(folder):
                        yield "supervisor", begun["supervisor"]
                        yield "agent", begun["agent"]


@pytest.fixture
def arena(scratch: Path) -> Iterator[Callable[..., Arena]]:
    """Opens arenas; nothing of them stays."""
    opened: list[Arena] = []

    def open_one(seed: int, tasks: Callable[[Path], list[str]], **env: str) -> Arena:
        folder = scratch / f"arena-{len(opened)}"
        folder.mkdir()
        variables = {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME"} or "COVERAGE" in name},
            "LANG": "C.UTF-8", "RUNNER_HOME": str(folder / "home"), "RUNNER_HEADLESS": "scripted",
            "RUNNER_GRACE_S": "0.5", "RUNNER_WORKER_IDLE_S": "1", "RUNNER_PASS_ENV": "COVERAGE_*",
            "ROUTER_MODELS_DIR": str(folder / "no-models"), "ROUTER_DATABASE_URL": f"sqlite:///{folder / 'router.db'}",
            **env,
        }  # fmt: skip
        opened.append(Arena(folder, tasks(folder), variables, random.Random(seed)))  # noqa: S311
        return opened[-1]

    yield open_one
    for one in opened:
        one.leave()
