"""How fast the shared memory stores and finds, beside `claude-flow` through its own MCP server, in the same run.

    python -m benchmarks.memory [--entries 100000] [--peer-entries 1000] [--no-peer] [--quick]

Ours is measured twice: as a library with `--entries` entries, and through `runner mcp` with as few as the peer has.
claude-flow is installed by npm into the user's cache folder; without npm or network that part is skipped, and said so.
"""

import argparse
import asyncio
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client
from platformdirs import user_cache_path

from runner.memory.codes import code_of
from runner.memory.embedding import LazyEmbedder
from runner.memory.entry import Draft
from runner.memory.sql import vectors
from runner.memory.sql.database import Database
from runner.memory.store import Memory
from runner.memory.view import View

PEER = "claude-flow@3.43.0"
SUBJECTS = ("invoice", "refund", "webhook", "session", "token", "user", "cart", "order", "payment", "search", "index")
VERBS = (
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
)
THINGS = (
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
)
ENDS = ("every night", "after three attempts", "in integer cents", "behind a flag", "per tenant", "in one transaction")
ROUNDS = 200
Timings = dict[str, list[float]]


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


def fill(memory: Memory, count: int) -> float:
    """Store `count` entries; returns the seconds. Vectors are 500 real ones with noise: encoding all takes hours."""
    embedder = memory.embedder()
    assert embedder is not None, "the shipped model is missing"
    noise, notes, started = np.random.default_rng(0), sentences(0), time.perf_counter()
    real = [embedder.encode(next(notes)) for _ in range(500)]
    for begin in range(0, count, 1000):
        drafts = [_draft(begin + number, next(notes)) for number in range(min(1000, count - begin))]
        memory.restore(drafts)
        with memory.database.reading() as connection:
            missing = vectors.missing(connection, memory.view.scope, embedder.name, len(drafts))
        found = []
        for entry_id, _key, _value, version in missing:
            vector = real[entry_id % 500] + noise.normal(0, 0.02, embedder.dimension).astype(np.float32)
            vector /= np.linalg.norm(vector)
            found.append((entry_id, version, code_of(vector), vector.astype(np.float16).tobytes()))
        with memory.database.writing(memory.view.scope) as connection:
            vectors.put(connection, memory.view.scope, embedder.name, found)
    return time.perf_counter() - started


def _draft(number: int, text: str) -> Draft:
    return Draft(f"notes-{number % 20}", f"note/{number}", f'"{text}"', updated_at=time.time())


def measure_library(folder: Path, count: int) -> Timings:
    """Ours, in process."""
    timings: Timings = {}
    memory = Memory(Database(f"sqlite:///{folder / 'memory.db'}"), View("benchmark"), LazyEmbedder())
    seconds = fill(memory, count)
    print(f"filled {count} entries in {seconds:.0f} s, {(folder / 'memory.db').stat().st_size / 1e6:.0f} MB")
    with timed(timings, "first search"):
        memory.search("refund tokens")
    notes, asked = sentences(1), sentences(2)
    for number in range(ROUNDS):
        with timed(timings, "store"):
            memory.store(f"new/{number}", next(notes))
    memory.indexer.settle(120)
    for _ in range(ROUNDS):
        query = " ".join(next(asked).split()[1:7])
        with timed(timings, "search"):
            assert memory.search(query)
        with timed(timings, "search a namespace"):
            memory.search(query, namespace="notes-7")
    memory.close()
    return timings


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


def report(title: str, timings: Timings) -> None:
    """Print one block of the table."""
    for name, values in timings.items():
        ordered = sorted(values)
        p95 = ordered[int(len(ordered) * 0.95)] if len(ordered) > 1 else ordered[0]
        print(f"{title:<44} {name:<20} {statistics.median(ordered):>9.2f} {p95:>9.2f} {len(ordered):>7}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of the shared memory.")
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--peer-entries", type=int, default=1000)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a tenth of the entries")
    options = parser.parse_args()
    if options.quick:
        options.entries, options.peer_entries = options.entries // 10, options.peer_entries // 10
    blocks: list[tuple[str, Timings]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blocks.append((f"library, {options.entries} entries", measure_library(folder, options.entries)))
        env = {**os.environ, "RUNNER_HOME": str(folder / "home"), "RUFLO_DAEMON_AUTOSTART": "0"}
        count = options.peer_entries
        ours = [sys.executable, "-c", "from runner.cli import entry; entry()", "mcp"]
        blocks.append((f"runner mcp, {count} entries", asyncio.run(measure_server(ours, folder, env, count))))
        peer = "left out by --no-peer" if options.no_peer else install_peer()
        if isinstance(peer, str):
            print(f"claude-flow skipped: {peer}")
        else:
            (folder / "peer").mkdir()
            command = [str(peer), "mcp", "start"]
            timings = asyncio.run(measure_server(command, folder / "peer", env, count))
            blocks.append((f"{PEER} mcp start, {count} entries", timings))
    print(f"{'':<44} {'':<20} {'p50 ms':>9} {'p95 ms':>9} {'n':>7}")
    for title, timings in blocks:
        report(title, timings)


if __name__ == "__main__":
    main()
