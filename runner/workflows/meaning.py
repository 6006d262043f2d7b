"""What a workflow file means: who works, in what order; contradictions in it are found here."""

from collections import Counter
from collections.abc import Iterator, Mapping

from runner.workflows.errors import Problem, WorkflowInvalid, did_you_mean
from runner.workflows.forms import PhaseForm, PhasesFile
from runner.workflows.marked import Document, Path
from runner.workflows.model import MOST_WORKERS, Kind, Limits, Phase, Worker, Workflow
from runner.workflows.order import in_order
from runner.workflows.roles import ROLES, role_of
from runner.workflows.step_forms import StepsFile
from runner.workflows.steps import Draft, Drafts
from runner.workflows.variables import FACTS, problem_of, references

SITTING_WORKERS = "a phase with workers is headless: a person can't sit with several; leave `interactive` out"
SITTING_CODEX = "codex runs headless here; a phase with a person is on claude-code"


def understand(form: PhasesFile | StepsFile, document: Document, name: str) -> Workflow:
    """Bring a file into one form, whichever way it was spelt.

    Raises:
        WorkflowInvalid: with all contradictions found.
    """
    drafts = Drafts(document)
    if isinstance(form, StepsFile):
        drafts.take(form)
    else:
        drafts.phases = [_draft(phase, number) for number, phase in enumerate(form.phases)]
    reader = _Reader(document, form, drafts)
    phases = list(reader.phases())
    if reader.problems:
        raise WorkflowInvalid(document.source, sorted(reader.problems, key=lambda one: (one.line, one.column)))
    topology = form.topology if isinstance(form, PhasesFile) else drafts.swarm.topology
    return Workflow(
        name=form.name or name, description=form.description, phases=tuple(phases), topology=topology,
        roles={worker.role: reader.roles[worker.role] for phase in phases for worker in phase.workers},
        variables={key: None if value is None else str(value) for key, value in form.variables.items()},
        rework_rounds=form.rework_rounds,
    )  # fmt: skip


def _draft(form: PhaseForm, number: int) -> Draft:
    path: Path = ("phases", number)
    return Draft(form, path, [(*path, "workers", i) for i in range(len(form.workers))])


class _Reader:
    """Goes through the drafts of one file."""

    def __init__(self, document: Document, form: PhasesFile | StepsFile, drafts: Drafts) -> None:
        self.document, self.form, self.drafts = document, form, drafts
        self.problems: list[Problem] = list(drafts.problems)
        self.roles: Mapping[str, str] = {**ROLES, **form.roles}
        self.names: Counter[str] = Counter()

    def phases(self) -> Iterator[Phase]:
        """The phases, each after those that it needs."""
        for name in self.form.variables.keys() & FACTS.keys():
            self._object(("variables", name), f"{name!r} is {FACTS[name]}; give the variable another name")
        work: dict[str, bool] = {}
        for draft, after in in_order(self.drafts.phases, self._object):
            phase = self._phase(draft, after, worked=any(work.get(name) for name in after))
            work[phase.name] = phase.kind is Kind.WORK or any(work.get(name) for name in after)
            yield phase

    def _phase(self, draft: Draft, after: tuple[str, ...], *, worked: bool) -> Phase:
        form = draft.form
        platform = form.platform or ("codex" if form.workers or form.kind is Kind.WORK else "claude-code")
        many = bool(form.workers or form.parallel)
        kind = form.kind or self._kind(form, platform, many=many, worked=worked)
        interactive = form.interactive if form.interactive is not None else platform == "claude-code" and not many
        if kind is Kind.WORK and form.interactive:
            self._object((*draft.path, "interactive"), SITTING_WORKERS)
        elif kind is not Kind.WORK and form.workers:
            self._object((*draft.path, "workers"), f"a {kind} is one session; leave the workers or the kind out")
        elif interactive and platform == "codex":
            self._object((*draft.path, "interactive"), SITTING_CODEX)
        self._check_texts(draft)
        return Phase(
            name=form.phase, kind=kind, platform=platform, interactive=interactive and kind is not Kind.WORK,
            tasks=tuple(form.tasks if form.workers or kind is not Kind.WORK else ()),
            workers=tuple(self._workers(draft)) if kind is Kind.WORK else (),
            limits=self._limits(form), checks=tuple(self._checks(form, kind)), after=after,
            on_failure=form.on_failure or ("continue" if kind is Kind.WORK else "stop"),
        )  # fmt: skip

    @staticmethod
    def _kind(form: PhaseForm, platform: str, *, many: bool, worked: bool) -> Kind:
        if many or (platform == "codex" and not form.interactive):
            return Kind.WORK
        return Kind.REVIEW if worked else Kind.DESIGN

    def _workers(self, draft: Draft) -> Iterator[Worker]:
        form = draft.form
        total = sum(worker.count for worker in form.workers)
        if total > MOST_WORKERS:
            self._object((*draft.path, "workers"), f"{total} workers; at most {MOST_WORKERS} fit into a phase")
            return
        for worker, path in zip(form.workers, draft.worker_paths, strict=True):
            role = role_of(worker.word, self.roles)
            if role is None:
                hint = did_you_mean(worker.word, list(self.roles)) or f"; there are {', '.join(self.roles)}"
                key = "type" if worker.type else "role"
                self._object((*path, key), f"the role {worker.word!r} is unknown{hint}; `roles:` adds one's own")
                continue
            for number in range(worker.count):
                name = self._free(worker.word if worker.count == 1 else f"{worker.word}-{number + 1}", role)
                yield Worker(name=name, role=role, task=worker.task)
        if not form.workers:
            yield from self._for_tasks(form)

    def _for_tasks(self, form: PhaseForm) -> Iterator[Worker]:
        """Work without workers: a coder for each task, or one for all."""
        tasks = form.tasks if form.parallel else ["\n".join(form.tasks)] if form.tasks else [None]
        for number, task in enumerate(tasks[:MOST_WORKERS], start=1):
            yield Worker(name=self._free("coder" if len(tasks) == 1 else f"coder-{number}", "coder"), role="coder",
                         task=task)  # fmt: skip

    def _free(self, name: str, role: str) -> str:
        """A name that no other worker of the workflow has, for results are stored under it."""
        while self.names[name]:
            self.names[role] += 1
            name = f"{role}-{self.names[role]}"
        self.names[name] += 1
        return name

    def _limits(self, form: PhaseForm) -> Limits:
        at_once = 1 if form.parallel is False else form.limits.at_once or self.drafts.swarm.maxAgents
        return form.limits.model_copy(update={"at_once": at_once})

    def _checks(self, form: PhaseForm, kind: Kind) -> list[str]:
        return [*form.checks, *(self.form.checks if kind is Kind.WORK else [])]

    def _check_texts(self, draft: Draft) -> None:
        form = draft.form
        texts = [((*draft.path, "tasks", i), text) for i, text in enumerate(form.tasks)]
        texts += [((*path, "task"), worker.task or "") for worker, path in
                  zip(form.workers, draft.worker_paths, strict=True)]  # fmt: skip
        for path, text in texts:
            for name in references(text):
                if problem := problem_of(name, self.form.variables):
                    known = [*FACTS, *self.form.variables]
                    hint = did_you_mean(name, known) or f"; there are {', '.join(known)} and memory:NAMESPACE/KEY"
                    self._object(path, f"{{{{{name}}}}}: {problem}{hint}")

    def _object(self, path: Path, what: str) -> None:
        self.problems.append(self.document.problem(path, what))
