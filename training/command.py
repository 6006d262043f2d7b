"""What `train-router` does: find the data, run the job, show progress, promote."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from router.errors import ArtifactError
from router.journal import Journal
from router.registry import Registry
from router.settings import Settings, in_checkout
from training.errors import NotPromoted
from training.evaluate import scores
from training.evidence import Evidence, collect
from training.finetune import Recipe
from training.job import Job, Trained, train
from training.rows import read
from training.tables import scores_table

REPORT_FILE = "report.html"
CHECKOUT_DATA = Path(__file__).parent.parent / "data"
WHEEL_DATA = Path(__file__).parent / "shipped"
SEED_FILES = ("seed_tasks.jsonl", "out_of_scope.jsonl")
GOLDEN_FILE = "golden.jsonl"
NO_JOURNAL = "none"


@dataclass(frozen=True)
class Request:
    """The command line's options."""

    data: list[Path] | None
    golden: Path | None
    journal: str | None
    models_dir: Path | None
    encoder: str
    base: str | None
    promote: str
    seed: int
    as_json: bool


def registry(models_dir: Path | None) -> Registry:
    """The registry in `models_dir`, else where the settings say."""
    return Registry(models_dir) if models_dir else Registry.of(Settings())


def shipped_data() -> Path:
    """The folder of the data that came with the program."""
    return CHECKOUT_DATA if in_checkout() else WHEEL_DATA


def run(request: Request) -> None:
    """Train as requested and say how it went.

    Raises:
        NotPromoted: the new version is worse than the served one; it is kept.
    """
    console = Console(stderr=True)
    versions = registry(request.models_dir)
    evidence = _evidence(request.journal)
    job = Job(
        rows=read(request.data or [shipped_data() / name for name in SEED_FILES]),
        golden=read([request.golden or shipped_data() / GOLDEN_FILE]) if _judged_on_golden(request) else (),
        evidence=evidence,
        encoder=request.encoder,
        base=request.base,
        recipe=Recipe(seed=request.seed),
    )
    console.print(f"{len(job.rows)} rows, {len(evidence)} pieces of evidence from the journal", highlight=False)
    trained = _train(job, versions, console)
    promoted = request.promote == "force" or (request.promote == "auto" and trained.verdict.promote)
    if promoted:
        versions.promote(trained.manifest.version)
    _tell(trained, promoted=promoted, as_json=request.as_json)
    if request.promote == "auto" and not promoted:
        raise NotPromoted(trained.manifest.version, trained.verdict.reason)


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


def _judged_on_golden(request: Request) -> bool:
    return request.golden is not None or (request.data is None and (shipped_data() / GOLDEN_FILE).is_file())


def _evidence(journal_url: str | None) -> list[Evidence]:
    if journal_url == NO_JOURNAL:
        return []
    journal = Journal(journal_url or Settings().journal_url())
    try:
        return collect(journal)
    finally:
        journal.close()


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
    found, verdict = trained.manifest.scores, trained.verdict
    if as_json:
        body = {
            "version": trained.manifest.version, "promoted": promoted, "reason": verdict.reason,
            "interval_95": verdict.interval, "scores": found,
        }  # fmt: skip
        sys.stdout.write(json.dumps(body) + "\n")
        return
    console = Console()
    console.print(scores_table(found, scores(trained.champion) if trained.champion else None))
    word = "promoted" if promoted else "kept, not promoted"
    console.print(f"{trained.manifest.version} {word}: {verdict.reason}", highlight=False)
    if promoted:
        console.print("next: [bold]router route[/] 'your task'   back: [bold]train-router rollback[/]")
