"""A run that has ended, and what of its work can be taken over."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.checkout.project import read_project
from runner.checkout.repository import Repository
from runner.environment import headless_environment
from runner.errors import BadInput
from runner.merging.integrated import Part, integrate, needs_integration, parts, read_integrated
from runner.merging.integration import branch_of
from runner.runs.archive import Archive
from runner.runs.history import find_entries
from runner.runs.records import Entry
from runner.runs.state import UNDER_WAY, WORKFLOW_FILE
from runner.runs.submission import RunFolder
from runner.settings import Settings


@dataclass(frozen=True)
class Finished:
    """A run that nothing is under way of any more."""

    id: str
    base: str
    """The commit that its workers started from."""
    base_name: str
    repository: Repository
    archive: Archive
    lock_wait_s: float
    entries: Sequence[Entry]

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self.archive.folder / "runs" / self.id

    @property
    def is_workflow(self) -> bool:
        """True where a workflow carried it out."""
        return (self.folder / WORKFLOW_FILE).exists()

    @property
    def began_at(self) -> str | None:
        """The branch that it began at; None where HEAD was at none, or a tag or commit was named."""
        return self.base_name if _there(self.repository, self.base_name) else None


@dataclass(frozen=True)
class Harvest:
    """What of a run's work there is."""

    commit: str | None
    """What holds all of it that can be taken over; None where there is none."""
    taken: Sequence[Part] = ()
    left: Sequence[Part] = ()
    """What is not in it, each with the reason; it stays on its branch."""
    failed_checks: Sequence[str] = ()


def find_finished(run: str, repository: Repository, settings: Settings) -> Finished:
    """Return the run whose id begins so.

    Raises:
        BadInput: there is none, there are several, or it is still under way.
    """
    archive = Archive.of(repository, settings.data_folder())
    entries = find_entries(archive, run)
    run_id = entries[0].record.run_id
    if under_way := [entry.record.worker for entry in entries if entry.state in UNDER_WAY]:
        steps = f"`runner watch {run_id}` waits for it, `runner cancel {run_id}` ends it"
        raise BadInput(f"run {run_id} is still under way ({', '.join(under_way)}); {steps}")
    base, name = _origin(archive.folder / "runs" / run_id, entries) or (repository.look().head, "")
    return Finished(run_id, base, name, repository, archive, settings.lock_wait_s, entries)


def harvest(run: Finished, settings: Settings) -> Harvest:
    """Find what can be taken over; what was not merged yet is merged now."""
    _refuse_other_runs(run)
    found = parts(run, run.entries)
    project = read_project(run.repository.root)
    if not run.is_workflow and needs_integration(run, run.entries, project):
        integrate(run, run.entries, project, headless_environment("checks", os.environ, settings.pass_env))
    commit = _commit(run, found)
    if commit is None:
        return Harvest(None, left=found)
    git, done = run.repository.git, read_integrated(run.archive, run.id)
    taken = [part for part in found if git.succeeds("merge-base", "--is-ancestor", part.commit, commit)]
    conflicts = {one.worker: ", ".join(one.files) for one in done.conflicts} if done else {}
    left = [_told(part, conflicts) for part in found if part not in taken]
    failed = [check.command for check in done.checks if not check.passed] if done else []
    return Harvest(commit, taken, left, failed)


def _told(part: Part, conflicts: dict[str, str]) -> Part:
    reason = f"in conflict in {conflicts[part.worker]}" if part.worker in conflicts else part.reason or "not merged"
    return part.model_copy(update={"reason": reason})


def _commit(run: Finished, found: Sequence[Part]) -> str | None:
    """The tip of the integration branch, or of the only branch that holds something good."""
    branch = branch_of(run.id)
    if _there(run.repository, branch):
        return run.repository.git("rev-parse", f"refs/heads/{branch}")
    good = [part.commit for part in found if not part.reason]
    return good[0] if good else None


def _refuse_other_runs(run: Finished) -> None:
    """A hybrid task is carried out by a workflow, which is a run of its own."""
    told = [re.match(r"workflow run ([\w-]+)", entry.reason) for entry in run.entries]
    others = [found[1] for found in told if found]
    if others and len(others) == len(run.entries):
        raise BadInput(f"run {run.id} was carried out as run {others[0]}; name that one")


def _origin(folder: Path, entries: Sequence[Entry]) -> tuple[str, str] | None:
    if submission := RunFolder(folder).submission:
        return submission.base, submission.base_name
    if (folder / WORKFLOW_FILE).exists():
        from runner.workflows.state import Ledger

        state = Ledger(folder / WORKFLOW_FILE).read()
        return state.base, state.base_name
    began = (entry.record for entry in entries if entry.record.base and not entry.record.after)
    return next(((record.base or "", record.base_name or "") for record in began), None)


def _there(repository: Repository, branch: str) -> bool:
    return bool(branch) and repository.git.succeeds("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")
