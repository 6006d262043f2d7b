"""What is done with runs: `runner watch`, `logs`, `cancel`, `resume`, `retry`, `attach`, `feedback` and others."""

import os
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer

from runner.commands.run_views import (
    find,
    follow_run,
    follow_workflow,
    go_on_with,
    is_workflow,
    latest,
    refuse_worker,
    sit_down,
    tell_facts,
)

RunId = Annotated[str, typer.Argument(help="The run, as `runner status` lists it; its beginning is enough.")]
LatestRun = Annotated[str, typer.Argument(help="The run; its beginning is enough. Without one, the latest.")]
Worker = Annotated[str | None, typer.Argument(help="One worker of it; its number is enough.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
PlatformChoice = Literal["auto", "claude-code", "codex", "hybrid"]
Detach = Annotated[bool, typer.Option("--detach", help="Don't wait for the end.")]
Longer = Annotated[float | None, typer.Option(min=0.1, help="Further time for each session, in s.")]


def watch(run: LatestRun = "", json: Json = False) -> None:
    """Follow a run to its end; Ctrl-C stops watching, not the run."""
    run = run or latest()
    if is_workflow(run):
        follow_workflow(run, json=json)
    _, entries = find(run)
    raise typer.Exit(follow_run(entries[0].record.run_id, json=json))


def logs(
    run: RunId,
    worker: Worker = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the tasks have ended.")] = False,
) -> None:
    """Print what the agents of a run told."""
    from runner.runs.history import follow_log, read_log

    archive, entries = find(run, worker)
    for entry in entries:
        typer.echo(f"== {entry.record.worker}: {entry.state}, files in {entry.folder}")
        for line in follow_log(archive, entry) if follow else read_log(entry):
            typer.echo(line)


def cancel(run: RunId, worker: Worker = None, json: Json = False) -> None:
    """End a run, or one task of it; what was done is kept on its branches."""
    from runner.commands.control import cancel as have_it_end
    from runner.runs.submission import RunFolder

    _, entries = find(run, worker)
    folder, run_id = RunFolder(entries[0].folder.parent), entries[0].record.run_id
    have_it_end(folder, entries, worker)
    steps = [f"runner watch {run_id}", f"runner resume {run_id}"]
    tell_facts({"run_id": run_id, "cancelled": [one.record.worker for one in entries], "next": steps}, json=json,
          text=f"run {run_id} is being ended; `{steps[0]}` shows how, `{steps[1]}` goes on with it")  # fmt: skip


def resume(
    run: RunId,
    worker: Worker = None,
    answer: Annotated[
        str | None, typer.Option(help="What a session is told that ended with a question; it goes on with it.")
    ] = None,
    verdict: Annotated[
        Literal["accept", "rework", "reject"] | None, typer.Option(help="Your verdict, where a review waits for it.")
    ] = None,
    notes: Annotated[str, typer.Option(help="With --verdict rework: what has to change, one point a line.")] = "",
    skip: Annotated[list[str] | None, typer.Option(help="Of a workflow: leave this phase out.")] = None,
    retry: Annotated[
        list[str] | None, typer.Option(help="Of a workflow: do this phase and what follows again.")
    ] = None,
    interactive: Annotated[
        bool | None, typer.Option(help="Of a workflow: have the phases with a person in this terminal.")
    ] = None,
    timeout: Longer = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Go on with a run that was stopped or interrupted, each session where it stood; or with a workflow."""
    if is_workflow(run):
        from runner.workflows.commands import resume as go_on

        refuse_worker(run, worker, answer)
        go_on(run, verdict=verdict, notes=notes, skip=skip, retry=retry, interactive=interactive, json=json)
        return
    from runner.commands.control import Again
    from runner.settings import read_settings
    from runner.terminal.progress import open_progress

    _, entries = find(run, worker)
    again = Again(read_settings(), Path.cwd(), open_progress(), timeout)
    folder = again.resume(entries) if answer is None else again.answer(entries, answer)
    go_on_with(folder, detach=detach, json=json)


def retry(
    run: RunId, worker: Worker = None, timeout: Longer = None, detach: Detach = False, json: Json = False
) -> None:
    """Do again what did not succeed: new sessions, from where the first ones began."""
    from runner.commands.control import Again
    from runner.settings import read_settings
    from runner.terminal.progress import open_progress

    _, entries = find(run, worker)
    folder = Again(read_settings(), Path.cwd(), open_progress(), timeout).retry(entries)
    go_on_with(folder, detach=detach, json=json)


def attach(run: LatestRun = "", worker: Worker = None, json: Json = False) -> None:
    """Have what waits for a person now, in this terminal: a task, or the phase of a workflow."""
    run = run or latest()
    if is_workflow(run):
        from runner.workflows.commands import resume as go_on

        go_on(run, interactive=True, json=json)
        return
    from runner.errors import BadInput
    from runner.runs.interactive import has_window
    from runner.runs.state import State
    from runner.terminal.terminal import has_terminal

    _, entries = find(run, worker)
    waiting = [entry for entry in entries if worker or entry.state is State.WAITING or has_window(entry)]
    if not waiting:
        raise BadInput(f"nothing of run {entries[0].record.run_id} waits for a person; `runner status` shows the runs")
    if not has_terminal():
        raise BadInput("there is no terminal here; attach where a person sits")
    raise typer.Exit(sit_down(waiting[0], json=json))


def feedback(
    decision_id: Annotated[str, typer.Argument(help="The decision's id, as `runner execute` shows it.")],
    good: Annotated[bool, typer.Option("--good", help="The decision was right.")] = False,
    bad: Annotated[bool, typer.Option("--bad", help="The decision was wrong.")] = False,
    should_be: Annotated[PlatformChoice | None, typer.Option(help="The platform it should have been.")] = None,
) -> None:
    """Tell the router whether a decision was right; the next training learns from it."""
    from router.labels import Platform
    from router.schemas import Feedback
    from runner.errors import BadInput
    from runner.orders.opening import open_routing
    from runner.outcomes.outbox import Outbox
    from runner.settings import read_settings

    if [good, bad, should_be is not None].count(True) != 1 or should_be == "auto":
        raise BadInput("say one of --good, --bad and --should-be claude-code|codex|hybrid")
    verdict: Literal["good", "bad"] = "good" if good else "bad"
    try:
        correction = Feedback(
            decision_id=decision_id, verdict=verdict, platform=Platform(should_be) if should_be else None
        )
    except ValueError as error:
        raise BadInput(f"{decision_id!r} is no decision id; `runner execute` shows them") from error
    settings = read_settings()
    with closing(open_routing(settings)) as routing:
        Outbox(settings.data_folder() / "outbox", routing).flush()  # the decision itself may lie there
        routing.record_feedback(correction)
    typer.echo(f"{decision_id}: noted")


def send() -> None:
    """Send the outcomes that the router does not have yet."""
    from runner.orders.opening import open_routing
    from runner.outcomes.outbox import Outbox
    from runner.settings import read_settings

    settings = read_settings()
    with closing(open_routing(settings)) as routing:
        left = Outbox(settings.data_folder() / "outbox", routing).flush()
    typer.echo(f"outcomes that the router does not have yet: {left}")


def worker() -> None:
    """Carry out submitted runs in this terminal; `runner execute` starts such a process by itself where none lives."""
    from runner.errors import Busy
    from runner.pace import Pace
    from runner.runs.executor import executor_folder, take_lock
    from runner.settings import read_settings
    from runner.worker.worker import serve

    home = read_settings().data_folder()
    lock = take_lock(home)
    if lock is None:
        raise Busy(executor_folder(home) / "lock", 0)
    serve(home, Pace.read(os.environ), lock)


ALL = (feedback, watch, logs, cancel, resume, retry, attach, send, worker)
