"""Traces, where they are asked for."""

import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from starlette.testclient import TestClient

from router.errors import MissingExtra
from router.http.app import create_app
from router.service import Router
from router.telemetry.tracing import finish, trace


def test_every_request_leaves_a_span_at_the_collector(rules_router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    app = create_app(rules_router)
    sender = trace(app)
    with TestClient(app) as http:
        assert http.post("/route", json={"task": "a very private task"}).status_code == 200
    assert sender.force_flush()
    sender.shutdown()
    server.shutdown()
    server.server_close()
    thread.join()
    ((path, spans),) = received
    assert path == "/v1/traces"
    assert b"dual-orchestrator-router" in spans
    assert b"private" not in spans


def test_a_collector_that_never_answers_holds_up_no_end(rules_router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        app = create_app(rules_router)
        sender = trace(app)
        with TestClient(app) as http:
            http.post("/route", json={"task": "explain it"})
        began = time.monotonic()
        finish(sender)
        assert time.monotonic() - began < 8  # the exporter itself tries for ten seconds


def test_without_the_extra_it_says_what_to_install(rules_router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(MissingExtra, match=r"dual-orchestrator\[otel\]"):
        trace(create_app(rules_router))
