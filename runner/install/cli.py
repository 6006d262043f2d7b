"""`runner install` and `runner uninstall`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from runner.install.layout import Program, Scope
    from runner.install.piece import Pieces
    from runner.install.plan import Plan

AgentProgram = Annotated[Literal["claude", "codex"], typer.Argument(help="Claude Code or Codex.")]
Where = Annotated[
    Literal["user", "project"], typer.Option("--scope", help="For you everywhere, or for this repository.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Never ask.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def install(
    program: AgentProgram, scope: Where = "user", dry_run: DryRun = False, yes: Yes = False, json: Json = False
) -> None:
    """Add our commands, agents, skills, prompt hook and MCP server to a program; shows the changes first."""
    _carry_out(program, scope, adding=True, dry_run=dry_run, yes=yes, json=json)


def uninstall(
    program: AgentProgram, scope: Where = "user", dry_run: DryRun = False, yes: Yes = False, json: Json = False
) -> None:
    """Take away exactly what `runner install` added; shows the changes first."""
    _carry_out(program, scope, adding=False, dry_run=dry_run, yes=yes, json=json)


def _carry_out(program: "Program", scope: "Scope", *, adding: bool, dry_run: bool, yes: bool, json: bool) -> None:
    import os

    from runner.checkout.repository import Repository
    from runner.install import layout
    from runner.install.plan import plan_install, plan_uninstall
    from runner.install.record import read_record, record_path
    from runner.lock import locked
    from runner.settings import read_settings

    settings = read_settings()
    project = Repository.around(Path.cwd()).root if scope == "project" else None
    pieces = layout.pieces(program, scope, project, os.environ)
    file = record_path(settings.data_folder(), program, pieces.root)
    with locked(file.with_suffix(".lock"), settings.lock_wait_s):
        record = read_record(file)
        plan = plan_install(pieces, record) if adding else plan_uninstall(record)
        _show(plan, json=json)
        wanted = not dry_run and (not plan.changes or _agreed(plan, yes=yes))
        if wanted:
            plan.carry_out(file)
    if json:
        _print_json(pieces, plan, applied=wanted)
    else:
        typer.echo(_summary(program, plan, adding=adding, applied=wanted))
    for note in _lacking() if adding else ():
        typer.echo(note, err=True)
    raise typer.Exit(0 if wanted or dry_run else 1)


def _show(plan: "Plan", *, json: bool) -> None:
    for change in plan.changes:
        for line in change.diff():
            typer.echo(line, err=json)
    for note in plan.notes:
        typer.echo(note, err=True)


def _agreed(plan: "Plan", *, yes: bool) -> bool:
    from runner.install.errors import NotAgreed
    from runner.terminal.terminal import has_terminal

    if yes:
        return True
    if not has_terminal():
        raise NotAgreed
    return typer.confirm(f"Make these changes to {len(plan.changes)} files?", err=True)


def _summary(program: str, plan: "Plan", *, adding: bool, applied: bool) -> str:
    if not plan.changes:
        return (
            f"{program}: {'everything is installed' if adding else 'nothing of ours is installed'}; nothing to change"
        )
    count = f"{len(plan.changes)} files"
    if not applied:
        return f"{program}: {count} would change; nothing was changed"
    return (
        f"{program}: {'installed' if adding else 'uninstalled'}, {count} changed; sessions started from now on see it"
    )


def _print_json(pieces: "Pieces", plan: "Plan", *, applied: bool) -> None:
    import json

    changes: list[dict[str, Any]] = [{"path": str(one.path), "action": one.action} for one in plan.changes]
    shown = {
        "program": pieces.program, "scope": pieces.scope, "root": str(pieces.root), "applied": applied,
        "changes": changes, "notes": plan.notes,
    }  # fmt: skip
    typer.echo(json.dumps(shown, ensure_ascii=False))


def _lacking() -> list[str]:
    """What the installed parts need and this machine lacks."""
    import shutil

    from runner.install.layout import own_program

    lacking = []
    if not shutil.which("runner"):
        lacking.append(f"`runner` is not on PATH, and the commands call it; add the folder of {own_program()}")
    if not shutil.which("curl"):
        lacking.append("`curl` is missing; without it no hints are shown with prompts")
    return lacking
