"""Runs that were handed to the worker: as files, so that submitting needs no worker and survives everything.

<data folder>/executor/runs/<run>                       there while the worker has to do with the run: its folder
              repositories/<name>-<digest>/runs/<run>/
                submission.json    what is to be carried out; each task's own facts are in its run.json
                environment.json   what the sessions see, as the user's shell had it; only the user can read it
                cancel             there once the run is to end; <worker>/cancel likewise
                notes.jsonl        what the user should know of it
                ended.json         there once the worker has done with it
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from runner.checkout.project import Project
from runner.errors import StorageUnavailable
from runner.pace import Pace
from runner.sessions.session import Limits
from runner.storage import write_whole

CHECKS = "checks"
"""In the place of a program: what the project's own commands see."""


class Submission(BaseModel):
    """What the worker has to know of a run."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    number: int = 1
    """How often the run was submitted: a run that goes on is submitted again."""
    repository: Path
    base: str
    base_name: str
    cwd: Path
    limits: Limits
    lock_wait_s: float
    max_cost_usd: float | None = None
    project: Project
    at_once: int
    """Most headless sessions of this run at the same time."""
    stagger_s: float = Pace.stagger_s
    """Wait between the starts of two sessions."""
    programs: Mapping[str, Path | None]
    """Where the programs lie, by name."""
    workers: tuple[str, ...]
    """Names of the tasks that are to be carried out now."""
    tools: tuple[str, ...] = ()
    """Command of the MCP server that its sessions are offered."""
    awaited: tuple[str, ...] = ()
    """Tasks of the run that a person does, and that some of them wait for."""


@dataclass(frozen=True)
class RunFolder:
    """The files of a run that was, or is about to be, submitted."""

    path: Path

    @property
    def home(self) -> Path:
        """The data folder it lies in."""
        return self.path.parents[3]

    @property
    def marker(self) -> Path:
        """The file that tells the worker of the run."""
        return self.home / "executor" / "runs" / self.path.name

    @property
    def submission(self) -> Submission | None:
        """What was submitted; None where nothing was."""
        try:
            return Submission.model_validate_json((self.path / "submission.json").read_bytes())
        except (OSError, ValueError):
            return None

    @property
    def environment(self) -> dict[str, dict[str, str]]:
        """What the sessions see, by program; empty once the run has ended."""
        try:
            told: dict[str, dict[str, str]] = json.loads((self.path / "environment.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return told

    @property
    def has_ended(self) -> bool:
        """True once the worker has done with it, or nothing of it is left."""
        return (self.path / "ended.json").exists() or not self.path.is_dir()

    @property
    def problem(self) -> str:
        """Why the worker could not carry it to its end; empty where it could."""
        with suppress(OSError, ValueError):
            return str(json.loads((self.path / "ended.json").read_bytes()).get("problem", ""))
        return ""

    def submit(self, submission: Submission, environment: Mapping[str, Mapping[str, str]]) -> None:
        """Hand the run to the worker; raises `StorageUnavailable`, and nothing is handed over then."""
        for name in ("cancel", "ended.json"):
            (self.path / name).unlink(missing_ok=True)
        write_whole(
            self.path / "environment.json",
            json.dumps({name: dict(env) for name, env in environment.items()}),
            mode=0o600,
        )
        write_whole(self.path / "submission.json", submission.model_dump_json(indent=2))
        write_whole(self.marker, f"{self.path}\n{submission.number}\n")

    def cancel(self, worker: str | None = None) -> None:
        """Have the run, or one task of it, end; the worker sees to it."""
        write_whole(self.path / (worker or "") / "cancel", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n")

    def is_cancelled(self, worker: str | None = None) -> bool:
        """True where the run, or this task of it, is to end."""
        return (self.path / "cancel").exists() or (worker is not None and (self.path / worker / "cancel").exists())

    def end(self, problem: str = "") -> None:
        """Note that the worker has done with the run; the keys of its sessions are forgotten."""
        ended = {"ended_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "problem": problem}
        (self.path / "environment.json").unlink(missing_ok=True)
        write_whole(self.path / "ended.json", json.dumps(ended))
        self.marker.unlink(missing_ok=True)

    def note(self, **facts: Any) -> None:
        """Add a line for whoever watches the run; a note is not worth failing for."""
        with suppress(OSError), (self.path / "notes.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts, ensure_ascii=False) + "\n")

    @classmethod
    def open_ones(cls, home: Path) -> dict[str, Self]:
        """The runs that the worker has to do with, by the name of their latest submission, the oldest run first."""
        found = {}
        for marker in sorted((home / "executor" / "runs").glob("[!.]*")):
            with suppress(OSError, ValueError):
                path, number = marker.read_text(encoding="utf-8").splitlines()
                found[f"{marker.name}.{number}"] = cls(Path(path))
        return found


def read_submission(folder: Path) -> Submission:
    """What was submitted; raises `StorageUnavailable` where it can't be read."""
    submission = RunFolder(folder).submission
    if submission is None:
        raise StorageUnavailable(folder / "submission.json", "can't be read")
    return submission
