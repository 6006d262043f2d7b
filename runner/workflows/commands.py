"""`runner coordinate`, `runner resume` and `runner collect`."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from runner.workflows.state import RunState

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def coordinate(
    task: Annotated[str, typer.Option(help="What should be done.")],
    workflow: Annotated[str, typer.Option(help="A workflow's name, or a file.")] = "hybrid_development",
    var: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of the workflow; may be repeated.")] = None,
    interactive: Annotated[bool, typer.Option(help="Have the phases with a person in this terminal.")] = True,
    workers: Annotated[int | None, typer.Option(min=1, help="Headless sessions at once.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0.1, help="Longest a headless session runs, in s.")] = None,
    max_cost: Annotated[float | None, typer.Option(min=0.01, help="Most a session may cost, in USD.")] = None,
    base: Annotated[str, typer.Option(help="Commit or branch that the work starts from.")] = "HEAD",
    json: Json = False,
) -> None:
    """Carry a workflow out: phases of sessions that pass their work on through the shared memory."""
    from runner.execute import Order
    from runner.progress import open_progress
    from runner.settings import read_settings
    from runner.tasks import read_tasks
    from runner.workflows.start import Wish
    from runner.workflows.start import coordinate as carry_out

    order = Order((), base=base, workers=workers, timeout_s=timeout, max_cost_usd=max_cost)
    wish = Wish(workflow, read_tasks((task,), None)[0], _variables(var or []), interactive, order)
    _, state = carry_out(wish, read_settings(), Path.cwd(), open_progress())
    _end(state, json=json)


def resume(
    run: Annotated[str, typer.Argument(help="The run of a workflow; its beginning is enough.")],
    verdict: Annotated[
        Literal["accept", "rework", "reject"] | None, typer.Option(help="Your verdict, where a review waits for it.")
    ] = None,
    notes: Annotated[str, typer.Option(help="With --verdict rework: what has to change, one point a line.")] = "",
    json: Json = False,
) -> None:
    """Go on with a workflow at the first phase that is not done."""
    from runner.progress import open_progress
    from runner.settings import read_settings
    from runner.workflows.start import resume as go_on

    _, state = go_on(run, read_settings(), Path.cwd(), open_progress(), verdict, notes)
    _end(state, json=json)


def collect(
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where the results lie.")] = "results",
    form: Annotated[Literal["summary", "detailed", "json"], typer.Option("--format", help="How much of them.")] = (
        "summary"
    ),
    containing: Annotated[str, typer.Option("--filter", help="Only keys that contain this.")] = "",
    run: Annotated[str, typer.Option("--run", envvar="RUNNER_RUN_ID", help="Only what this run sees.")] = "",
) -> None:
    """Print the results that workers stored."""
    from runner.memory.opening import open_memory
    from runner.settings import read_settings
    from runner.workflows.report import collected, print_collected

    with closing(open_memory(read_settings(), Path.cwd(), run=run)) as memory:
        entries = collected(memory, namespace, containing)
    print_collected(entries, namespace, form)


def _variables(given: list[str]) -> dict[str, str]:
    from runner.errors import BadInput

    pairs = [one.partition("=") for one in given]
    for name, sign, _ in pairs:
        if not (name and sign):
            raise BadInput(f"--var {name}: write it as NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _end(state: "RunState", *, json: bool) -> None:
    from runner.memory.opening import open_memory
    from runner.memory.view import RESULTS
    from runner.settings import read_settings
    from runner.workflows import report
    from runner.workflows.start import exit_code

    with closing(open_memory(read_settings(), Path.cwd(), run=state.run_id)) as memory:
        entries = report.collected(memory, RESULTS)
    report.print_json(state, entries) if json else report.print_state(state, entries)
    raise typer.Exit(exit_code(state))
