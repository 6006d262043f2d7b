"""A run that the worker carries out, seen from a terminal: its files are read as they grow."""

import json
import threading
import time
from typing import Any

from runner.process import POLL_S
from runner.runs.archive import Archive
from runner.runs.executor import ensure_worker
from runner.runs.records import Entry
from runner.runs.state import State
from runner.runs.submission import RunFolder
from runner.sessions.eventlog import read_event
from runner.sessions.tail import Tail
from runner.terminal.progress import Progress

SHORT_POLL_S = 0.01
"""Between two looks while a run is young; later they become rarer, up to `POLL_S`."""
CARE_S = 1.0
"""Between two looks whether the worker still lives."""


class Follower:
    """Tells `progress` what happens in a run."""

    def __init__(self, run: RunFolder, progress: Progress) -> None:
        self.run, self.progress = run, progress
        self._notes = Tail(run.path / "notes.jsonl")
        self._events: dict[str, Tail] = {}
        self._ended: set[str] = set()
        self.alone = threading.Event()
        """Set once nobody here does what a person has to do: what waits for that is not waited for then."""

    def to_the_end(self, stop: threading.Event, leave: threading.Event) -> bool:
        """Follow until the run has ended; once `stop` is set, have it end. False where `leave` was set, which wins.

        Where the worker is killed meanwhile, another one is started. A run in which everything else waits for a person
        that is not here is not followed further.
        """
        began = looked = time.monotonic()
        while not self.run.has_ended:
            if stop.is_set() and not (leave.is_set() or self.run.is_cancelled()):
                self.run.cancel()
            if leave.is_set():
                return False
            self.look()
            if time.monotonic() - looked > CARE_S:
                ensure_worker(self.run.home)
                looked = time.monotonic()
                if self.alone.is_set() and not stop.is_set() and self._waits_for_people():
                    break
            leave.wait(min(POLL_S, max(SHORT_POLL_S, (time.monotonic() - began) / 20)))
        self.look()
        if problem := self.run.problem:
            self.progress.note(
                f"the worker gave the run up: {problem}; `runner resume {self.run.path.name}` tries again"
            )
        return True

    def look(self) -> None:
        """Tell what has happened since the last look."""
        for facts in _lines(self._notes):
            if worker := facts.get("started"):
                self.begin(worker, str(facts.get("program")))
            else:
                self.progress.note(str(facts.get("note")))
        for worker, tail in list(self._events.items()):
            for facts in _lines(tail):
                if (event := read_event(facts)) is not None:
                    self.progress.heard(worker, event)
            self._end(worker)

    def entry(self, worker: str) -> Entry | None:
        """A task of the run, as the disk knows it."""
        return Archive(self.run.path.parents[1]).entry(self.run.path.name, worker)

    def _waits_for_people(self) -> bool:
        submission = self.run.submission
        awaited = set(submission.awaited) if submission else set()
        entries = {name: self.entry(name) for name in (*submission.workers, *awaited)} if submission else {}
        lacking = {name for name in awaited if not _is_done(entries[name])}
        while more := {
            name
            for name, entry in entries.items()
            if entry and name not in lacking and lacking & set(entry.record.after)
        }:
            lacking |= more
        return bool(lacking) and all(_is_done(entry) for name, entry in entries.items() if name not in lacking)

    def begin(self, worker: str, program: str) -> None:
        """Follow a session from now on."""
        if worker not in self._events:  # a session that is followed by another worker now began once only
            self._events[worker] = Tail(self.run.path / worker / "events.jsonl")
            self.progress.started(worker, program)
        self._ended.discard(worker)

    def _end(self, worker: str) -> None:
        if worker in self._ended or not (self.run.path / worker / "exit.json").exists():
            return
        entry = self.entry(worker)
        if entry and entry.ending:
            self._ended.add(worker)
            self.progress.ended(worker, entry.state, entry.reason)
            if entry.state is not State.RATE_LIMITED:
                del self._events[worker]


def _is_done(entry: Entry | None) -> bool:
    return entry is not None and entry.ending is not None and entry.state not in {State.WAITING, State.RATE_LIMITED}


def _lines(tail: Tail) -> list[dict[str, Any]]:
    if not tail.path.exists():
        return []
    lines, _ = tail.read()
    return [json.loads(line) for line in lines]
