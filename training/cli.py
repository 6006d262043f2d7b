"""The `train-router` command."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from router.errors import RouterError
from training.errors import NotPromoted, TrainingError

app = typer.Typer(invoke_without_command=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Train, judge, promote and roll back the router's models.")  # fmt: skip
ModelsDir = Annotated[Path | None, typer.Option("--models-dir", help="Folder of model versions; ROUTER_MODELS_DIR.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback()
def train(
    context: typer.Context,
    data: Annotated[list[Path] | None, typer.Option("--data", help="JSONL to learn from; may be repeated.")] = None,
    golden: Annotated[Path | None, typer.Option(help="JSONL that judges and is never learnt from.")] = None,
    journal: Annotated[str | None, typer.Option(help="Journal's URL; `none` leaves it out.")] = None,
    models_dir: ModelsDir = None,
    encoder: Annotated[Literal["frozen", "finetune"], typer.Option(help="Keep the encoder, or fit one.")] = "frozen",
    base: Annotated[str | None, typer.Option(help="Folder of the base weights for --encoder finetune.")] = None,
    promote: Annotated[Literal["auto", "never", "force"], typer.Option(help="Serve the new version?")] = "auto",
    seed: Annotated[int, typer.Option(help="Same data and seed: same predictions.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Train from data and journal, judge on held-out rows, write a version, promote it if it is not worse."""
    if context.invoked_subcommand is not None:
        return
    from training.command import Request, run

    request = Request(
        data=data, golden=golden, journal=journal, models_dir=models_dir, encoder=encoder, base=base,
        promote=promote, seed=seed, as_json=as_json,
    )  # fmt: skip
    run(request)


@app.command("eval")
def evaluate(
    data: Annotated[list[Path], typer.Option("--data", help="Labelled JSONL; extra keys are ignored.")],
    models_dir: ModelsDir = None,
    as_json: AsJson = False,
) -> None:
    """Score the served model on labelled rows: with abstention and rules as users meet it, and alone."""
    from training import command
    from training.evaluate import judge, scores
    from training.head import predictor_of
    from training.rows import read

    rows = read(data)
    model = command.registry(models_dir).load_current()
    found = {"model_version": model.version, **scores(judge(rows, predictor_of(model), model.policy))}
    print(json.dumps(found)) if as_json else _table(found)


@app.command("list")
def list_versions(models_dir: ModelsDir = None, as_json: AsJson = False) -> None:
    """List the versions; the served one is marked."""
    from training import command

    registry = command.registry(models_dir)
    current = registry.current()
    manifests = registry.versions()
    if as_json:
        print(json.dumps([{**m.model_dump(mode="json"), "served": m.version == current} for m in manifests]))
        return
    for m in manifests:
        accuracy = m.scores.get("platform_accuracy", float("nan"))
        print(f"{'*' if m.version == current else ' '} {m.version}  {accuracy:.1%}  {m.rows} rows  {m.encoder}")
    if not manifests:
        print(f"no versions in {registry.root}; `train-router` makes one", file=sys.stderr)


@app.command()
def promote(version: str, models_dir: ModelsDir = None) -> None:
    """Serve VERSION from now on."""
    from training import command

    command.registry(models_dir).promote(version)
    print(f"{version} is served")


@app.command()
def rollback(models_dir: ModelsDir = None) -> None:
    """Serve the parent of the served version again."""
    from training import command

    print(f"{command.rollback(command.registry(models_dir))} is served")


@app.command()
def report(version: Annotated[str | None, typer.Argument()] = None, models_dir: ModelsDir = None) -> None:
    """Say where the report of VERSION (by default the served one) lies."""
    from training import command

    print(command.report_of(command.registry(models_dir), version))


def entry() -> None:
    """The console script: errors become a sentence on stderr and their exit code."""
    try:
        app()
    except NotPromoted as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except (TrainingError, RouterError) as error:
        print(f"train-router: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        print(
            f"train-router: {error.filename or 'disk'}: {error.strerror}; the served model is untouched",
            file=sys.stderr,
        )
        sys.exit(1)
    except KeyboardInterrupt:
        print("train-router: stopped; the served model is untouched", file=sys.stderr)
        sys.exit(130)


def _table(found: dict[str, Any]) -> None:
    from rich.console import Console

    from training.tables import scores_table

    Console().print(scores_table(found))


if __name__ == "__main__":
    entry()
