"""What `train-router` does: find the data, run the job, show progress, promote."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from router.artifact import Model
from router.errors import ArtifactError
from router.journal import Journal
from router.registry import Registry
from router.settings import Settings, in_checkout
from training.encoders import SERVED
from training.errors import DataError, GoldenChanged, Interrupted, NotPromoted
from training.evaluate import scores
from training.evidence import Evidence, collect
from training.finetune import Recipe
from training.job import Job, Trained, train
from training.report import REPORT_FILE
from training.rows import Row, digest, read
from training.tables import plain, scores_table
from training.taxonomy import SHIPPED, Taxonomy

CHECKOUT_DATA = Path(__file__).parent.parent / "data"
WHEEL_DATA = Path(__file__).parent / "shipped"
SEED_FILES = ("seed_tasks.jsonl", "ambiguous_tasks.jsonl", "session_tasks.jsonl", "out_of_scope.jsonl")
GOLDEN_FILE = "golden.jsonl"
SEED, NO_JOURNAL = "seed", "none"
"""Words that `--data` and `--journal` take."""


@dataclass(frozen=True)
class Request:
    """The command line's options."""

    data: list[Path] | None
    golden: Path | None
    labels: Path | None
    journal: str | None
    models_dir: Path | None
    encoder: str
    base: str | None
    promote: str
    seed: int
    as_json: bool


def registry(models_dir: Path | None) -> Registry:
    """The registry in `models_dir`, else where the settings say."""
    found = Registry.of(Settings())
    return replace(found, root=models_dir, shipped=None) if models_dir else found


def shipped_data() -> Path:
    """The folder of the data that came with the program."""
    return CHECKOUT_DATA if in_checkout() else WHEEL_DATA


def run(request: Request) -> None:
    """Train as requested and say how it went.

    Raises:
        NotPromoted: the new version is worse than the served one; it is kept.
        GoldenChanged: the golden set was edited.
        Interrupted: Ctrl-C.
    """
    console = Console(stderr=True)
    versions = registry(request.models_dir)
    job = _job(request, versions)
    said = f"{len(job.rows)} rows, {len(job.evidence)} pieces of evidence from the journal"
    console.print(said, highlight=False)
    try:
        trained = _train(job, versions, console)
    except KeyboardInterrupt:
        raise Interrupted from None
    verdict = trained.findings.verdict
    promoted = request.promote == "force" or (request.promote == "auto" and verdict.promote)
    if promoted:
        versions.promote(trained.manifest.version)
    _tell(trained, promoted=promoted, as_json=request.as_json)
    if request.promote == "auto" and not promoted:
        raise NotPromoted(trained.manifest.version, verdict.reason)


def rollback(versions: Registry) -> str:
    """Serve the parent of the served version; returns it. Raises `ArtifactError` where there is none."""
    current = versions.current()
    found = next((m for m in versions.versions() if m.version == current), None)
    if found is None or found.parent is None:
        raise ArtifactError(versions.root, f"{current or 'nothing'} is served and has no parent to go back to")
    versions.promote(found.parent)
    return found.parent


def report_of(versions: Registry, version: str | None) -> Path:
    """The report of a version; raises `ArtifactError`."""
    wanted = version or versions.current()
    if wanted is None:
        raise ArtifactError(versions.root, "holds no model")
    path = versions.folder(wanted) / REPORT_FILE
    if not path.is_file():
        raise ArtifactError(path.parent, f"has no {REPORT_FILE}")
    return path


def _job(request: Request, versions: Registry) -> Job:
    taxonomy = Taxonomy.open(request.labels) if request.labels else SHIPPED
    if request.labels and not request.data:
        raise DataError(request.labels, 0, "the seed data has other labels; name rows of these with --data")
    rows = read(_files(request), taxonomy)
    going_on = request.encoder == "finetune" and request.base in {None, SERVED} and taxonomy is SHIPPED
    return Job(
        rows=rows,
        golden=_golden(request, versions, taxonomy),
        evidence=_evidence(request.journal, taxonomy),
        known=read(_seed_files()) if going_on else (),
        encoder=request.encoder,
        base=request.base,
        taxonomy=taxonomy,
        lender=None if versions.current() else _lender(),
        recipe=Recipe(seed=request.seed),
    )


def _files(request: Request) -> list[Path]:
    """The files to learn from: those named, `seed` standing for the shipped ones."""
    named = request.data or [Path(SEED)]
    return [file for path in named for file in (_seed_files() if str(path) == SEED else [path])]


def _seed_files() -> list[Path]:
    return [shipped_data() / name for name in SEED_FILES]


def _golden(request: Request, versions: Registry, taxonomy: Taxonomy) -> list[Row]:
    """The rows that judge: those named, else the shipped ones where the shipped data is learnt from."""
    path = request.golden or shipped_data() / GOLDEN_FILE
    seeded = request.data is None or Path(SEED) in request.data
    if request.golden is None and not (seeded and path.is_file()):
        return []
    rows = read([path], taxonomy)
    current = versions.current()
    expected = next((m.golden_digest for m in versions.versions() if m.version == current), None)
    if request.golden is None and expected not in {None, digest(rows)}:
        raise GoldenChanged(path, digest(rows), str(expected))
    return rows


def _evidence(journal_url: str | None, taxonomy: Taxonomy) -> list[Evidence]:
    """What the journal teaches; nothing where the labels have no platforms to learn about."""
    if journal_url == NO_JOURNAL or (taxonomy is not SHIPPED and not taxonomy.platforms):
        return []
    journal = Journal(journal_url or Settings().journal_url())
    try:
        return [one for one in collect(journal) if one.task_type is None or one.task_type in taxonomy.names]
    finally:
        journal.close()


def _lender() -> Model | None:
    """The model that the settings name: a new models folder borrows its encoder."""
    try:
        return Registry.of(Settings()).load_current()
    except ArtifactError:
        return None


def _train(job: Job, versions: Registry, console: Console) -> Trained:
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("fine-tuning", total=None, visible=False)

        def progress(step: int, steps: int, loss: float) -> None:
            bar.update(task, total=steps, completed=step, description=f"fine-tuning (loss {loss:.2f})", visible=True)
            if not console.is_terminal and step % 100 == 0:
                console.print(f"  step {step} of {steps}, loss {loss:.3f}", highlight=False)

        return train(job, versions, lambda text: console.print(f"· {text}", highlight=False), progress)


def _tell(trained: Trained, *, promoted: bool, as_json: bool) -> None:
    found, findings = trained.manifest.scores, trained.findings
    verdict = findings.verdict
    if as_json:
        body = {
            "version": trained.manifest.version, "promoted": promoted, "reason": verdict.reason,
            "interval_95": verdict.interval, "scores": found, "report": str(trained.folder / REPORT_FILE),
        }  # fmt: skip
        sys.stdout.write(json.dumps(plain(body)) + "\n")
        return
    console = Console()
    console.print(scores_table(found, scores(findings.champion, findings.question.aim) if findings.champion else None))
    word = "promoted" if promoted else "kept, not promoted"
    console.print(f"{trained.manifest.version} {word}: {verdict.reason}", highlight=False)
    console.print(f"report: {trained.folder / REPORT_FILE}", highlight=False, soft_wrap=True)
    if promoted:
        console.print("next: [bold]router route[/] 'your task'   back: [bold]train-router rollback[/]")
