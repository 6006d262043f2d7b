"""`router serve`: the socket, the log, and uvicorn around the app."""

import errno
import ipaddress
import logging
import socket
import sys

import structlog
import uvicorn

from router.app import create_app
from router.errors import CannotListen
from router.service import open_router
from router.settings import Settings

DRAIN_S = 5
"""Longest wait for requests in flight when the service is told to stop."""


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight are answered first.

    Raises:
        CannotListen: the port is taken, or the address is not loopback and there is no token.
    """
    token = settings.token.get_secret_value() if settings.token else None
    if token is None and not _is_loopback(settings.host):
        raise CannotListen(settings.host, settings.port, "other machines could call it; set ROUTER_TOKEN first")
    listening = _listen(settings.host, settings.port)
    log_to_stderr()
    router = open_router(settings)
    app = create_app(router, token=token, max_in_flight=settings.max_in_flight)
    served = router.model.version if router.model else "none, the seed's rules decide"
    host, port = listening.getsockname()[:2]
    sys.stderr.write(f"router listens on http://{host}:{port}  (model: {served})\n")
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=DRAIN_S)
    uvicorn.Server(config).run(sockets=[listening])


def log_to_stderr() -> None:
    """One line of JSON a log entry, on stderr; no task text at this level."""
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
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
