"""The `runner` command. Imports what a command needs only when it runs, so that `--help` is quick."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from runner.acceptance import verdict_commands
from runner.commands import run_commands
from runner.commands.hooks import app as hooks_app
from runner.commands.run_commands import PlatformChoice
from runner.commands.run_views import list_runs
from runner.install import cli as install_cli
from runner.mcp.cli import serve as serve_mcp
from runner.memory.cli import app as memory_app
from runner.workflows import commands as workflow_commands
from runner.workflows.cli import app as workflows_app

if TYPE_CHECKING:
    from runner.agent_files.agent_lead import AgentLead
    from runner.settings import Settings

app = typer.Typer(
    name="runner",
    help="Start Claude Code and Codex on tasks, each where it fits, and collect what they did.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
STORAGE = 5
"""Exit code where the system can't read or write a file; as `StorageUnavailable`."""
EXECUTE_OPTIONS = (
    *("--platform", "--workers", "--tasks-file", "--dry-run", "--json", "--yes", "--timeout", "--base"),
    *("--max-cost", "--max-run-cost", "--max-turns"),
    *("--allow-dirty", "--detach", "--tmux", "--agent", "--workflow", "--help"),
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
app.add_typer(memory_app)
app.add_typer(hooks_app)
app.command("mcp")(serve_mcp)
app.command("install")(install_cli.install)
app.command("uninstall")(install_cli.uninstall)
app.add_typer(workflows_app)
app.command("coordinate")(workflow_commands.coordinate)
for command in run_commands.ALL:
    app.command(command.__name__)(command)
app.command("collect")(workflow_commands.collect)
app.command("accept")(verdict_commands.accept)
app.command("reject")(verdict_commands.reject)
app.command("clean")(verdict_commands.clean)


# Words that are no option of ours are tasks, whatever they begin with.
@app.command(context_settings={"ignore_unknown_options": True})
def execute(
    tasks: Annotated[list[str] | None, typer.Argument(help="What should be done, one argument a task.")] = None,
    platform: Annotated[PlatformChoice, typer.Option(help="Who takes the tasks; auto asks the router.")] = "auto",
    workers: Annotated[int | None, typer.Option(min=1, help="Headless sessions at once.")] = None,
    tasks_file: Annotated[Path | None, typer.Option(help="More tasks, one a line; - is stdin.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show decisions and commands, start nothing.")] = False,
    json: Json = False,
    yes: Annotated[bool, typer.Option("--yes", help="Never ask; put hybrid tasks off.")] = False,
    timeout: Annotated[float | None, typer.Option(min=0.1, help="Longest a headless session runs, in s.")] = None,
    base: Annotated[str, typer.Option(help="Commit or branch that workers start from.")] = "HEAD",
    max_cost: Annotated[float | None, typer.Option(min=0.01, help="Most a session may cost, in USD.")] = None,
    max_run_cost: Annotated[float | None, typer.Option(min=0.01, help="Most all sessions may cost, in USD.")] = None,
    max_turns: Annotated[int | None, typer.Option(min=1, help="Most model calls of a session.")] = None,
    allow_dirty: Annotated[bool, typer.Option("--allow-dirty", help="Start without your uncommitted changes.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Don't wait: print the run, and leave.")] = False,
    tmux: Annotated[bool, typer.Option("--tmux", help="Interactive tasks get a window of tmux.")] = False,
    agent: Annotated[Path | None, typer.Option(help="An agent file: its modes choose, its hooks run.")] = None,
    workflow: Annotated[str, typer.Option(help="Carry the tasks out by this workflow, a name or a file.")] = "",
) -> None:
    """Route each task, run the headless ones in parallel and the interactive ones in this terminal."""
    from runner.runs.executor import ensure_worker
    from runner.settings import read_settings

    settings = read_settings()
    if not dry_run and platform != "claude-code":
        ensure_worker(settings.data_folder())  # before all else: it takes half a second to start
    from router.labels import Platform
    from runner.commands import summary
    from runner.orders.execute import Order
    from runner.orders.execute import execute as carry_out
    from runner.orders.preview import preview, preview_json, print_previews
    from runner.tasks.tasks import read_wanted, taken_for_tasks
    from runner.terminal.progress import open_progress

    progress = open_progress()
    lead = _lead(agent, settings, yes=yes or dry_run) if agent else None
    settings = lead.settings(settings) if lead else settings
    settings = settings.model_copy(update={"tmux": True}) if tmux else settings
    for word, option in taken_for_tasks(tasks or (), EXECUTE_OPTIONS):
        progress.note(f"{word} is taken as a task; the option is called {option}")
    order = Order(
        tasks=read_wanted(tasks or (), tasks_file),
        platform=None if platform == "auto" else Platform(platform),
        base=base, workers=workers, timeout_s=timeout, max_cost_usd=max_cost, yes=yes,
        max_turns=max_turns, max_run_cost_usd=max_run_cost, allow_dirty=allow_dirty, detach=detach, lead=lead,
    )  # fmt: skip
    if workflow:
        workflow_commands.execute_by(workflow, order, settings, dry_run=dry_run, json=json)
    if dry_run:
        previews = preview(order, settings, Path.cwd(), progress)
        summary.print_json(preview_json(previews)) if json else print_previews(previews)
        return
    report = carry_out(order, settings, Path.cwd(), progress)
    summary.print_json(summary.report_json(report)) if json else summary.print_report(report)
    raise typer.Exit(report.exit_code)


@app.command()
def status(json: Json = False) -> None:
    """List the runs of this repository."""
    from runner.settings import read_settings

    if not json:
        list_runs(read_settings().data_folder())
        return
    from runner.commands import summary
    from runner.commands.run_views import open_archive

    entries = open_archive().entries()
    summary.print_json({"tasks": [summary.entry_json(entry) for entry in entries]})


@app.command()
def doctor(json: Json = False) -> None:
    """Check that everything is there that a run needs."""
    from dataclasses import asdict

    from runner.commands import summary
    from runner.commands.doctor import examine, is_runnable
    from runner.settings import read_settings

    checks = examine(read_settings(), Path.cwd())
    runnable = is_runnable(checks)
    if json:
        summary.print_json({"runnable": runnable, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            mark = "ok     " if check.ok else "MISSING" if check.required else "without"
            typer.echo(f"{mark}  {check.name}: {check.found}")
    raise typer.Exit(0 if runnable else 1)


@app.command("demo-provider")
def demo_provider(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 is any free one.")] = 0,
    home: Annotated[Path, typer.Option(help="Scratch home of both programs.")] = Path(".demo-home"),
    repo: Annotated[list[Path] | None, typer.Option(help="Repository that both programs trust.")] = None,
    scripts: Annotated[Path | None, typer.Option(help="What to play; without it the built-in scripts.")] = None,
) -> None:
    """Serve a scripted model that the real `claude` and `codex` can be tried with, without an account."""
    from runner.provider.server import serve

    serve(port, home.absolute(), scripts, repo or ())


def _lead(file: Path, settings: "Settings", *, yes: bool) -> "AgentLead":
    from runner.agent_files.agent_lead import AgentLead

    return AgentLead.open(file, settings, yes=yes)


def entry() -> None:
    """Run the command line; an error that we know becomes a sentence on stderr and its exit code."""
    try:
        app()
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror}", STORAGE)
    except Exception as error:
        # Ours and the router's errors know their exit code; importing the router's would slow every command.
        if not hasattr(error, "exit_code"):
            raise
        _fail(str(error), error.exit_code)


def _fail(sentence: str, code: int) -> NoReturn:
    sys.stderr.write(f"runner: {sentence}\n")
    sys.exit(code)
