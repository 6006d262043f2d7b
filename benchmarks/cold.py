"""Cold processes: the service's start, and `router route` beside `claude-flow hooks route`."""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.load import Client, body_of
from benchmarks.peers import Absent, claude_flow
from benchmarks.report import Report, median
from benchmarks.services import free_port, router_service, run, wait_for
from router.ask import DEFAULT_PORT

TASK = "why does the login test fail only in CI?"


def measure_cold(rounds: int, report: Report) -> None:
    """Everything that begins with an empty process."""
    _measure_start(rounds, report)
    try:
        peer = claude_flow()
    except Absent as absent:
        report.notes.append(f"claude-flow was not measured: {absent}")
        peer = []
    alone, asking, theirs = _time_commands(rounds, peer, report)
    beside = f"claude-flow hooks route {median(theirs) / 1000:.2f} s" if theirs else "not there"
    report.add("`router route`, cold, no service", f"{median(alone) / 1000:.2f} s", beside, "≤ claude-flow",
               median(alone) <= median(theirs) if theirs else None)  # fmt: skip
    if asking:
        report.add("`router route`, cold, a service runs", f"{median(asking) / 1000:.3f} s", beside,
                   "≤ 0.35 × claude-flow", median(asking) <= 0.35 * median(theirs) if theirs else None)  # fmt: skip


def _measure_start(rounds: int, report: Report) -> None:
    took = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            port = free_port()
            variables = {**os.environ, "ROUTER_DATABASE_URL": f"sqlite:///{folder}/j.db"}
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "router.cli", "serve", "--port", str(port)],
                env=variables, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            wait_for(port)
            with closing(Client(f"http://127.0.0.1:{port}")) as client:
                assert client.post("/route", body_of(TASK))[0] == 200
            took.append(time.perf_counter() - began)
            process.terminate()
            process.wait()
    report.add("start to first answer", f"{median(took) / 1000:.2f} s", "nothing", "≤ 1.0 s", median(took) <= 1000)


def _time_commands(rounds: int, peer: list[str], report: Report) -> tuple[list[float], list[float], list[float]]:
    alone: list[float] = []
    asking: list[float] = []
    theirs: list[float] = []
    ours = [str(Path(sys.executable).with_name("router")), "route", TASK]
    with tempfile.TemporaryDirectory() as folder:
        journal = f"sqlite:///{folder}/j.db"
        run(ours, Path(folder), ROUTER_DATABASE_URL=journal)
        for _ in range(rounds):
            alone.append(run(ours, Path(folder), ROUTER_DATABASE_URL=journal))
            if peer:
                theirs.append(run([*peer, "hooks", "route", "--task", TASK], Path(folder)))
        try:
            with router_service("--port", str(DEFAULT_PORT)):
                asking += [run(ours, Path(folder)) for _ in range(rounds)]
        except RuntimeError:
            report.notes.append(f"a running service was not asked: port {DEFAULT_PORT} is taken")
    return alone, asking, theirs
