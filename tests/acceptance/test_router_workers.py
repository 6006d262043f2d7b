"""Several workers behind one port."""

import signal
import time
from pathlib import Path

import httpx2
import psutil
import pytest

from benchmarks.load import Client, body_of
from benchmarks.services import router_service

pytestmark = pytest.mark.acceptance
LONGEST_WAIT_S = 30.0


def ask(url: str) -> int:
    """Route one task over a connection of its own."""
    client = Client(url)
    status, _ = client.post("/route", body_of("explain it"))
    client.close()
    return status


def until_both_have_answered(url: str) -> str:
    """Ask until both workers' metrics have a decision; returns the metrics."""
    deadline = time.monotonic() + LONGEST_WAIT_S
    while True:
        assert time.monotonic() < deadline, "one worker never answered"
        assert ask(url) == 200
        said = httpx2.get(f"{url}/metrics", timeout=LONGEST_WAIT_S).text
        lines = [line for line in said.splitlines() if line.startswith("router_decisions_total{")]
        if all(any(f'worker="{number}"' in line for line in lines) for number in (0, 1)):
            return said


def both_children(parent: psutil.Process) -> list[psutil.Process]:
    """Its two workers, once it has started them."""
    deadline = time.monotonic() + LONGEST_WAIT_S
    while len(children := parent.children()) < 2:
        assert time.monotonic() < deadline, "a worker was not started"
    return children


def test_two_workers_answer_and_a_dead_one_is_replaced_and_sigterm_ends_all() -> None:
    with router_service("--workers", "2") as (url, parent):
        said = until_both_have_answered(url)
        assert said.count("# TYPE router_decisions_total counter") == 1
        first, second = parent.children()
        first.kill()
        first.wait(LONGEST_WAIT_S)
        assert ask(url) == 200
        deadline = time.monotonic() + LONGEST_WAIT_S
        while len(children := parent.children()) < 2:
            assert time.monotonic() < deadline, "the dead worker was not replaced"
        assert second in children
        parent.send_signal(signal.SIGTERM)
        gone, alive = psutil.wait_procs([parent, *children], timeout=LONGEST_WAIT_S)
        assert (len(gone), alive) == (3, [])


def test_workers_end_with_the_process_that_started_them_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    with router_service("--workers", "2", TMPDIR=str(tmp_path)) as (_, parent):
        children = both_children(parent)
        (left,) = tmp_path.glob("router-metrics-*")
        parent.kill()
        _, alive = psutil.wait_procs(children, timeout=LONGEST_WAIT_S)
        assert alive == []
        assert left.is_dir()
    with router_service("--workers", "2", TMPDIR=str(tmp_path)) as (_, parent):
        both_children(parent)
        (ours,) = tmp_path.glob("router-metrics-*")
        assert ours != left
    assert list(tmp_path.glob("router-metrics-*")) == []


def test_traces_and_several_tokens_are_served_as_set() -> None:
    nobody = "http://127.0.0.1:9"
    with router_service(ROUTER_OTEL="true", ROUTER_TOKEN="a, b", OTEL_EXPORTER_OTLP_ENDPOINT=nobody) as (url, _):
        for token, status in (("a", 200), ("b", 200), ("c", 401)):
            headers = {"Authorization": f"Bearer {token}"}
            assert httpx2.get(f"{url}/model", headers=headers, timeout=LONGEST_WAIT_S).status_code == status
