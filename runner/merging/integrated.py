"""What a run's workers did, merged: written to `integration.json` in the run's folder."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from runner.checkout.checks import Check, run_checks
from runner.checkout.preparation import prepare
from runner.checkout.project import Project
from runner.checkout.repository import Repository
from runner.errors import SetupFailed
from runner.lock import locked
from runner.merging.integration import Conflict, Integration, Place
from runner.outcomes.outcomes import deposit
from runner.runs.archive import Archive
from runner.runs.records import Closed, Entry
from runner.runs.state import State
from runner.storage import write_whole

FILE = "integration.json"
GOOD = frozenset({State.SUCCEEDED, State.REJECTED})
"""Work of these can be merged; who rejected it may think better of it."""


class Part(BaseModel):
    """The work of one worker."""

    model_config = ConfigDict(frozen=True)

    worker: str
    branch: str
    commit: str
    reason: str = ""
    """Why it is not merged; empty where it is to be."""


class Integrated(BaseModel):
    """What came of merging a run."""

    model_config = ConfigDict(frozen=True)

    branch: str
    """The run's integration branch."""
    commit: str
    """Its tip, which holds all merged work."""
    base: str
    merged: tuple[Part, ...]
    left_out: tuple[Part, ...] = ()
    """Work of workers that did not succeed; it stays on their branches."""
    conflicts: tuple[Conflict, ...] = ()
    """Branches that wait for a review, with both sides."""
    checks: tuple[Check, ...] = ()

    def tests_passed(self, worker: str) -> bool | None:
        """What the checks say of a worker's work; None where it is not in what was checked, or nothing was."""
        if not self.checks or worker not in {part.worker for part in self.merged}:
            return None
        return all(check.passed for check in self.checks)


def needs_integration(place: Place, entries: Sequence[Entry], project: Project) -> bool:
    """True where more than one worker succeeded with a change, or one did and there are checks to run on it."""
    count = sum(not part.reason for part in parts(place, entries))
    return count > 1 or (count == 1 and bool(project.check))


def parts(place: Place, entries: Sequence[Entry]) -> list[Part]:
    """The work that there is, in order; a worker that changed nothing has none."""
    found, git, tips = list[Part](), place.repository.git, _tips(place.repository, entries)
    ahead = _tips(place.repository, entries, f"--no-merged={place.base}")
    for entry in sorted(entries, key=_number):
        name = f"refs/heads/{entry.record.branch}"
        commit = tips.get(name) or _written_down(place.repository, entry)
        starts = {place.base, entry.record.base or place.base}
        if not entry.record.branch or not commit or commit in starts:
            continue
        asked = starts - {place.base} if name in ahead else starts
        if not any(git.succeeds("merge-base", "--is-ancestor", commit, one) for one in asked):
            reason = "" if entry.state in GOOD else f"{entry.state}: {entry.reason}"
            found.append(Part(worker=entry.record.worker, branch=entry.record.branch, commit=commit, reason=reason))
    return found


def integrate(place: Place, entries: Sequence[Entry], project: Project, env: Mapping[str, str]) -> Integrated:
    """Merge what the workers of a run did in their order, check the result in `env`, and write down what came of it.

    Stops at nothing: a branch in conflict is left out and listed. Called again, it goes on where it was killed, and
    changes nothing once it is done, unless a branch has moved.

    Raises:
        GitFailed: the checkout to merge in can't be made or used.
        Busy: another runner is merging the same run.
        StorageUnavailable: what came of it can't be written.
    """
    folder = place.archive.folder / "runs" / place.id
    with locked(folder / "integration.lock", place.lock_wait_s):
        found = parts(place, entries)
        done = read_integrated(place.archive, place.id)
        if done is not None and _is_of(done, found):
            return done
        integrated = _merge(place, found, project, env)
        write_whole(folder / FILE, integrated.model_dump_json(indent=2))
        return integrated


def open_ready(place: Place, base: str, project: Project, env: Mapping[str, str]) -> Integration:
    """Open the checkout that work is merged in, made ready as a worker's is.

    Raises:
        SetupFailed: its setup failed; the checkout is there all the same.
        GitFailed, Busy: it can't be made or used.
    """
    return Integration.open(place, base, partial(prepare, checkout=place.repository.root, project=project, env=env))


def read_integrated(archive: Archive, run_id: str) -> Integrated | None:
    """What came of merging a run; None where that was not done, or not to its end."""
    try:
        return Integrated.model_validate_json(_file(archive, run_id).read_bytes())
    except (OSError, ValueError):
        return None


def tell_checks(done: Integrated, entries: Sequence[Entry], outbox: Path) -> None:
    """Leave in the folder `outbox` once more what came of those tasks whose work was checked, with what was found.

    Raises:
        StorageUnavailable: it can't be kept.
    """
    for entry in entries:
        passed = done.tests_passed(entry.record.worker)
        if isinstance(entry, Closed) and passed is not None:
            deposit(entry, outbox, tests_passed=passed)


def _file(archive: Archive, run_id: str) -> Path:
    return archive.folder / "runs" / run_id / FILE


def _is_of(done: Integrated, found: Sequence[Part]) -> bool:
    known = {(part.worker, part.commit) for part in (*done.merged, *done.left_out)}
    waiting = {one.worker for one in done.conflicts}
    return all((part.worker, part.commit) in known or part.worker in waiting for part in found)


def _number(entry: Entry) -> tuple[int, str]:
    """Workers are named by the number of their task first."""
    number = entry.record.worker.partition("-")[0]
    return int(number) if number.isdecimal() else 0, entry.record.worker


def _tips(repository: Repository, entries: Sequence[Entry], *options: str) -> dict[str, str]:
    """The commit of each worker's branch that is there (and fits the `options`), by the branch's full name."""
    names = [f"refs/heads/{entry.record.branch}" for entry in entries if entry.record.branch]
    told = repository.git("for-each-ref", *options, "--format=%(refname) %(objectname)", *names) if names else ""
    return dict(line.split(" ") for line in told.splitlines())


def _written_down(repository: Repository, entry: Entry) -> str | None:
    """The commit that a worker's branch, which was deleted, had in the end; None where it is gone too."""
    commit = entry.ending.commit if entry.ending else None
    return commit if commit and repository.git.succeeds("cat-file", "-e", f"{commit}^{{commit}}") else None


def _merge(place: Place, found: Sequence[Part], project: Project, env: Mapping[str, str]) -> Integrated:
    base, failed = place.base, list[Check]()
    try:
        integration = open_ready(place, base, project, env)
    except SetupFailed as error:
        failed = [Check(command=error.command, passed=False, output=error.output)]
        integration = Integration.open(place, base)
    wanted = [part for part in found if not part.reason]
    conflicts = integration.merge((part.worker, part.commit) for part in wanted)
    named = {part.worker: part.branch for part in wanted}
    waiting = tuple(one.model_copy(update={"branch": named[one.worker]}) for one in conflicts)
    checks = run_checks(project.check, integration.tree.path, env, project.check_timeout_s)
    return Integrated(
        branch=integration.tree.branch, commit=integration.tip, base=base,
        merged=tuple(part for part in wanted if part.worker not in {one.worker for one in waiting}),
        left_out=tuple(part for part in found if part.reason), conflicts=waiting, checks=(*failed, *checks),
    )  # fmt: skip
