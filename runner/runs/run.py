"""One run: what all its tasks share, and how a task of it is written down."""

import os
import shlex
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from router.labels import Source
from runner.census import started_at
from runner.checkout.project import Project
from runner.checkout.repository import Repository
from runner.errors import StorageUnavailable
from runner.runs.archive import Archive
from runner.runs.records import Closed, Ending, Record
from runner.runs.state import State
from runner.sessions.session import Limits
from runner.tasks.plan import Planned
from runner.terminal.progress import Progress


def new_run_id() -> str:
    """An id that sorts by time and is good for a branch name."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"


@dataclass(frozen=True)
class Run:
    """One execution of one or more tasks in one repository."""

    id: str
    repository: Repository
    base: str
    """The commit that workers start from."""
    base_name: str
    """What it is called: a branch where possible."""
    cwd: Path
    """Where the user stands; interactive sessions start there."""
    archive: Archive
    limits: Limits
    lock_wait_s: float
    max_cost_usd: float | None
    progress: Progress
    project: Project = field(default_factory=Project)
    """What the repository says about sessions in it."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the project's own commands see."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when everything must end."""
    leave: threading.Event = field(default_factory=threading.Event)
    """Set when this process must go while its sessions go on; following one then raises `Left`."""

    def record(self, planned: Planned, program: str, command: str, **facts: object) -> Record:
        """Describe a task that is about to start."""
        return Record.model_validate(
            {
                "run_id": self.id,
                "worker": planned.worker,
                "task": planned.task,
                "decision": planned.decision,
                "after": planned.after,
                "brief": planned.brief,
                "program": program,
                "command": command,
                "session_id": str(uuid.uuid4()),
                "cwd": self.cwd,
                "started_at": datetime.now(UTC),
                "runner_pid": os.getpid(),
                "runner_started": started_at(os.getpid()),
                **facts,
            }
        )

    def close(self, record: Record, status: State, reason: str, **facts: object) -> Closed:
        """Write down what came of a task."""
        try:
            return self.archive.close(record, status, reason, **facts)
        except StorageUnavailable as error:  # the work is on its branch; only the note about it is missing
            self.progress.note(str(error))
        ending = Ending.model_validate({"status": status, "reason": reason, "ended_at": datetime.now(UTC), **facts})
        return Closed(self.archive.session(record.run_id, record.worker), record, ending)

    def put_off(self, planned: Planned, reason: str) -> Closed:
        """Write down a task that waits for a person, with the command that starts it later."""
        chosen = planned.decision.source is Source.OVERRIDE
        options = ("--platform", planned.decision.platform) if chosen else ()
        later = shlex.join(("runner", "execute", *options, "--", planned.task))
        record = self.record(planned, "runner", f"cd {shlex.quote(str(self.cwd))} && {later}")
        self.archive.begin(record)
        return self.close(record, State.WAITING, reason)

    def drop(self, planned: Planned, reason: str) -> Closed:
        """Write down a task that the person did not want started."""
        record = self.record(planned, "runner", "")
        self.archive.begin(record)
        return self.close(record, State.CANCELLED, reason)

    def context(self) -> dict[str, Any]:
        """What the router is told of the place a task was typed in."""
        branch = self.repository.git("branch", "--show-current")
        return {"cwd": str(self.cwd), "repo": str(self.repository.root), "branch": branch}
