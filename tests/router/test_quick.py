"""`router route` where a service runs already."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from starlette.testclient import TestClient

from router import ask as asking
from router.ask import ask
from router.errors import InvalidTask
from router.http.app import create_app
from router.quick import entry
from router.service import Router

QUESTION = "why does it fail?"


@pytest.fixture
def port(rules_router: Router, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The real app behind a real socket, on what is now the default port."""
    http = TestClient(create_app(rules_router, token="s3cret"))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass_on("GET", b"")

        def do_POST(self) -> None:
            self._pass_on("POST", self.rfile.read(int(self.headers["content-length"])))

        def _pass_on(self, method: str, body: bytes) -> None:
            reply = http.request(method, self.path, content=body, headers=dict(self.headers))
            self.send_response(reply.status_code)
            self.send_header("content-length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(asking, "DEFAULT_PORT", server.server_port)
    monkeypatch.setattr(asking, "PROBE_TIMEOUT_S", 10.0)
    monkeypatch.setattr(asking, "ANSWER_TIMEOUT_S", 10.0)
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_running_service_is_asked(port: int) -> None:
    answer = ask(QUESTION, None, "s3cret")
    assert answer is not None
    assert json.loads(answer)["platform"] == "claude-code"
    assert ask(QUESTION, None, "wrong") is None
    with pytest.raises(InvalidTask, match="blank"):
        ask(" ", None, "s3cret")


@pytest.mark.usefixtures("no_service")
def test_where_none_runs_none_answers() -> None:
    assert ask(QUESTION, None, None) is None


def test_a_foreign_service_on_the_port_is_not_told_the_task(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.health.Health.model_dump_json", lambda _: '{"service": "another"}')
    assert ask(QUESTION, None, "s3cret") is None


@pytest.mark.parametrize("words", [["--json"], []])
def test_the_command_prints_its_answer(
    port: int,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rules_router: Router,
) -> None:
    monkeypatch.setenv("ROUTER_TOKEN", "s3cret")
    monkeypatch.setattr("sys.argv", ["router", "route", *words, "why", "does", "it", "fail?"])
    entry()
    out = capsys.readouterr().out
    assert out.startswith("{" if words else "→ claude-code")
    assert [one.task for one in rules_router.decisions()] == [QUESTION]


@pytest.mark.parametrize(
    ("words", "code"), [(["route", " "], 2), (["route", "--platform", "hybrid", "x"], 0), (["route", "--help"], 0)]
)
def test_anything_else_goes_to_the_command_line_proper(
    port: int, words: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROUTER_TOKEN", "s3cret")
    monkeypatch.setattr("sys.argv", ["router", *words])
    with pytest.raises(SystemExit) as ended:
        entry()
    assert ended.value.code == code
    capsys.readouterr()


def test_a_service_with_other_models_is_not_asked(
    port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rules_router: Router, tmp_path: Any
) -> None:
    monkeypatch.setenv("ROUTER_TOKEN", "s3cret")
    monkeypatch.setenv("ROUTER_MODELS_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["router", "route", "--json", QUESTION])
    with pytest.raises(SystemExit):
        entry()
    assert json.loads(capsys.readouterr().out)["source"] == "regex"
    assert rules_router.decisions() == []
