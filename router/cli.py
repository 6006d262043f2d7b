"""The `router` command."""

import os
import sys
from contextlib import closing
from typing import Annotated

import typer

from router.errors import InvalidTask, RouterError
from router.labels import Platform

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Who should take a task: Claude Code, Codex, or a hybrid workflow.")  # fmt: skip
TASK_LIKE_OPTIONS = {"ignore_unknown_options": True}
"""A task may look like an option: what is no option of ours is the task."""


@app.command(context_settings=TASK_LIKE_OPTIONS)
def route(
    task: Annotated[list[str], typer.Argument(help="The task; `-` reads it from standard input.")],
    platform: Annotated[Platform | None, typer.Option(help="Your own choice; logged as an override.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the decision as one JSON object.")] = False,
) -> None:
    """Decide who should take TASK."""
    text = _read_task(task)
    answer = _ask_service(text, platform) or _decide_here(text, platform)
    if as_json:
        print(answer)
        return
    import json

    from rich.console import Console

    from router.display import show

    show(json.loads(answer), text, Console())


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address; ROUTER_HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; ROUTER_PORT, else 8787; 0 takes a free one.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes; ROUTER_WORKERS, else 1.")] = None,
) -> None:
    """Answer `POST /route` over HTTP."""
    from router.http.server import serve as serve_with
    from router.settings import Settings

    given = {name: value for name, value in (("host", host), ("port", port), ("workers", workers)) if value is not None}
    serve_with(Settings().model_copy(update=given))


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False) -> None:
    """Say what the router has, what it lacks, and how to get it."""
    import json

    from rich.console import Console

    from router.doctor import examine
    from router.service import open_router

    _quiet_log()
    router = open_router()
    checks = examine(router)
    router.close()
    if as_json:
        print(json.dumps([check.as_dict() for check in checks]))
    else:
        console = Console()
        for check in checks:
            mark = "[green]✓[/]" if check.ok else "[red]✗[/]"
            console.print(f"{mark} {check.name:<8}", end=" ")
            console.print(check.found, markup=False, highlight=False)
            if not check.ok:
                console.print(f"  → {check.fix}", markup=False, highlight=False)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


@app.command()
def sign(version: Annotated[str | None, typer.Argument(help="Version; left out, the one served.")] = None) -> None:
    """Sign a model's manifest with ROUTER_MANIFEST_KEY, without which it is not loaded where that key is set."""
    from router.model.registry import Registry
    from router.settings import Settings

    print(f"signed {Registry.of(Settings()).sign(version)}")


def entry() -> None:
    """The console script: errors become a sentence on stderr and their exit code."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one decision's algebra is too small to share
    try:
        app()
    except RouterError as error:
        print(f"router: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except ValueError as error:
        # pydantic-settings: a variable that can't be read
        print(f"router: {_settings_problem(error)}", file=sys.stderr)
        sys.exit(2)


def _read_task(words: list[str]) -> str:
    if words != ["-"]:
        return " ".join(words)
    try:
        return sys.stdin.buffer.read(1024 * 1024).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidTask("standard input is not UTF-8 text; send the task, not binary data") from error


def _ask_service(text: str, platform: Platform | None) -> str | None:
    """What a running service says; it is not asked where the environment names other models or another journal."""
    from router.ask import ask
    from router.quick import OWN_PLACE

    return None if OWN_PLACE & set(os.environ) else ask(text, platform, os.environ.get("ROUTER_TOKEN"))


def _decide_here(text: str, platform: Platform | None) -> str:
    from router.service import open_router

    _quiet_log()
    with closing(open_router()) as router:
        return router.route(text, platform=platform).model_dump_json()


def _quiet_log() -> None:
    """What the log would say of a missing model, the decision or the doctor says already."""
    import logging

    logging.getLogger("router").setLevel(logging.CRITICAL)


def _settings_problem(error: ValueError) -> str:
    problems = getattr(error, "errors", None)
    if problems is None:
        raise error
    first = problems()[0]
    name = "_".join(str(part) for part in first["loc"]).upper()
    return f"setting ROUTER_{name}: {first['msg']}"


if __name__ == "__main__":
    entry()
