"""How fast the shared memory stores and finds, beside `claude-flow` through its own MCP server, in the same run.

    python -m benchmarks.memory [--entries 100000] [--peer-entries 1000] [--no-peer] [--quick]

Ours is measured twice: as a library with `--entries` entries, and through `runner mcp` with as few as the peer has.
claude-flow is installed by npm into the user's cache folder; without npm or network that part is skipped, and said so.
The table is written into docs/memory.md, unless it is `--quick`.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.memory_server import PEER, ROUNDS, Timings, install_peer, measure_server, sentences, timed
from benchmarks.memory_table import Block, table, write
from runner.memory.codes import code_of
from runner.memory.embedding import LazyEmbedder
from runner.memory.entry import Draft
from runner.memory.sql import vectors
from runner.memory.sql.database import Database
from runner.memory.store import Memory
from runner.memory.view import View

WANTED_MS = {"store": 3.0, "search": 15.0}


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


def main() -> None:
    """Measure, print, and write the table down."""
    options = _options()
    ours = [sys.executable, "-c", "from runner.cli import entry; entry()", "mcp"]
    peer = "left out by --no-peer" if options.no_peer else install_peer()
    notes, theirs = [f"{PEER} skipped: {peer}"] if isinstance(peer, str) else [], Timings()
    with tempfile.TemporaryDirectory() as name:
        folder, count = Path(name), options.peer_entries
        library = measure_library(folder, options.entries)
        env = {**os.environ, "RUNNER_HOME": str(folder / "home"), "RUFLO_DAEMON_AUTOSTART": "0"}
        served = asyncio.run(measure_server(ours, folder, env, count))
        if isinstance(peer, Path):
            (folder / "peer").mkdir()
            theirs = asyncio.run(measure_server([str(peer), "mcp", "start"], folder / "peer", env, count))
    medians = {name: statistics.median(theirs[name]) for name in ("store", "search") if name in theirs}
    blocks = [
        Block(f"library, {options.entries} entries", library, WANTED_MS),
        Block(f"`runner mcp`, {count} entries", served, medians),
        Block(f"`{PEER} mcp start`, {count} entries", theirs, {}),
    ]
    command = " ".join(("python -m benchmarks.memory", *sys.argv[1:]))
    text = table(blocks, command, notes)
    print(text)
    if not options.quick:
        write(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Speed of the shared memory.")
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--peer-entries", type=int, default=1000)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a tenth of the entries, and nothing is written down")
    options = parser.parse_args()
    if options.quick:
        options.entries, options.peer_entries = options.entries // 10, options.peer_entries // 10
    return options


if __name__ == "__main__":
    main()
