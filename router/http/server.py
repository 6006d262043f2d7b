"""`router serve`: the socket, the log, the workers, and uvicorn around the app."""

import ctypes
import errno
import gc
import ipaddress
import logging
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

import uvicorn
from fastapi import FastAPI

from router.errors import CannotListen
from router.http.app import create_app
from router.http.connection import MAX_CONNECTIONS, Connection
from router.http.workers import Worker, supervise
from router.service import Routed, Router, open_router
from router.settings import Settings
from router.telemetry.log import log_to

DRAIN_S = 5
"""Longest wait for requests in flight when the service is told to stop."""
KEEP_ALIVE_S = 15
"""How long a connection may rest between requests; longer than clients keep theirs, lest one writes to a closed one."""
BACKLOG = 2048
M_ARENA_MAX = -8
_log = logging.getLogger("router")


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight are answered first.

    Raises:
        CannotListen: the port is taken, or the address is not loopback and there is no token.
    """
    if not settings.tokens() and not _is_loopback(settings.host):
        raise CannotListen(settings.host, settings.port, "other machines could call it; set ROUTER_TOKEN first")
    _malloc("mallopt", M_ARENA_MAX, 1)  # arenas for each thread hold 10 MB, and win nothing under one interpreter lock
    listening = _listen(settings.host, settings.port)
    _allow_connections()
    router = open_router(settings)
    _malloc("malloc_trim", 0)  # loading leaves 10 MB of holes
    gc.freeze()  # what is loaded by now stays: it need not be looked through, nor its pages copied by workers
    served = router.model.version if router.model else "none, the seed's rules decide"
    host, port = listening.getsockname()[:2]
    sys.stderr.write(f"router listens on http://{host}:{port}  (model: {served})\n")
    supervise(settings.workers, partial(_work, settings, router, listening))


def _work(settings: Settings, router: Router, listening: socket.socket, worker: Worker) -> None:
    log_to(sys.stderr, settings.log_level)
    router.observers.append(_log_decision)
    app = create_app(
        router, tokens=settings.tokens(), max_in_flight=settings.max_in_flight, rate_limit=settings.rate_limit,
        exposition=worker.with_others, local_only=not settings.tokens(),
    )  # fmt: skip
    worker.publish(app.state.metrics.exposition)
    with _traced(app) if settings.otel else nullcontext():
        uvicorn.Server(configured(app)).run(sockets=[listening])


@contextmanager
def _traced(app: FastAPI) -> Iterator[None]:
    from router.telemetry.tracing import finish, trace

    provider = trace(app)
    try:
        yield
    finally:
        finish(provider)


def configured(app: FastAPI) -> uvicorn.Config:
    """How uvicorn serves the app."""
    return uvicorn.Config(
        app, http=Connection, ws="none", log_config=None, access_log=False, proxy_headers=False, server_header=False,
        backlog=BACKLOG, timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=DRAIN_S,
    )  # fmt: skip


def _log_decision(routed: Routed) -> None:
    decision = routed.decision
    facts = {
        "decision_id": decision.decision_id, "platform": decision.platform, "task_type": decision.task_type,
        "confidence": decision.confidence, "source": str(decision.source), "model_version": decision.model_version,
        "cached": routed.cached, "latency_ms": decision.latency_ms,
    }  # fmt: skip
    _log.info("routed", extra=facts)


def _malloc(function: str, *arguments: int) -> None:
    """Call a function of glibc's malloc; elsewhere, do nothing."""
    if found := getattr(ctypes.CDLL(None), function, None):
        found(*arguments)


def _allow_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + 256  # files, the journal and the listening socket besides
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        taken = error.errno == errno.EADDRINUSE
        problem = "the port is in use; choose another with --port" if taken else str(error.strerror or error)
        raise CannotListen(host, port, problem) from error
    return listening


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
