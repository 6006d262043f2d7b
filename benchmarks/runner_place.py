"""Where the runner is measured: a repository, a scripted model, the runner's data, and its own processes."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from runner.provider.script import Script
from runner.provider.server import running

RUNNER = (sys.executable, "-c", "from runner.cli import entry; entry()")


@dataclass(frozen=True)
class Place:
    """A repository, and the environment in which everything is started."""

    repo: Path
    env: dict[str, str]

    @property
    def home(self) -> Path:
        """The runner's data folder."""
        return Path(self.env["RUNNER_HOME"])

    def run(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        """One command of the runner."""
        command = [*RUNNER, *args]
        return subprocess.run(
            command, cwd=self.repo, env={**self.env, **env}, capture_output=True, text=True, check=False
        )

    def git(self, *args: str) -> None:
        """One command of git."""
        subprocess.run(["git", "-C", self.repo, *args], check=True, capture_output=True)

    def worker(self) -> psutil.Process | None:
        """The living worker."""
        try:
            return psutil.Process(json.loads((self.home / "executor/worker.json").read_bytes())["pid"])
        except (OSError, ValueError, psutil.Error):
            return None

    def settle(self) -> None:
        """Wait until the router has all outcomes, which the worker has sent a second after its last run."""
        while self.worker() and any((self.home / "outbox").glob("*.json")):
            time.sleep(0.1)

    def end_worker(self) -> None:
        """Have the worker leave."""
        if worker := self.worker():
            worker.terminate()
            worker.wait()


@dataclass
class Memory:
    """The most that the runner's own processes took together, in MB."""

    resident: float = 0
    proportional: float = 0

    def look(self, place: Place, runner: psutil.Process) -> None:
        """Look once."""
        mine = [runner, *(filter(None, [place.worker()])), *_supervisors()]
        resident = proportional = 0.0
        for process in mine:
            try:
                told = process.memory_full_info()
            except psutil.Error:
                continue
            resident, proportional = resident + told.rss / 1e6, proportional + told.pss / 1e6
        self.resident, self.proportional = max(self.resident, resident), max(self.proportional, proportional)


def _supervisors() -> list[psutil.Process]:
    return [
        one for one in psutil.process_iter(["cmdline"]) if "runner.sessions.supervisor" in (one.info["cmdline"] or [])
    ]


@contextmanager
def placed(scripts: Mapping[str, Script]) -> Iterator[Place]:
    """A place that is gone afterwards; `scripts` is what the model plays."""
    # Not under /tmp, which Codex's sandbox leaves open to all.
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        repo = Path(folder) / "project"
        subprocess.run(["git", "init", "-q", "-b", "main", repo], check=True)
        (repo / "a.txt").write_text("hello\n")
        author = ("-c", "user.name=dev", "-c", "user.email=dev@localhost")
        subprocess.run(["git", "-C", repo, "add", "--all"], check=True)
        subprocess.run(["git", "-C", repo, *author, "commit", "-qm", "Start"], check=True)
        with running(scripts, Path(folder) / "agents", repos=[repo]) as provider:
            own = {"RUNNER_HOME": str(Path(folder) / "home"), "ROUTER_DATABASE_URL": f"sqlite:///{folder}/router.db"}
            place = Place(repo, {**os.environ, **provider.env, **own})
            try:
                yield place
            finally:
                place.end_worker()
