"""Runs of the past and of the moment, read from their records."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from runner.agents.claude import HeadlessClaude
from runner.agents.codex import HeadlessCodex
from runner.agents.protocol import Agent
from runner.agents.scripted import ScriptedAgent
from runner.errors import BadInput
from runner.events import line_of, one_line
from runner.records import Archive, Entry
from runner.session import Tail


def find_entries(archive: Archive, run_id: str, worker: str | None = None) -> list[Entry]:
    """Return the tasks of one run, whose id may be cut short, or the one of a worker, whose number is enough.

    Raises:
        BadInput: no run or worker is called so, or several are.
    """
    found = [entry for entry in archive.entries() if entry.record.run_id.startswith(run_id)]
    runs = sorted({entry.record.run_id for entry in found})
    if len(runs) != 1:
        problem = f"several runs begin with {run_id!r}" if runs else f"no run {run_id!r} in this repository"
        raise BadInput(f"{problem}; `runner status` lists them")
    if worker is None:
        return found
    named = [entry for entry in found if worker in {entry.record.worker, entry.record.worker.partition("-")[0]}]
    if not named:
        workers = ", ".join(entry.record.worker for entry in found)
        raise BadInput(f"run {runs[0]} has no worker {worker!r}; its workers are {workers}")
    return named


def read_log(entry: Entry) -> Iterator[str]:
    """What a task's agent told, line by line, and what it printed as errors."""
    output, errors = entry.folder / "output.jsonl", entry.folder / "stderr.txt"
    if not output.exists():
        yield f"no output was kept; the command was: {entry.record.command}"
        return
    agent, tail = _reader(entry.record.program), Tail(output)
    while (read := tail.read())[1]:
        yield from (said for line in read[0] for event in agent.parse(line) if (said := line_of(event)))
    yield from (
        f"stderr: {one_line(line)}" for line in errors.read_text(encoding="utf-8", errors="replace").splitlines()
    )


def status_table(entries: Sequence[Entry]) -> Table:
    """One row a task, the runs one below the other."""
    table = Table(box=SIMPLE_HEAD)
    for title in ("run", "started", "worker", "status", "branch"):
        table.add_column(title, overflow="fold")
    for run_id, tasks in groupby(entries, key=lambda entry: entry.record.run_id):
        for number, entry in enumerate(tasks):
            first = (run_id, _local(entry.record.started_at)) if number == 0 else ("", "")
            table.add_row(*first, entry.record.worker, entry.state, entry.record.branch or "")
    return table


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def _reader(program: str) -> Agent:
    readers: dict[str, Agent] = {
        "claude": HeadlessClaude(Path("claude"), {}),
        "codex": HeadlessCodex(Path("codex"), {}),
        "scripted": ScriptedAgent({}),
    }
    return readers[program]
