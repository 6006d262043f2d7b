"""The processes that are measured: our service, and an empty FastAPI endpoint under the same uvicorn."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_EMPTY = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.post("/route")
async def empty() -> dict[str, str]:
    return {}
uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
"""


@contextmanager
def router_service(
    *options: str, before_start: Callable[[], None] | None = None, **variables: str
) -> Iterator[tuple[str, psutil.Process]]:
    """`router serve` on a free port with a journal of its own; its address and process."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "ROUTER_DATABASE_URL": f"sqlite:///{folder}/journal.db", **variables}
        process = subprocess.Popen(
            [sys.executable, "-m", "router.cli", "serve", "--port", "0", *options],
            env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=before_start,  # noqa: PLW1509
        )  # fmt: skip
        assert process.stderr
        drained = threading.Thread(target=process.stderr.read)
        try:
            address = _address(process)
            drained.start()
            yield address, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()
            if drained.ident:
                drained.join()
            process.stderr.close()


@contextmanager
def empty_service() -> Iterator[str]:
    """An empty endpoint; its address."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _EMPTY, str(port)])
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, timeout_s: float = 30.0) -> None:
    """Return once something listens there."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def resident_mb(process: psutil.Process) -> float:
    """Resident memory in MB (10⁶ bytes)."""
    return float(process.memory_info().rss) / 1e6


def run(command: list[str], cwd: Path, **variables: str) -> float:
    """Seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(command, cwd=cwd, env={**os.environ, **variables}, check=True, capture_output=True)
    return time.perf_counter() - began


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr
    for line in process.stderr:
        if found := re.search(r"listens on (http://\S+)", line):
            wait_for(int(found[1].rsplit(":", 1)[1]))
            return found[1]
    raise RuntimeError("the service ended before it listened")
