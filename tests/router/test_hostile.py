"""What a hostile client sends over a real socket gets its 4xx, and the next one its answer."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from fastapi import FastAPI

from router.http.app import create_app
from router.journal.scrub import scrub
from router.labels import Status
from router.schemas import Outcome
from router.service import Router

Serve = Callable[[FastAPI], AbstractContextManager[int]]
HEAD = b"host: localhost\r\ncontent-type: application/json\r\n"
BODY = b'{"task": "explain it"}'


def post(
    body: bytes = BODY, head: bytes = HEAD, length: bytes | None = None, line: bytes = b"/route HTTP/1.1"
) -> bytes:
    """A request as its bytes."""
    size = length if length is not None else b"%d" % len(body)
    return b"POST " + line + b"\r\n" + head + b"connection: close\r\ncontent-length: " + size + b"\r\n\r\n" + body


def chunked(*chunks: bytes) -> bytes:
    """A request in chunks, as its bytes."""
    return (
        b"POST /route HTTP/1.1\r\n"
        + HEAD
        + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        + b"".join(chunks)
    )


def said(port: int, request: bytes) -> bytes:
    """All that the service says before it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(request)
        parts = []
        while part := client.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


def context(value: bytes) -> bytes:
    """A body with this context."""
    return b'{"task": "x", "context": {"a": ' + value + b"}}"


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        pytest.param(200, post(line=b"/route HTTP/1.0"), id="HTTP/1.0"),
        pytest.param(200, chunked(b"16\r\n", BODY, b"\r\n0\r\n\r\n"), id="chunks"),
        pytest.param(200, post(head=HEAD + b"origin: http://127.0.0.1:3000\r\n"), id="a page of this machine"),
        pytest.param(200, post(json.dumps({"task": "x" * 32768}).encode()), id="32 KiB"),
        pytest.param(400, b"\x16\x03\x01 no HTTP\r\n\r\n", id="no HTTP"),
        pytest.param(400, post(length=b"-5"), id="negative length"),
        pytest.param(400, post(length=b"9" * 40), id="endless length"),
        pytest.param(400, post(head=HEAD + b"content-length: 3\r\n"), id="two lengths"),
        pytest.param(400, chunked(b"zz\r\n", BODY, b"\r\n0\r\n\r\n"), id="a chunk without a size"),
        pytest.param(400, post(head=HEAD + b"transfer-encoding: chunked\r\n"), id="length and chunks"),
        pytest.param(400, post(head=HEAD + b"x: a\x00b\r\n"), id="NUL in a header"),
        pytest.param(400, post(head=HEAD + b"content-type: text/plain\r\n"), id="two content types"),
        pytest.param(400, post(head=HEAD + b"authorization: a\r\nauthorization: b\r\n"), id="two tokens"),
        pytest.param(400, post(head=HEAD + b"upgrade: h2c\r\nconnection: upgrade\r\n"), id="another protocol"),
        pytest.param(400, post(b"[" * 100_000), id="endless nesting"),
        pytest.param(403, post(head=HEAD + b"origin: https://elsewhere.example\r\n"), id="a foreign page"),
        pytest.param(403, post(head=HEAD + b"origin: null\r\n"), id="a page from nowhere"),
        pytest.param(404, post(line=b"/route/ HTTP/1.1"), id="a slash too many"),
        pytest.param(413, post(length=b"2147483648"), id="two gigabytes"),
        pytest.param(415, post(head=HEAD + b"content-encoding: gzip\r\n"), id="packed"),
        pytest.param(421, post(head=HEAD.replace(b"localhost", b"evil.example")), id="a name bent to this machine"),
        pytest.param(422, post(json.dumps({"task": "x" * 32769}).encode()), id="32 KiB and one byte"),
        pytest.param(422, post(b'{"task": "a \\ud800 b"}'), id="half a character"),
        pytest.param(422, post(b'{"task": "a\\u0000b"}'), id="NUL in the task"),
        pytest.param(422, post(context(b"NaN")), id="not a number"),
        pytest.param(422, post(context(b"1e999")), id="an endless number"),
        pytest.param(422, post(BODY + BODY), id="two documents"),
        pytest.param(431, post(head=HEAD + b"x: " + b"y" * 70_000 + b"\r\n"), id="a head of 70 kB"),
        pytest.param(431, b"GET /healthz HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", id="the same for /healthz"),
    ],
)  # fmt: skip
def test_it_is_refused_with_a_problem_and_the_service_goes_on(
    rules_router: Router, serve: Serve, status: int, request_: bytes
) -> None:
    with serve(create_app(rules_router, local_only=True)) as port:
        answer = said(port, request_)
        assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
        assert (b"application/problem+json" in answer) == (status != 200)
        assert said(port, post()).startswith(b"HTTP/1.1 200 ")


def test_requests_sent_at_once_are_answered_in_their_order(rules_router: Router, serve: Serve) -> None:
    kept = post().replace(b"connection: close\r\n", b"")
    bad = post(b"{}").replace(b"connection: close\r\n", b"")
    with serve(create_app(rules_router)) as port:
        answers = said(port, kept + bad + kept + post())
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"422", b"200", b"200"]


@pytest.mark.parametrize(
    "task", ["x" * 32768, "eyJ" * 10_922, "://a" * 8192, "password=" * 3640, "password: " * 3270, "sk-" * 10_922]
)
def test_no_text_holds_the_service_up_while_it_is_searched_for_secrets(task: str) -> None:
    began = time.thread_time()
    scrub(task)
    assert time.thread_time() - began < 3.0  # as the square of the length it took a minute


@pytest.mark.parametrize(("field", "value"), [("cost_usd", float("inf")), ("wall_s", float("nan")), ("tokens", 10**23)])
def test_numbers_that_no_json_can_hold_are_no_outcome(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        Outcome.model_validate(
            {"decision_id": "d", "run_id": "r", "platform": "codex", "status": Status.FAILED, field: value}
        )
