"""What `train-router` does: run the job, show progress, promote."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from router.errors import ArtifactError
from router.model.registry import Registry
from router.settings import Settings
from training.errors import Interrupted, NotPromoted
from training.evaluate import scores
from training.job import Job, Trained, train
from training.report import REPORT_FILE
from training.request import Request, job_of
from training.tables import plain, scores_table


def registry(models_dir: Path | None) -> Registry:
    """The registry in `models_dir`, else where the settings say."""
    found = Registry.of(Settings())
    return replace(found, root=models_dir, shipped=None) if models_dir else found


def run(request: Request) -> None:
    """Train as requested and say how it went.

    Raises:
        NotPromoted: the new version is worse than the served one; it is kept.
        GoldenChanged: the golden set was edited.
        Interrupted: Ctrl-C.
    """
    console = Console(stderr=True)
    versions = registry(request.models_dir)
    job = job_of(request, versions)
    pieces = f"{len(job.evidence)} {'piece' if len(job.evidence) == 1 else 'pieces'} of evidence"
    console.print(f"{len(job.rows)} rows, {pieces} from the journal", highlight=False)
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
