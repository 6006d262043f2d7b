"""The shared memory as an MCP client meets it: ours, or that of a peer, timed call by call."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client
from platformdirs import user_cache_path

PEER = "claude-flow@3.43.0"
SUBJECTS = ["invoice", "refund", "webhook", "session", "token", "user", "cart", "order", "payment", "search", "index"]
VERBS = [
    "validates",
    "retries",
    "stores",
    "rotates",
    "signs",
    "batches",
    "streams",
    "caches",
    "rejects",
    "merges",
    "logs",
]
THINGS = [
    "requests",
    "rows",
    "events",
    "keys",
    "pages",
    "files",
    "amounts",
    "addresses",
    "attempts",
    "headers",
    "totals",
]
ENDS = ("every night", "after three attempts", "in integer cents", "behind a flag", "per tenant", "in one transaction")
ROUNDS = 200
Timings = dict[str, list[float]]
"""Milliseconds by what was done."""


def sentences(seed: int) -> Iterator[str]:
    """Endless notes as agents leave them, about 15 words each."""
    dice = random.Random(seed)  # noqa: S311
    for number in range(sys.maxsize):
        first, second = (
            f"The {dice.choice(SUBJECTS)} service {dice.choice(VERBS)} {dice.choice(THINGS)} {dice.choice(ENDS)}"
            for _ in range(2)
        )
        yield f"{first}. {second}; ticket T{number}."


@contextmanager
def timed(timings: Timings, name: str) -> Iterator[None]:
    """Add the milliseconds that the block takes."""
    started = time.perf_counter()
    yield
    timings.setdefault(name, []).append((time.perf_counter() - started) * 1000)


async def measure_server(command: Sequence[str], cwd: Path, env: dict[str, str], count: int) -> Timings:
    """Any server that has `memory_store` and `memory_search`."""
    timings: Timings = {}
    server = StdioServerParameters(command=command[0], args=list(command[1:]), cwd=cwd, env=env)
    with open(os.devnull, "w") as quiet:  # noqa: PTH123
        async with stdio_client(server, errlog=quiet) as streams, ClientSession(*streams) as session:
            with timed(timings, "start"):
                await session.initialize()
            await _exercise(session.call_tool, timings, count)
    return timings


async def _exercise(call: Callable[..., Awaitable[Any]], timings: Timings, count: int) -> None:
    notes, asked = sentences(0), sentences(2)
    for number in range(count):
        with timed(timings, "store"):
            await call("memory_store", {"key": f"note/{number}", "value": next(notes), "namespace": "notes"})
    for _ in range(ROUNDS):
        query = " ".join(next(asked).split()[1:7])
        with timed(timings, "search"):
            await call("memory_search", {"query": query, "namespace": "notes", "limit": 10})


def install_peer() -> Path | str:
    """The peer's program, or why there is none."""
    npm, place = shutil.which("npm"), user_cache_path("dual-orchestrator") / "benchmarks"
    program = place / "node_modules/.bin/claude-flow"
    if npm is None:
        return "npm is not installed"
    if not program.exists():
        place.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(place), "--no-audit", "--no-fund", "--ignore-scripts", PEER]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"`{' '.join(command[1:])}` failed: {done.stderr.strip().splitlines()[-1:]}"
    return program
