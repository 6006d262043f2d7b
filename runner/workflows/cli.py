"""`runner workflows …`: what workflows there are, and whether a file can be carried out."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(
    name="workflows",
    help="List, show and check workflows: phases of sessions that pass their work on.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Named = Annotated[str, typer.Argument(help="A workflow's name, or a file: what has a / or ends with .yaml.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Form = Literal["picture", "mermaid", "svg"]


@app.command("list")
def list_workflows(json: Json = False) -> None:
    """List the built-in workflows and those of this repository."""
    from runner.workflows.catalog import listed

    found = listed(_root())
    if json:
        rows = [
            {"name": one.name, "own": one.own, "path": str(one.path), "problem": one.problem or None,
             "description": one.workflow.description if one.workflow else None}
            for one in found
        ]  # fmt: skip
        _print({"workflows": rows})
        return
    for one in found:
        told = one.workflow.description if one.workflow else f"can't be carried out: {one.problem.splitlines()[0]}"
        typer.echo(f"{one.name:<24} {'own     ' if one.own else 'built in'}  {told}")


@app.command()
def show(name: Named, json: Json = False) -> None:
    """Show the phases of a workflow, as they are carried out."""
    from runner.workflows.catalog import find
    from runner.workflows.graph import manner

    workflow = find(name, _root())
    if json:
        _print(workflow.model_dump(mode="json"))
        return
    typer.echo(f"{workflow.name}: {workflow.description}")
    for phase in workflow.phases:
        after = f", after {', '.join(phase.after)}" if phase.after else ""
        typer.echo(f"{phase.name}: {phase.kind}, {manner(phase)}{after}; on failure {phase.on_failure}")
        for line in (*phase.tasks, *(f"{one.name} ({one.role}): {one.task or 'its share'}" for one in phase.workers)):
            typer.echo(f"  - {' '.join(line.split())}")


@app.command()
def validate(names: Annotated[list[str], typer.Argument(help="Names or files.")], json: Json = False) -> None:
    """Check workflows; each problem is told with file, line and column."""
    from dataclasses import asdict

    from runner.workflows.catalog import find
    from runner.workflows.errors import WorkflowInvalid

    problems: list[dict[str, Any]] = []
    for name in names:
        try:
            workflow = find(name, _root())
        except WorkflowInvalid as error:
            problems += [{"file": error.source, **asdict(one)} for one in error.problems]
            typer.echo(str(error), err=True)
        else:
            if not json:
                typer.echo(f"{name}: good, {len(workflow.phases)} phases, {len(list(workflow.workers()))} workers")
    if json:
        _print({"valid": not problems, "problems": problems})
    raise typer.Exit(2 if problems else 0)


@app.command()
def graph(
    name: Named,
    form: Annotated[Form, typer.Option("--format", help="A picture here, Mermaid text, or an SVG file.")] = "picture",
    output: Annotated[Path | None, typer.Option(help="Write it there instead of to stdout.")] = None,
) -> None:
    """Draw a workflow."""
    from rich.console import Console

    from runner.storage import write_whole
    from runner.workflows import graph as pictures
    from runner.workflows.catalog import find

    workflow = find(name, _root())
    if form == "picture" and output is None:
        console = Console(width=pictures.WIDTH)
        for part in pictures.drawing(workflow):
            console.print(part)
        return
    text = pictures.mermaid(workflow) if form == "mermaid" else pictures.svg(workflow)
    if output is None:
        sys.stdout.write(text)
    else:
        write_whole(output.absolute(), text)
        typer.echo(f"{output}: written")


@app.command()
def schema() -> None:
    """Print the JSON Schema of workflow files, for editors."""
    from runner.workflows.schema import json_schema

    _print(json_schema())


def _root() -> Path:
    """The repository's top folder; the current one where there is no repository."""
    from runner.checkout.repository import Repository
    from runner.errors import RepositoryUnusable

    try:
        return Repository.around(Path.cwd()).root
    except RepositoryUnusable:
        return Path.cwd()


def _print(value: dict[str, Any]) -> None:
    import json

    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
