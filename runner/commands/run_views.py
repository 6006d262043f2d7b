"""Runs as commands find and show them."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from runner.runs.state import WORKFLOW_FILE

if TYPE_CHECKING:
    from runner.runs.archive import Archive
    from runner.runs.records import Entry
    from runner.runs.submission import RunFolder


ANSWER = 'runner resume {run_id} {worker} --answer "…"'
MOST_LINES = 20
"""Tasks of a run that are listed one by one."""


def find(run: str, worker: str | None = None) -> "tuple[Archive, list[Entry]]":
    """The tasks of the run whose id begins so, the latest if none is named; raises `BadInput`."""
    from runner.runs.history import find_entries

    archive = open_archive()
    return archive, find_entries(archive, run or latest(), worker)


def latest() -> str:
    """The latest run of this repository; raises `BadInput` where there is none."""
    from runner.errors import BadInput

    runs = open_archive().folder / "runs"
    names = {path.parent.parent.name for path in runs.glob("*/*/run.json")}
    names |= {path.parent.name for path in runs.glob(f"*/{WORKFLOW_FILE}")}
    if not names:
        raise BadInput("there is no run in this repository yet; `runner execute` starts one")
    return max(names)


def is_workflow(run: str) -> bool:
    """True where a run of this name is one of a workflow; one that isn't there is none."""
    archive = open_archive()
    return any(path.parent.name.startswith(run) for path in (archive.folder / "runs").glob(f"*/{WORKFLOW_FILE}"))


def open_archive() -> "Archive":
    """The runs of the repository that the caller stands in."""
    from runner.checkout.repository import Repository
    from runner.runs.archive import Archive
    from runner.settings import read_settings

    return Archive.of(Repository.around(Path.cwd()), read_settings().data_folder())


def refuse_worker(run: str, worker: str | None, answer: str | None) -> None:
    """Raise `BadInput` where one session of a workflow is named or answered: it goes on as a whole."""
    from runner.errors import BadInput

    if worker is not None or answer is not None:
        raise BadInput(
            f"run {run} is a workflow's, which goes on as a whole: `runner resume {run}`; what a session asked is "
            "answered to its phase, `--retry PHASE`, or by --verdict rework --notes"
        )


def list_runs(home: Path) -> None:
    """Print one line a task, the runs one below the other; of a run with many tasks, how many stand where."""
    import sys
    from collections import Counter

    from runner.checkout.repository import Repository
    from runner.runs.standing import standings

    repository = Repository.around(Path.cwd())
    archive = home / "repositories" / repository.key
    if not archive.exists():
        from runner.runs.archive import Archive  # the repository may have been moved

        archive = Archive.of(repository, home).folder
    for run_id, tasks in standings(archive):
        counts = Counter(task.state for task in tasks)
        told = ", ".join(f"{count} {state}" for state, count in counts.items())
        sys.stdout.write(f"{run_id}  {told}\n")
        shown = tasks
        if len(tasks) > MOST_LINES:
            sys.stdout.write(f"  `runner status --json` lists all {len(tasks)}\n")
            shown = [task for task in tasks if task.state not in {"queued", "succeeded"}][:MOST_LINES]
        width = max((len(task.folder.name) for task in shown), default=0)
        for task in shown:
            sys.stdout.write(f"  {task.folder.name:<{width}}  {task.state:<11}  {task.branch}".rstrip() + "\n")
            if task.state == "needs_input" and not (task.folder.parent / WORKFLOW_FILE).exists():
                sys.stdout.write("    next: " + ANSWER.format(run_id=run_id, worker=task.folder.name) + "\n")


def follow_run(run_id: str, *, json: bool) -> int:
    """Show a run until it has ended, then what came of it; returns the exit code."""
    import threading

    from runner.orders.follow import Follower
    from runner.runs.submission import RunFolder
    from runner.terminal.progress import open_progress
    from runner.terminal.signals import stopping

    _, entries = find(run_id)
    folder, progress, leave = RunFolder(entries[0].folder.parent), open_progress(), threading.Event()
    if folder.submission and not folder.has_ended:
        with stopping(leave), progress.shown():
            follower = Follower(folder, progress)
            follower.alone.set()
            follower.to_the_end(threading.Event(), leave)
        if leave.is_set():
            progress.note(f"run {run_id} goes on; `runner watch {run_id}` comes back to it")
    return show(run_id, json=json)


def follow_workflow(run: str, *, json: bool) -> NoReturn:
    """Show a workflow until nobody carries it out any more, then what came of it; ends the command."""
    import threading

    from runner.commands.workflow_watch import WorkflowWatch
    from runner.terminal.progress import open_progress
    from runner.terminal.signals import stopping
    from runner.workflows.commands import show_end
    from runner.workflows.state import Ledger, Stand

    archive = open_archive()
    ledger, progress, leave = Ledger.find(archive, run), open_progress(), threading.Event()
    with stopping(leave), progress.shown():
        state = WorkflowWatch(archive, ledger, progress).to_the_end(leave)
    if leave.is_set():
        progress.note(f"run {state.run_id} goes on; `runner watch {state.run_id}` comes back to it")
    elif state.stand is Stand.RUNNING:
        progress.note(f"nobody carries run {state.run_id} out any more; `runner resume {state.run_id}` goes on with it")
    show_end(state, json=json)


def sit_down(entry: "Entry", *, json: bool) -> int:
    """Have a task that waits for a person, tell the router, and show the run; returns the exit code."""
    from dataclasses import replace

    from runner.commands.control import attach as sit
    from runner.orders.opening import Order, open_routing, open_run
    from runner.outcomes.outbox import Outbox
    from runner.outcomes.outcomes import tell
    from runner.runs.state import State
    from runner.settings import read_settings
    from runner.terminal.progress import open_progress
    from runner.terminal.signals import stopping

    settings, record = read_settings(), entry.record
    run = replace(open_run(Order(()), settings, record.cwd, open_progress()), id=record.run_id)
    with closing(open_routing(settings)) as routing, stopping(run.stop, run.leave):
        closed = sit(entry, run, settings)
        if closed.state is not State.WAITING:
            tell(closed, Outbox(settings.data_folder() / "outbox", routing))
    return show(record.run_id, json=json)


def show(run_id: str, *, json: bool) -> int:
    """Print what a run came to; returns the exit code."""
    from runner.checkout.repository import Repository
    from runner.commands import summary
    from runner.orders.report import Report

    archive, entries = find(run_id)
    report = Report.of(archive, entries[0].record.run_id, Repository.around(Path.cwd()).root)
    summary.print_json(summary.report_json(report)) if json else summary.print_report(report)
    return report.exit_code


def go_on_with(folder: "RunFolder", *, detach: bool, json: bool) -> NoReturn:
    """Follow a run that was submitted again, or say how to come back to it; ends the command."""
    if not detach:
        raise typer.Exit(follow_run(folder.path.name, json=json))
    step = f"runner watch {folder.path.name}"
    tell_facts(
        {"run_id": folder.path.name, "next": [step]}, json=json, text=f"run {folder.path.name} goes on; `{step}`"
    )
    raise typer.Exit(0)


def tell_facts(facts: dict[str, Any], *, json: bool, text: str) -> None:
    """Print facts for programs, or a text for people."""
    from runner.commands.summary import print_json

    print_json(facts) if json else typer.echo(text)
