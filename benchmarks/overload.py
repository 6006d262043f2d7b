"""Many clients at once, and many tasks in one request."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import Any

import psutil

from benchmarks.load import Client, body_of, prompts, timed
from benchmarks.report import Report, median, p99
from benchmarks.services import resident_mb, router_service
from router.model.registry import Registry
from router.settings import CHECKOUT_MODELS

CLIENTS = 32
BATCH = 1000
REQUESTS = 100_000
"""After which memory must not have grown."""
LONGEST_S = 200
"""After which no more requests are made, however many are missing."""


def measure_many(rounds: int, seconds: float, encode_ms: float, report: Report) -> None:
    """32 clients, with one worker and with one a core; then a batch against single calls; then memory."""
    cores = len(os.sched_getaffinity(0))
    for workers in sorted({1, cores}):
        with router_service("--workers", str(workers)) as (url, _):
            storm(url, "--seconds", "1")
            found = storm(url, "--seconds", str(seconds))
        answers = found["answers"]["200"]
        rate, clients_cores = len(answers) / found["seconds"], found["cpu_s"] / found["seconds"]
        wanted = 0.8 * encoders(cores, seconds / 2)
        report.add(f"HTTP, {CLIENTS} clients, {workers} worker{'s' * (workers > 1)}",
                   f"{rate:.0f} routes/s (p50 {median(answers):.0f}, p99 {p99(answers):.0f} ms)",
                   f"the encoder alone on {cores} cores at once {wanted / 0.8:.0f}/s ({cores} × its rate with one core "
                   f"busy: {cores / encode_ms * 1000:.0f}/s); the clients took {clients_cores:.2f} of these cores",
                   f"≥ 0.8 × the encoder on {cores} cores = {wanted:.0f}/s", rate >= wanted)  # fmt: skip
        report.series[f"HTTP, {CLIENTS} clients, {workers} worker(s)"] = [1000 * value for value in answers]
    with router_service() as (url, process):
        _measure_batch(url, rounds, report)
    with router_service() as (url, process):
        _measure_memory(url, process.pid, REQUESTS if seconds >= 5 else REQUESTS // 50, report)


def encoders(cores: int, seconds: float) -> float:
    """Texts a second that the encoder alone takes with all cores at it: busy together, each is slower than alone."""
    encode = Registry(CHECKOUT_MODELS).load_current().encoder.encode
    until = time.perf_counter() + seconds

    def work(number: int) -> int:
        for done, task in enumerate(prompts(700_000_000 + number * 10_000_000), start=1):
            encode(task)
            if time.perf_counter() > until:
                return done
        return 0

    with ThreadPoolExecutor(cores) as pool:
        return sum(pool.map(work, range(cores))) / seconds


def storm(url: str, *options: str) -> dict[str, Any]:
    """What `benchmarks.load` measures, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", url, "--clients", str(CLIENTS), *options]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def _measure_batch(url: str, rounds: int, report: Report) -> None:
    single: list[float] = []
    batches: list[float] = []
    new = prompts(500_000_000)
    with closing(Client(url)) as client:
        for _ in range(rounds):
            single += timed(client, "/route", [body_of(task) for task in islice(new, 200)])
            tasks = {"tasks": [{"task": task} for task in islice(new, BATCH)]}
            batches += timed(client, "/route/batch", [json.dumps(tasks).encode()])
    one, many = 1000 / median(single), BATCH * 1000 / median(batches)
    report.add(f"a batch of {BATCH:,}", f"{many:.0f} tasks/s", f"single calls {one:.0f}/s, ratio {many / one:.2f}",
               "≥ 2 × single calls", many >= 2 * one)  # fmt: skip


def _measure_memory(url: str, pid: int, requests: int, report: Report) -> None:
    process = psutil.Process(pid)
    # Nine of ten repeat a task: the encoder's part would take ten minutes, and it holds nothing between two calls.
    load = ("--repeats", "0.9", "--requests", str(requests), "--seconds")
    storm(url, *load, str(LONGEST_S / 10))
    before = resident_mb(process)
    answered = len(storm(url, *load, str(LONGEST_S))["answers"]["200"])
    after = resident_mb(process)
    held = after <= 200 and after - before <= 5  # says nothing yet where the machine was too busy for all requests
    report.add("resident memory of the service", f"{after:.0f} MB",
               f"{before:.0f} MB {answered:,} (of {requests:,}) requests before",
               "≤ 200 MB, growth ≤ 5 MB", held if answered >= requests or not held else None)  # fmt: skip
