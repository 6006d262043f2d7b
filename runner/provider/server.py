"""The provider as a running server: in a thread for tests, or in the foreground for a terminal."""

import json
import shlex
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import uvicorn

from runner.provider.app import JOURNAL_PATH, create_app
from runner.provider.errors import PortUnusable
from runner.provider.home import write_home
from runner.provider.script import Scripts, load_scripts


@dataclass(frozen=True)
class Provider:
    """A provider that answers; `env` makes `claude` and `codex` use it."""

    url: str
    env: dict[str, str]

    def journal(self, *, bodies: bool = False) -> list[dict[str, Any]]:
        """Return the requests seen so far, with everything that they said where asked for."""
        with closing(HTTPConnection(self.url.removeprefix("http://"), timeout=10)) as connection:
            connection.request("GET", JOURNAL_PATH + ("?bodies" if bodies else ""))
            rows: list[dict[str, Any]] = json.load(connection.getresponse())
        return rows


@contextmanager
def running(
    scripts: Path | Scripts | None, home: Path, *, repos: Iterable[Path] = (), port: int = 0
) -> Iterator[Provider]:
    """Serve `scripts` (None: the built-in ones) on 127.0.0.1 until the block ends; port 0 is any free one.

    Both programs' homes are written under `home`, where they trust `repos`.

    Raises:
        ScriptError: the script file is wrong.
        PortUnusable: the port is taken or not allowed.
    """
    played = load_scripts(scripts) if scripts is None or isinstance(scripts, Path) else scripts
    with _listening(port) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        env = write_home(home, url, repos)
        # Silences in a script never end by themselves, and its disconnects are no errors to report.
        config = uvicorn.Config(create_app(played), log_config=None, log_level="critical", timeout_graceful_shutdown=0)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), name="provider")
        thread.start()
        try:
            # Whoever connects before the thread is ready waits in the socket's queue.
            yield Provider(url, env)
        finally:
            server.should_exit = True
            thread.join()


def serve(port: int, home: Path, scripts: Path | None = None, repos: Iterable[Path] = ()) -> None:
    """Print `export` lines for a shell in which both programs use the provider; serve until Ctrl-C.

    Raises:
        ScriptError: the script file is wrong.
        PortUnusable: the port is taken or not allowed.
    """
    endings = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)  # before the thread starts, which inherits it
    with running(scripts, home, port=port, repos=repos) as provider:
        for name, value in provider.env.items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        signal.sigwait(endings)


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise PortUnusable(port, error.strerror or str(error)) from error
