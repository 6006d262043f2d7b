"""Reaching the router."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, closing

import httpx2
import pytest
from fastapi import FastAPI

from router.client import LOCAL, RouterClient, connect
from router.errors import ServiceUnavailable
from router.http.app import create_app
from router.labels import Platform, Source
from router.service import Router

Serve = Callable[[FastAPI], AbstractContextManager[int]]


def answering(status: int, body: bytes, kind: str = "application/json") -> RouterClient:
    """A client of a service that always answers this."""
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status, content=body, headers={"content-type": kind}))
    return RouterClient(httpx2.Client(base_url="http://router", transport=transport))


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (503, b'{"detail": "busy"}', "busy"),
        (500, b"<html>", "HTTP 500"),
        (200, b"<html>", "not as a router does"),
        (200, b'{"x": 1}', "not as a router does"),
        (404, b"[]", "HTTP 404"),
    ],
)
def test_a_service_that_is_no_router_is_said_to_be_none(status: int, body: bytes, said: str) -> None:
    with pytest.raises(ServiceUnavailable, match=said):
        answering(status, body).route("x")


@pytest.mark.parametrize("body", [b"[]", b"{}", b"nonsense", b'{"service": "other"}'])
def test_a_foreign_service_is_not_taken_for_a_router(body: bytes) -> None:
    assert not answering(200, body).is_ready()


def test_nothing_there_is_said_with_the_next_step() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ServiceUnavailable, match="router serve"):
            connect(url)
        with pytest.raises(ServiceUnavailable):
            RouterClient.at(url, token="x").route("x")


def test_where_no_service_answers_the_router_runs_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr("router.client.DEFAULT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        found = connect()
    assert isinstance(found, Router)
    assert found.route("explain the cache", platform=Platform.HYBRID).platform == "hybrid"
    found.close()


def test_who_wants_the_router_in_process_gets_it_whatever_runs_on_the_default_port(
    rules_router: Router, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(create_app(rules_router, token="grün")) as port:
        monkeypatch.setattr("router.client.DEFAULT_URL", f"http://127.0.0.1:{port}")
        with closing(connect(token="grün")) as service, closing(connect(LOCAL)) as local:
            assert isinstance(service, RouterClient)
            assert service.route("explain it").source is Source.REGEX
            assert isinstance(local, Router)


@pytest.mark.parametrize("url", ["nonsense", "http://[", "ftp://x", "http://127.0.0.1:99999", "http://a\nb"])
def test_an_address_that_is_none_is_said_to_be_none(url: str) -> None:
    with pytest.raises(ServiceUnavailable, match="router serve"):
        connect(url)
