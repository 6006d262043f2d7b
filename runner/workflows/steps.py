"""Files with `steps:`, brought into phases: what is spawned together is a phase of work, and waiting ends it."""

from dataclasses import dataclass, field

from runner.workflows.errors import Problem
from runner.workflows.forms import PhaseForm, WorkerForm
from runner.workflows.marked import Document, Path
from runner.workflows.model import Kind
from runner.workflows.step_forms import (
    InitAction,
    InitStep,
    SitAction,
    SpawnAction,
    SpawnStep,
    SpawnWorkersStep,
    StepsFile,
    Swarm,
    WaitStep,
)

SPAWNED = "implement"
"""Name of what is spawned, where the file gives none."""
NOTHING_SPAWNED = "nothing was spawned before this that could be waited for"


@dataclass
class Draft:
    """A phase, and where in the file it and its workers stand."""

    form: PhaseForm
    path: Path
    worker_paths: list[Path] = field(default_factory=list)


@dataclass
class Drafts:
    """What a file says, as phases."""

    document: Document
    swarm: Swarm = field(default_factory=Swarm)
    phases: list[Draft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _open: list[Draft] = field(default_factory=list)
    """Spawned and not waited for yet."""
    _done: list[str] = field(default_factory=list)
    """What the next phase comes after."""

    def take(self, file: StepsFile) -> None:
        """Go through the steps."""
        for number, step in enumerate(file.steps):
            path: Path = ("steps", number)
            match step:
                case InitAction(args=swarm) | InitStep(swarm_init=swarm):
                    self.swarm = swarm
                case SpawnAction() | SpawnWorkersStep() | SpawnStep():
                    self._spawn(*_spawned(step, path), path)
                case SitAction():
                    self._sit(step, path)
                case WaitStep(wait_for=label):
                    self._wait_for(label, path)
                case _:
                    self._wait()
        self._wait()

    def _spawn(self, step: SpawnAction, places: list[Path], path: Path) -> None:
        form = PhaseForm(
            phase=self._free(step.name or SPAWNED), kind=Kind.WORK, platform=step.platform, workers=step.workers,
            limits=step.limits, checks=step.checks, on_failure=step.on_failure, after=tuple(self._done),
        )  # fmt: skip
        if step.name is None and self._open:
            last = self._open[-1]
            alike = {"phase", "workers"}
            if last.form.model_dump(exclude=alike) == form.model_dump(exclude=alike):
                last.form = last.form.model_copy(update={"workers": (*last.form.workers, *form.workers)})
                last.worker_paths += places
                return
        draft = Draft(form, path, places)
        self.phases.append(draft)
        self._open.append(draft)

    def _sit(self, step: SitAction, path: Path) -> None:
        self._wait()
        kind = Kind(step.action.removeprefix("interactive_"))
        form = PhaseForm(
            phase=self._free(step.name or kind), kind=kind, platform=step.platform, interactive=True,
            tasks=step.tasks, on_failure=step.on_failure, after=tuple(self._done),
        )  # fmt: skip
        self.phases.append(Draft(form, path))
        self._done = [form.phase]

    def _wait_for(self, label: str, path: Path) -> None:
        if not self._open:
            self.problems.append(self.document.problem((*path, "wait_for"), f"{label}: {NOTHING_SPAWNED}"))
            return
        last = self._open[-1]
        last.form = last.form.model_copy(update={"phase": label})
        self._wait()

    def _wait(self) -> None:
        if self._open:
            self._done = [draft.form.phase for draft in self._open]
            self._open = []

    def _free(self, name: str) -> str:
        taken = {draft.form.phase for draft in self.phases}
        return name if name not in taken else next(n for i in range(2, 999) if (n := f"{name}-{i}") not in taken)


def _spawned(step: SpawnAction | SpawnWorkersStep | SpawnStep, path: Path) -> tuple[SpawnAction, list[Path]]:
    """A spawn in its longest spelling, and where its workers stand."""
    match step:
        case SpawnAction(workers=workers):
            return step, [(*path, "workers", i) for i in range(len(workers))]
        case SpawnWorkersStep(spawn_workers=workers):
            places: list[Path] = [(*path, "spawn_workers", i) for i in range(len(workers))]
        case SpawnStep(spawn=names):
            workers = tuple(WorkerForm(role=word) for word in ([names] if isinstance(names, str) else names))
            places = [(*path, "spawn", i) for i in range(len(workers))]
    return SpawnAction(action="spawn_headless", workers=workers), places
