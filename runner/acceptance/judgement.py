"""The user's verdict on a run: its work taken over or left alone, and the router told."""

from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from router.client import RouterError
from runner.acceptance.harvest import Finished, Harvest, harvest
from runner.errors import BadInput
from runner.merging.integrated import Part, read_integrated
from runner.merging.landing import Landed, Landing
from runner.orders.opening import open_routing
from runner.outcomes.outbox import Outbox, leave
from runner.outcomes.outcomes import deposit
from runner.runs.records import Closed, Entry
from runner.runs.state import WORKFLOW_FILE, State
from runner.settings import Settings

REJECTED = "rejected by the user"


@dataclass(frozen=True)
class Judgement:
    """What came of a verdict."""

    run_id: str
    accepted: bool
    workers: Sequence[str]
    """Whose work it is about."""
    landed: Landed | None = None
    """Where the work lies now; None where there is none, or it was rejected."""
    left: Sequence[Part] = ()
    """Work that it is not about, and why."""
    failed_checks: Sequence[str] = ()
    unsent: int = 0
    """Outcomes that the router does not have yet."""


def accept(run: Finished, settings: Settings, branch: str | None = None) -> Judgement:
    """Bring a run's merged work to the branch that it began at, or to `branch`; may be repeated.

    Raises:
        BadInput: nothing of it can be taken over, or not onto this branch.
        GitFailed, StorageUnavailable: git can't do it, or the verdict can't be kept.
    """
    _refuse_undone(run)
    found = harvest(run, settings)
    if found.commit is None and found.left:
        raise BadInput(
            f"run {run.id} has nothing to accept: {_reasons(found.left)}; `runner retry {run.id}` tries again"
        )
    landed = found.commit and Landing(run.repository, found.commit, branch or run.began_at, f"accepted/{run.id}").land()
    judged = [entry for entry in run.entries if _is_good(entry, found)]
    _note(run, settings, judged, accepted=True)
    workers = [entry.record.worker for entry in judged]
    return Judgement(run.id, True, workers, landed or None, found.left, found.failed_checks, _send(settings))


def reject(run: Finished, settings: Settings) -> Judgement:
    """Leave a run's work where it is, and say that it was not what was wanted; may be repeated."""
    _refuse_undone(run)
    judged = [entry for entry in run.entries if isinstance(entry, Closed) and entry.state is not State.WAITING]
    _note(run, settings, judged, accepted=False)
    return Judgement(run.id, False, [entry.record.worker for entry in judged], unsent=_send(settings))


def _reasons(left: Sequence[Part]) -> str:
    return "; ".join(f"{part.worker} {part.reason}" for part in left)


def _is_good(entry: Entry, found: Harvest) -> bool:
    """Its work is taken over, or it succeeded without any."""
    if entry.record.worker in {part.worker for part in found.taken}:
        return True
    return entry.state is State.SUCCEEDED and entry.record.worker not in {part.worker for part in found.left}


def _note(run: Finished, settings: Settings, judged: Sequence[Entry], *, accepted: bool) -> None:
    """Write the verdict down, and leave what the router learns of it in the outbox."""
    outbox = settings.data_folder() / "outbox"
    if run.is_workflow:  # of a workflow the router learns as a whole
        _note_workflow(run, outbox, accepted=accepted)
        return
    integrated = read_integrated(run.archive, run.id)
    for entry in judged:
        if isinstance(entry, Closed):
            closed = _judged(entry, accepted=accepted)
            run.archive.end(closed.record, closed.ending)
            passed = integrated.tests_passed(closed.record.worker) if integrated else None
            deposit(closed, outbox, tests_passed=passed)


def _note_workflow(run: Finished, outbox: Path, *, accepted: bool) -> None:
    from runner.workflows.learned import outcome_of
    from runner.workflows.state import Ledger, Stand

    ledger = Ledger(run.folder / WORKFLOW_FILE)
    with ledger.held():
        verdict, stand = ("accept", Stand.DONE) if accepted else ("reject", Stand.REJECTED)
        state = ledger.read().model_copy(update={"verdict": verdict, "stand": stand})
        ledger.write(state)
    sessions = [entry for entry in run.entries if isinstance(entry, Closed)]
    leave(outbox, f"{run.id}-verdict", outcome_of(state, sessions))


def _refuse_undone(run: Finished) -> None:
    if not run.is_workflow:
        return
    from runner.workflows.state import Ledger, Stand

    state = Ledger(run.folder / WORKFLOW_FILE).read()
    if state.stand in {Stand.RUNNING, Stand.WAITING}:
        told = state.reason or state.stand
        raise BadInput(f"workflow run {run.id} is not done ({told}); `runner resume {run.id}` goes on with it")


def _judged(entry: Closed, *, accepted: bool) -> Closed:
    status, reason = entry.ending.status, entry.ending.reason
    if not accepted and status is State.SUCCEEDED:
        status, reason = State.REJECTED, REJECTED
    elif accepted and status is State.REJECTED:
        status, reason = State.SUCCEEDED, "accepted by the user"
    ending = entry.ending.model_copy(update={"accepted": accepted, "status": status, "reason": reason})
    return Closed(entry.folder, entry.record, ending)


def _send(settings: Settings) -> int:
    """Send what waits, where the router is there; what remains is sent by the next run."""
    folder = settings.data_folder() / "outbox"
    with suppress(RouterError), closing(open_routing(settings)) as routing:
        return Outbox(folder, routing).flush()
    return len(list(folder.glob("*.json")))
