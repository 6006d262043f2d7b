"""After a runner was killed: what nobody goes on with is closed."""

from collections.abc import Iterator

from runner.runs.archive import Archive
from runner.runs.interactive import has_window
from runner.runs.records import Closed
from runner.runs.state import WORKFLOW_FILE, State


def close_abandoned(archive: Archive) -> Iterator[Closed]:
    """Close tasks that were never submitted, and sessions whose terminal is gone; yields each.

    Submitted tasks are the worker's, sessions of a workflow are its run's: `runner resume` goes on with them; one that
    has a window is gone back to by `runner attach`. An interactive session may still be in its user's hands: its
    processes are not ours to end.
    """
    for entry in archive.entries():
        run = entry.folder.parent
        is_worker_s = entry.record.submitted and (run / "submission.json").exists()
        goes_on = is_worker_s or has_window(entry) or (run / WORKFLOW_FILE).exists()
        if entry.state is State.INTERRUPTED and not goes_on:
            yield archive.close(entry.record, State.CANCELLED, "its runner was killed")
