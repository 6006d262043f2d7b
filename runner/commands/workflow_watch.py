"""A workflow that another process carries out, seen from a terminal: its files are read as they grow."""

import threading
import time

from runner.orders.follow import Follower
from runner.process import POLL_S
from runner.runs.archive import Archive
from runner.runs.submission import RunFolder
from runner.terminal.progress import Progress
from runner.workflows.state import Ledger, RunState, Stand

LOOK_S = 1.0
"""Between two looks whether somebody still carries it out."""


class WorkflowWatch:
    """Tells `progress` what happens in the phases and sessions of a workflow."""

    def __init__(self, archive: Archive, ledger: Ledger, progress: Progress) -> None:
        self._archive, self._ledger, self._progress = archive, ledger, progress
        self._told: dict[str, tuple[str, str]] = {}
        self._sessions = Follower(RunFolder(ledger.path.parent), progress)
        self._known: set[str] = set()
        self._open: set[str] = set()

    def to_the_end(self, leave: threading.Event) -> RunState:
        """Follow until nobody carries it out any more, or `leave` is set; return how far it has come."""
        looked = 0.0
        while not leave.is_set():
            over = False
            if time.monotonic() - looked > LOOK_S:  # before the files are read: nothing is missed then
                looked, over = time.monotonic(), not self._ledger.is_held
            self._look()
            if over:
                break
            leave.wait(POLL_S)
        return self._ledger.read()

    def _look(self) -> None:
        state = self._ledger.read()
        for name, phase in state.phases.items():
            told = phase.stand.value, phase.reason
            if self._told.get(name) != told and phase.stand is not Stand.PENDING:
                self._told[name] = told
                self._progress.note(f"phase {name}: {phase.stand}" + (f" ({phase.reason})" if phase.reason else ""))
        for entry in self._archive.entries(state.run_id):
            worker, is_open = entry.record.worker, entry.ending is None
            if worker not in self._known or (is_open and worker not in self._open):
                self._sessions.begin(worker, entry.record.program)
            self._known.add(worker)
            (self._open.add if is_open else self._open.discard)(worker)
        self._sessions.look()
