"""Where all tasks of a repository stand, told from the names of their files: quick also where there are thousands."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Standing:
    """One task."""

    folder: Path
    state: str

    @property
    def branch(self) -> str:
        """The worker's branch; empty where it has none."""
        return str(_read(self.folder / "run.json").get("branch") or "")


def standings(archive: Path) -> Iterator[tuple[str, list[Standing]]]:
    """The runs in an archive's folder, the oldest first, each with its tasks in their order."""
    for run in sorted((archive / "runs").glob("*")):
        tasks = list(_tasks(run))
        if tasks:
            yield run.name, sorted(tasks, key=lambda task: _number(task.folder.name))


def _tasks(run: Path) -> Iterator[Standing]:
    submitted = set(_read(run / "submission.json").get("workers", ()))
    is_open = bool(submitted) and not (run / "ended.json").exists()
    with suppress(OSError), os.scandir(run) as folders:
        for folder in folders:
            names = _names(folder.path)
            if "run.json" not in names:
                continue
            task = Path(folder.path)
            if "exit.json" in names:
                yield Standing(task, str(_read(task / "exit.json").get("status") or _exactly(task)))
            elif is_open and folder.name in submitted and "attempt-1" not in names:
                yield Standing(task, "queued")
            else:
                yield Standing(task, _exactly(task))


def _names(folder: str) -> set[str]:
    with suppress(OSError), os.scandir(folder) as files:
        return {file.name for file in files}
    return set()


def _exactly(task: Path) -> str:
    from runner.runs.archive import Archive  # takes 0.1 s that most lists don't need

    entry = Archive(task.parents[2]).entry(task.parent.name, task.name)
    return entry.state if entry else "unreadable"


def _number(worker: str) -> tuple[int, str]:
    number = worker.partition("-")[0]
    return int(number) if number.isdecimal() else 0, worker


def _read(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        facts = json.loads(path.read_bytes())
        return facts if isinstance(facts, dict) else {}
    return {}
