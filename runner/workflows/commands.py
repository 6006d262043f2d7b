"""`runner coordinate`, `runner resume` and `runner collect`."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from runner.memory.entry import Entry
    from runner.orders.opening import Order
    from runner.settings import Settings
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
    allow_dirty: Annotated[bool, typer.Option("--allow-dirty", help="Start without your uncommitted changes.")] = False,
    design: Annotated[str, typer.Option(help="Key of a design in the memory; the design phase is left out.")] = "",
    tmux: Annotated[bool, typer.Option("--tmux", help="Phases with a person get windows of tmux.")] = False,
    json: Json = False,
) -> None:
    """Carry a workflow out: phases of sessions that pass their work on through the shared memory."""
    from runner.orders.execute import Order
    from runner.settings import read_settings
    from runner.tasks.tasks import read_tasks
    from runner.terminal.progress import open_progress
    from runner.workflows.start import coordinate as carry_out
    from runner.workflows.wish import Wish

    order = Order(
        (), base=base, workers=workers, timeout_s=timeout, max_cost_usd=max_cost, allow_dirty=allow_dirty
    )  # fmt: skip
    wish = Wish(workflow, read_tasks((task,), None)[0], _variables(var or []), interactive, design, order)
    settings = read_settings()
    settings = settings.model_copy(update={"tmux": True}) if tmux else settings
    _, state = carry_out(wish, settings, Path.cwd(), open_progress())
    show_end(state, json=json)


def resume(
    run: Annotated[str, typer.Argument(help="The run of a workflow; its beginning is enough.")],
    verdict: Annotated[
        Literal["accept", "rework", "reject"] | None, typer.Option(help="Your verdict, where a review waits for it.")
    ] = None,
    notes: Annotated[str, typer.Option(help="With --verdict rework: what has to change, one point a line.")] = "",
    skip: Annotated[list[str] | None, typer.Option(help="Leave this phase out; may be repeated.")] = None,
    retry: Annotated[
        list[str] | None, typer.Option(help="Do this phase again, and what comes after it; may be repeated.")
    ] = None,
    interactive: Annotated[
        bool | None, typer.Option(help="Have the phases with a person in this terminal; default: as before.")
    ] = None,
    json: Json = False,
) -> None:
    """Go on with a workflow at what is not done."""
    from runner.settings import read_settings
    from runner.terminal.progress import open_progress
    from runner.workflows.start import resume as go_on
    from runner.workflows.wish import Change

    change = Change(verdict, notes, tuple(skip or ()), tuple(retry or ()), interactive)
    _, state = go_on(run, read_settings(), Path.cwd(), open_progress(), change=change)
    show_end(state, json=json)


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


def execute_by(
    workflow: str, order: "Order", settings: "Settings", *, dry_run: bool = False, json: bool = False
) -> NoReturn:
    """Carry the tasks of an order out by one workflow, one after the other, and end the command.

    A person has the phases that want one, unless the order says never to ask. Raises `RunnerError`, `RouterError`.
    """
    from runner.errors import BadInput
    from runner.terminal.progress import open_progress
    from runner.workflows import report
    from runner.workflows.start import coordinate as carry_out
    from runner.workflows.start import exit_code
    from runner.workflows.wish import Wish

    if order.lead:
        raise BadInput("--agent and --workflow: an agent file leaves the workflow to the router; say one of them")
    if any(wanted.after or wanted.platform for wanted in order.tasks):
        raise BadInput("--workflow takes tasks one after the other; leave their `after` and `platform` out")
    if dry_run:
        _foretell(workflow, [wanted.task for wanted in order.tasks], json=json)
        raise typer.Exit
    states = []
    for wanted in order.tasks:
        wish = Wish(workflow, wanted.task, {}, interactive=not order.yes, order=order)
        states.append(carry_out(wish, settings, Path.cwd(), open_progress())[1])
        if not json:
            report.print_state(states[-1], _results(states[-1]))
    if json:
        report.print_states([(state, _results(state)) for state in states])
    raise typer.Exit(max(exit_code(state) for state in states))


def _foretell(workflow: str, tasks: list[str], *, json: bool) -> None:
    """Say what would be done."""
    from runner.checkout.repository import Repository
    from runner.workflows.catalog import find
    from runner.workflows.report import print_workflow

    print_workflow(find(workflow, Repository.around(Path.cwd()).root), tasks, json=json)


def _results(state: "RunState") -> "list[Entry]":
    from runner.memory.opening import open_memory
    from runner.memory.view import RESULTS
    from runner.settings import read_settings
    from runner.workflows.report import collected

    with closing(open_memory(read_settings(), Path.cwd(), run=state.run_id)) as memory:
        return collected(memory, RESULTS)


def _variables(given: list[str]) -> dict[str, str]:
    from runner.errors import BadInput

    pairs = [one.partition("=") for one in given]
    for name, sign, _ in pairs:
        if not (name and sign):
            raise BadInput(f"--var {name}: write it as NAME=VALUE")
    return {name: value for name, _, value in pairs}


def show_end(state: "RunState", *, json: bool) -> NoReturn:
    """Print what a run came to, and end the command with its exit code."""
    from runner.workflows import report
    from runner.workflows.start import exit_code

    entries = _results(state)
    report.print_json(state, entries) if json else report.print_state(state, entries)
    raise typer.Exit(exit_code(state))
