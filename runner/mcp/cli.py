"""`runner mcp`: the MCP server from the command line."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from runner.mcp.place import Place


def serve(
    http: Annotated[bool, typer.Option("--http", help="Serve streamable HTTP instead of stdin and stdout.")] = False,
    host: Annotated[str, typer.Option(help="Address that --http listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of --http; 0 is any free one.")] = 8788,
    repo: Annotated[Path | None, typer.Option(help="A folder of the repository; default: the current one.")] = None,
    run: Annotated[str, typer.Option(envvar="RUNNER_RUN_ID", help="See and write what this run does.")] = "",
    agent: Annotated[str, typer.Option(envvar="RUNNER_AGENT_ID", help="The agent that the client is.")] = "",
) -> None:
    """Serve the shared memory, swarms and routing to Claude Code, Codex or any MCP client."""
    import anyio

    from runner.mcp.place import Place
    from runner.mcp.server import serve_stdio
    from runner.settings import read_settings

    with closing(Place(read_settings(), (repo or Path.cwd()).absolute(), run, agent)) as place:
        if http:
            _serve_http(place, host, port)
        else:
            anyio.run(serve_stdio, place)


def _serve_http(place: "Place", host: str, port: int) -> None:
    import secrets
    import socket

    import uvicorn

    from runner.errors import BadInput
    from runner.mcp.server import create_http_app

    chosen = place.settings.mcp_token
    token = chosen.get_secret_value() if chosen else secrets.token_urlsafe(32)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # before the address is told: whoever reads it may call at once
    except OSError as error:
        listener.close()
        raise BadInput(
            f"can't listen on {host}:{port} ({error.strerror}); choose another by --host and --port"
        ) from error
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"serving http://{shown}:{listener.getsockname()[1]}/mcp", err=True)
    if not chosen:
        typer.echo(f"token: {token}", err=True)
    config = uvicorn.Config(create_http_app(place, host, token), log_level="warning", ws="none")
    uvicorn.Server(config).run(sockets=[listener])
