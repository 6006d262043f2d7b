"""Runs of the past and of the moment, read from their records."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

from runner.agents.claude import HeadlessClaude
from runner.agents.codex import HeadlessCodex
from runner.agents.events import line_of, one_line
from runner.agents.protocol import Agent
from runner.agents.scripted import ScriptedAgent
from runner.errors import BadInput
from runner.process import POLL_S
from runner.runs.archive import Archive
from runner.runs.records import Entry
from runner.runs.state import State
from runner.sessions.eventlog import read_event
from runner.sessions.tail import Tail


def find_entries(archive: Archive, run_id: str, worker: str | None = None) -> list[Entry]:
    """Return the tasks of one run, whose id may be cut short, or the one of a worker, whose number is enough.

    Raises:
        BadInput: no run or worker is called so, or several are.
    """
    found = archive.entries(run_id) if re.fullmatch(r"[\w-]*", run_id) else []
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


def follow_log(archive: Archive, entry: Entry) -> Iterator[str]:
    """The same while the task goes on, until it has ended."""
    tail = Tail(entry.folder / "events.jsonl")
    while True:
        now = archive.entry(entry.record.run_id, entry.record.worker)
        if tail.path.exists():
            for line in tail.read()[0]:
                if (event := read_event(json.loads(line))) and (said := line_of(event)):
                    yield said
        if now is None or now.ending or now.state is State.INTERRUPTED:
            return
        time.sleep(POLL_S)


def _reader(program: str) -> Agent:
    readers: dict[str, Agent] = {
        "claude": HeadlessClaude(Path("claude"), {}),
        "codex": HeadlessCodex(Path("codex"), {}),
        "scripted": ScriptedAgent({}),
    }
    return readers[program]
