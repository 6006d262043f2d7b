"""After a runner was killed: nothing of its sessions stays running, and none of their work is lost."""

from collections.abc import Iterator
from datetime import UTC, datetime

from runner.headless import settle
from runner.lock import locked
from runner.process import kill_marked
from runner.records import Archive, Closed, Ending, Entry, State
from runner.worktree import Worktree


def settle_interrupted(archive: Archive, wait_s: float) -> Iterator[Closed]:
    """End what killed runners left behind in this repository; yields each task settled."""
    if not any(entry.state is State.INTERRUPTED for entry in archive.entries()):
        return
    with locked(archive.lock, wait_s):
        for entry in archive.entries():
            if entry.state is State.INTERRUPTED:
                ending = _settle(entry)
                archive.end(entry.record, ending)
                yield Closed(entry.folder, entry.record, ending)


def _settle(entry: Entry) -> Ending:
    record, now = entry.record, datetime.now(UTC)
    if not (record.branch and record.base and record.cwd.is_dir()):
        # An interactive session may still be in its user's hands: it is not ours to end.
        return Ending(status=State.CANCELLED, reason="its runner was killed", ended_at=now)
    kill_marked(record.session_id)
    settled = settle(Worktree(record.cwd, record.branch, record.base), record)
    reason = "; ".join(filter(None, ("its runner was killed", settled.problem)))
    return Ending(status=State.CANCELLED, reason=reason, ended_at=now, commit=settled.commit, diff=settled.diff)
