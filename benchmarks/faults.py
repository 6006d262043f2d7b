"""The service under load and fault: real processes, real sockets.

    python -m benchmarks.faults

Runs the long version of every scenario and says what was seen; `tests/acceptance/test_router_faults.py` runs the short
ones. Each scenario raises AssertionError where the service does not hold.
"""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from urllib.parse import urlsplit

import psutil

from benchmarks.disturb import damage_and_mend, swap_under_load
from benchmarks.load import Client, body_of, prompts, storm
from benchmarks.services import resident_mb, router_service
from benchmarks.writes import journal_full, journal_locked, journal_read_only, killed, server_gone, terminated

Facts = dict[str, object]
PLACES = 4
"""In flight at once in the overload scenario, so that a few clients are ten times too many."""


def overload(seconds: float) -> Facts:
    """Ten times what is allowed in flight: only 200 and 503, memory bounded, well again at once."""
    with router_service(ROUTER_MAX_IN_FLIGHT=str(PLACES)) as (url, process):
        storm(url, PLACES, 1.0)
        before = resident_mb(process)
        found = storm(url, 10 * PLACES, seconds)
        answers, broken = found["answers"], found["broken"]
        assert isinstance(answers, dict)
        assert set(answers) == {200, 503}, set(answers)
        assert not broken, broken
        began = time.monotonic()
        with closing(Client(url)) as client:
            assert client.post("/route", body_of("well again?"))[0] == 200
        recovery_s, growth_mb = time.monotonic() - began, resident_mb(process) - before
        assert recovery_s < 2.0
        assert growth_mb < 50, growth_mb
    return {"answered": len(answers[200]), "refused": len(answers[503]), "recovery_s": round(recovery_s, 2),
            "growth_mb": round(growth_mb, 1)}  # fmt: skip


def refusal_says_when_to_come_back() -> Facts:
    """A 503 carries Retry-After and is a problem document."""
    with router_service(ROUTER_MAX_IN_FLIGHT="1") as (url, _), ThreadPoolExecutor(16) as pool:
        batch = json.dumps({"tasks": [{"task": task} for task, _ in zip(prompts(), range(300), strict=False)]}).encode()

        def ask(_: int) -> tuple[int, bytes]:
            with closing(Client(url)) as client:
                status, _ = client.post("/route/batch", batch)
                return status, client.head.lower()

        heads = [head for status, head in pool.map(ask, range(16)) if status == 503]
        assert heads
        assert all(b"retry-after: 1" in head and b"application/problem+json" in head for head in heads)
    return {"refused": len(heads)}


def stalling(clients: int) -> Facts:
    """Clients that send half a head, half a body, leave at once, or never read: nobody else notices."""
    body = body_of("stalling")
    head = b"POST /route HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
    with router_service() as (url, _), ExitStack() as stack:
        sockets = []
        for _ in range(clients):
            for sent in (b"POST /route HT", head % len(body), head % len(body) + b"\r\n" + body[:9]):
                sockets.append(stack.enter_context(closing(_connect(url))))
                sockets[-1].sendall(sent)
            with closing(_connect(url)) as vanishing:
                vanishing.sendall(head % len(body) + b"\r\n" + body)
        began = time.monotonic()
        with closing(Client(url)) as client:
            for task, _ in zip(prompts(), range(50), strict=False):
                assert client.post("/route", body_of(task))[0] == 200
        answered_s = time.monotonic() - began
        half_heads = sockets[0::3]
        for one in half_heads:
            one.settimeout(15)
            with suppress(ConnectionError):
                assert one.recv(1000) == b""  # ended by the service
    return {"stalled": len(sockets), "50_answers_s": round(answered_s, 2)}


def idle(connections: int) -> Facts:
    """More idle connections than there is room for: the longest idle ones give way, new ones are served."""
    with router_service() as (url, process), ExitStack() as stack:
        opened = []
        for number in range(connections):
            opened.append(stack.enter_context(closing(_connect(url))))
            if number % 500 == 0:
                with closing(Client(url)) as client:
                    assert client.post("/route", body_of(f"still there after {number}?"))[0] == 200
        with closing(Client(url)) as client:
            assert client.post("/route", body_of("still there?"))[0] == 200
        held = sum(one.status == psutil.CONN_ESTABLISHED for one in process.net_connections("tcp"))
        assert held <= 1010, held
    return {"opened": len(opened), "held": held}


def _connect(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname or "", address.port or 80), timeout=30)


LONG = {
    "10 x overload for 60 s": lambda: overload(60.0),
    "refusals say when to come back": refusal_says_when_to_come_back,
    "stalling, slow and vanishing clients": lambda: stalling(300),
    "10,000 idle connections": lambda: idle(10_000),
    "model swapped 50 times under load": lambda: swap_under_load(50),
    "model file damaged and mended": damage_and_mend,
    "journal locked": lambda: journal_locked(10.0),
    "journal full": journal_full,
    "journal read-only": journal_read_only,
    "journal's server gone": server_gone,
    "SIGTERM with a batch in flight": terminated,
    "kill -9 among outcomes": lambda: killed(10.0),
}


def main() -> None:
    """Run all and say what was seen."""
    for name, scenario in LONG.items():
        began = time.monotonic()
        facts = scenario()
        print(f"held: {name} ({time.monotonic() - began:.0f} s) {json.dumps(facts)}", flush=True)


if __name__ == "__main__":
    main()
