"""`runner accept`, `runner reject` and `runner clean`."""

import json as jsons
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from runner.acceptance.judgement import Judgement
    from runner.merging.leftovers import Item, Leftover

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Run = Annotated[str, typer.Argument(help="The run, as `runner status` lists it; its beginning is enough.")]
MIB = 1024**2


def accept(
    run: Run,
    branch: Annotated[str | None, typer.Option(help="Bring it to this branch; made where it isn't there.")] = None,
    json: Json = False,
) -> None:
    """Take a run's merged work over into the branch it began at, and tell the router that it was right."""
    from runner.acceptance.harvest import find_finished
    from runner.acceptance.judgement import accept as judge
    from runner.checkout.repository import Repository
    from runner.settings import read_settings

    settings = read_settings()
    _show(judge(find_finished(run, Repository.around(Path.cwd()), settings), settings, branch), json=json)


def reject(run: Run, json: Json = False) -> None:
    """Say that a run's work was not what was wanted; its branches stay."""
    from runner.acceptance.harvest import find_finished
    from runner.acceptance.judgement import reject as judge
    from runner.checkout.repository import Repository
    from runner.settings import read_settings

    settings = read_settings()
    _show(judge(find_finished(run, Repository.around(Path.cwd()), settings), settings), json=json)


def clean(
    runs: Annotated[list[str] | None, typer.Argument(help="Runs to remove; the beginning of an id is enough.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All runs whose work is merged.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Of runs named: what is unmerged or uncommitted too.")] = False,
    json: Json = False,
) -> None:
    """Remove worktrees, branches and files of runs that are merged; without a run, show what there is."""
    from runner.checkout.repository import Repository
    from runner.errors import BadInput
    from runner.merging.leftovers import Leftovers
    from runner.runs.archive import Archive
    from runner.settings import read_settings

    if everything and runs:
        raise BadInput("name runs, or say --all, not both")
    if force and not runs:
        raise BadInput("--force needs the runs named that it is about: `runner clean RUN --force`")
    settings, repository = read_settings(), Repository.around(Path.cwd())
    leftovers = Leftovers(repository, Archive.of(repository, settings.data_folder()), settings.lock_wait_s)
    found = leftovers.look(runs or ())
    for name in runs or ():
        if not any(one.run_id.startswith(name) for one in found):
            raise BadInput(f"no run {name!r} in this repository; `runner clean` lists them")
    gone = [(one, one.going(force=force)) for one in found]
    doing = bool(runs or everything) and not dry_run
    if doing:
        leftovers.remove([item for _, going in gone for item in going])
    if json:
        _print({"removed": doing, "runs": [_as_json(one, going) for one, going in gone]})
    else:
        _print_leftovers(
            gone, doing=doing, then=["runner clean", *(runs or ["--all"]), *(["--force"] if force else [])]
        )


def _show(judgement: "Judgement", *, json: bool) -> None:
    if json:
        _print(_judgement_json(judgement))
        return
    landed = judgement.landed
    if not judgement.accepted:
        typer.echo(f"{judgement.run_id}: rejected; its branches stay")
    elif landed is None:
        typer.echo(f"{judgement.run_id}: accepted; there was nothing to merge")
    else:
        told = {"forwarded": f"{landed.branch} is moved forward to it", "opened": f"it lies on {landed.branch}",
                "already there": f"{landed.branch} has it already"}[landed.how]  # fmt: skip
        typer.echo(f"{judgement.run_id}: accepted; {told}{f', for {landed.reason}' if landed.reason else ''}")
    for part in judgement.left:
        typer.echo(f"  not in it: {part.branch}, {part.reason}")
    for command in judgement.failed_checks:
        typer.echo(f"  its check failed: {command}")
    typer.echo(f"  next: {_next(judgement)}")


def _next(judgement: "Judgement") -> str:
    landed = judgement.landed
    if not judgement.accepted:
        return f"runner clean {judgement.run_id} --force"
    if landed and landed.reason:
        return f"git merge {shlex.quote(landed.branch)}"
    waiting = [part.branch for part in judgement.left if part.reason.startswith("in conflict")]
    return f"git merge {shlex.quote(waiting[0])}" if waiting else f"runner clean {judgement.run_id}"


def _judgement_json(judgement: "Judgement") -> dict[str, Any]:
    landed = judgement.landed
    return {
        "run_id": judgement.run_id, "accepted": judgement.accepted, "workers": list(judgement.workers),
        "branch": landed and landed.branch, "commit": landed and landed.commit, "how": landed and landed.how,
        "reason": landed and landed.reason, "left": [part.model_dump() for part in judgement.left],
        "failed_checks": list(judgement.failed_checks), "outcomes_unsent": judgement.unsent, "next": _next(judgement),
    }  # fmt: skip


def _print_leftovers(gone: "list[tuple[Leftover, list[Item]]]", *, doing: bool, then: list[str]) -> None:
    for one, going in gone:
        size = sum(item.size_bytes for item in one.items) / MIB
        typer.echo(f"{one.run_id}  {size:.1f} MiB  {_fate(one, going, doing=doing)}")
        for item in one.items:
            if item not in going and item.reason and not one.reason:
                typer.echo(f"  kept: {item.kind} {item.name}: {item.reason}")
    freed = sum(item.size_bytes for _, going in gone for item in going) / MIB
    if doing:
        kept = any(len(going) < len(one.items) and not one.living for one, going in gone)
        hint = "; --force with the run named removes the rest too" if kept else ""
        typer.echo(f"{freed:.1f} MiB freed{hint}")
    elif freed:
        typer.echo(f"{freed:.1f} MiB can go\n  next: {' '.join(then)}")
    else:
        typer.echo("nothing can go" if gone else "there is nothing to clean")


def _fate(one: "Leftover", going: "list[Item]", *, doing: bool) -> str:
    if not going:
        return f"kept: {one.reason}" if one.reason else "kept"
    partly = "" if len(going) == len(one.items) else "partly "
    return f"{partly}removed" if doing else f"can {partly}go"


def _as_json(one: "Leftover", going: "list[Item]") -> dict[str, Any]:
    items = [
        {"kind": item.kind, "name": item.name, "bytes": item.size_bytes, "reason": item.reason, "goes": item in going}
        for item in one.items
    ]
    return {"run_id": one.run_id, "living": one.living, "reason": one.reason, "items": items}


def _print(value: dict[str, Any]) -> None:
    typer.echo(jsons.dumps(value, ensure_ascii=False))
