"""`runner hooks route`: who should take a task, as `claude-flow hooks route` is asked."""

import sys
from contextlib import closing
from typing import Annotated

import typer

app = typer.Typer(name="hooks", help="Ask what hooks of other tools ask.", no_args_is_help=True, rich_markup_mode=None)
NEXT = {
    "claude-code": "do it in this conversation, or `runner execute` it in a terminal",
    "codex": "runner execute --platform codex TASK",
    "hybrid": "runner coordinate --workflow {workflow} --task TASK",
}


@app.callback()
def hooks() -> None:
    """Ask what hooks of other tools ask."""


@app.command()
def route(
    task: Annotated[str, typer.Option(help="What should be done.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Say who should take a task, and why; starts nothing."""
    from runner.orders.opening import open_routing
    from runner.settings import read_settings
    from runner.tasks.tasks import read_tasks

    (checked,) = read_tasks((task,), None)
    with closing(open_routing(read_settings())) as routing:
        decision = routing.route(checked)
    if json:
        sys.stdout.write(decision.model_dump_json() + "\n")
        return
    unsure = "; a person should confirm" if decision.needs_confirmation else ""
    typer.echo(f"{decision.platform} ({decision.mode}), {decision.confidence:.0%} by {decision.source}{unsure}")
    typer.echo(f"  why: {decision.reason}")
    typer.echo(f"  next: {NEXT.get(decision.platform, 'runner execute TASK').format(workflow=decision.workflow)}")
