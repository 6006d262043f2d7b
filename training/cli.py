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
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="JSONL to learn from, or `seed`; repeatable.")
    ] = None,
    golden: Annotated[Path | None, typer.Option(help="JSONL that judges and is never learnt from.")] = None,
    labels: Annotated[Path | None, typer.Option(help="YAML of other labels than the shipped ones.")] = None,
    journal: Annotated[str | None, typer.Option(help="Journal's URL; `none` leaves it out.")] = None,
    models_dir: ModelsDir = None,
    encoder: Annotated[Literal["frozen", "finetune"], typer.Option(help="Keep the encoder, or fit one.")] = "frozen",
    base: Annotated[str | None, typer.Option(help="Where finetune starts: served, packaged, or a folder.")] = None,
    promote: Annotated[Literal["auto", "never", "force"], typer.Option(help="Serve the new version?")] = "auto",
    seed: Annotated[int, typer.Option(help="Same data and seed: same predictions.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Train from data and journal, judge on held-out rows, write a version, promote it if it is not worse."""
    if context.invoked_subcommand is not None:
        return
    from training.command import run
    from training.request import Request

    request = Request(
        data=data, golden=golden, labels=labels, journal=journal, models_dir=models_dir, encoder=encoder, base=base,
        promote=promote, seed=seed, as_json=as_json,
    )  # fmt: skip
    run(request)


@app.command("eval")
def evaluate(
    data: Annotated[list[Path], typer.Option("--data", help="Labelled JSONL; extra keys are ignored.")],
    labels: Annotated[Path | None, typer.Option(help="YAML of the labels, if not the shipped ones.")] = None,
    models_dir: ModelsDir = None,
    as_json: AsJson = False,
) -> None:
    """Score the served model on labelled rows: with abstention and rules as users meet it, and alone."""
    from training import command
    from training.evaluate import judge, scores
    from training.head import predictor_of
    from training.rows import read
    from training.tables import plain
    from training.taxonomy import Taxonomy

    model = command.registry(models_dir).load_current()
    taxonomy = Taxonomy.open(labels) if labels else Taxonomy.of(model.manifest.labels)
    judged = judge(read(data, taxonomy), predictor_of(model), model.policy)
    found = {"model_version": model.version, **scores(judged, taxonomy.aim(model.policy))}
    print(json.dumps(plain(found))) if as_json else _table(found)


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
        judged_by = "in_scope_accuracy" if "type_interval_95" in m.scores else "platform_accuracy"
        accuracy = m.scores.get(judged_by) or float("nan")
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


@app.command("import-history")
def import_history(
    claude: Annotated[Path, typer.Option(envvar="CLAUDE_CONFIG_DIR", help="Claude Code's folder.")] = Path("~/.claude"),
    codex: Annotated[Path, typer.Option(envvar="CODEX_HOME", help="Codex's folder.")] = Path("~/.codex"),
    out: Annotated[Path | None, typer.Option(help="Rows go here; `history.jsonl` in the data folder.")] = None,
    review: Annotated[bool, typer.Option(help="Look over the rows it is least sure of.")] = True,
    at_most: Annotated[int, typer.Option(min=1, help="Most rows to look over now.")] = 50,
    models_dir: ModelsDir = None,
    as_json: AsJson = False,
) -> None:
    """Turn your own Claude Code and Codex prompts into rows to train on. Nothing leaves the machine."""
    from training import command
    from training.history import Sources
    from training.history import import_history as run

    sources = Sources(claude.expanduser(), codex.expanduser(), out)
    run(sources, command.registry(models_dir).load_current(), reviewing=review, at_most=at_most, as_json=as_json)


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
        file = error.filename2 or error.filename or "disk"
        print(f"train-router: {file}: {error.strerror}; the served model is untouched", file=sys.stderr)
        sys.exit(1)


def _table(found: dict[str, Any]) -> None:
    from rich.console import Console

    from training.tables import scores_table

    Console().print(scores_table(found))


if __name__ == "__main__":
    entry()
