"""Real databases: SQLite files, and a PostgreSQL server where one is installed. The encoder is the shipped one."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.memory.embedding import Embedder, LazyEmbedder
from runner.memory.sql.database import Database
from runner.memory.store import Memory
from runner.memory.view import View

Open = Callable[..., Memory]
Shell = Callable[..., subprocess.CompletedProcess[bytes]]
Until = Callable[[Callable[[], bool]], None]
NOBODY = "65534"
LONGEST_S, LOOK_EVERY_S = 60.0, 0.01


@pytest.fixture(scope="session")
def encoder() -> Callable[[], Embedder | None]:
    """The shipped encoder, loaded once."""
    return LazyEmbedder()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server of our own, reached by a socket in its folder."""
    initdb, server = shutil.which("initdb"), shutil.which("postgres")
    if not (initdb and server):
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="dual-pg-"))
    as_nobody: list[str] = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        os.chown(folder, int(NOBODY), int(NOBODY))
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    data = folder / "data"
    settings = ["--no-sync", "--auth=trust", "--username=tester", "--encoding=UTF8", "--no-locale"]
    subprocess.run([*as_nobody, initdb, *settings, str(data)], check=True, capture_output=True, cwd=folder)
    options = ["-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*as_nobody, server, *options], stdout=log, stderr=log, cwd=folder)
        try:
            _wait_until_ready(process, folder)
            yield f"postgresql://tester@/postgres?host={folder}"
        finally:
            process.send_signal(signal.SIGQUIT)  # nothing of it is needed any more
            process.wait()
            shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'memory.db'}"
    import psycopg

    server: str = request.getfixturevalue("postgres")
    name = f"test_{abs(hash(tmp_path))}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{server}&options=-csearch_path%3D{name}"


@pytest.fixture
def open_memory(url: str, encoder: Callable[[], Embedder | None]) -> Iterator[Open]:
    """Opens memories of one database: `open_memory(scope=…, run=…, author=…, hidden=…)`."""
    opened: list[Memory] = []

    def open_it(scope: str = "shop", **who: object) -> Memory:
        memory = Memory(Database(url), View(scope, **who), encoder)  # type: ignore[arg-type]
        opened.append(memory)
        return memory

    yield open_it
    for memory in opened:
        memory.close()


@pytest.fixture
def memory(open_memory: Open) -> Memory:
    """One memory."""
    return open_memory()


@pytest.fixture
def shell(repo: Path, environ: dict[str, str]) -> Shell:
    """Runs the `runner` command as a process of its own, with something on its stdin."""

    def run(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-c", "from runner.cli import entry; entry()", *args]
        return subprocess.run(command, cwd=repo, env=environ, input=stdin, capture_output=True, check=False)

    return run


@pytest.fixture
def until() -> Until:
    """Looks again and again until something is so."""

    def look(is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONGEST_S
        while not is_so():
            assert time.monotonic() < deadline, "it did not come to be"
            time.sleep(LOOK_EVERY_S)

    return look


def _wait_until_ready(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    import psycopg

    while True:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            psycopg.connect(f"postgresql://tester@/postgres?host={folder}").close()
        except psycopg.OperationalError:
            continue
        return
