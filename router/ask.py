"""Asks a service that already runs on the default port: a cold process then need not load the model.

By the standard library alone, since an HTTP client's import takes longer than the answer.
"""

import json
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from router.errors import InvalidTask
from router.labels import Platform

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8787
DEFAULT_URL = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"
"""Where `router serve` listens unless told otherwise."""
PROBE_TIMEOUT_S = 0.3
"""Longest wait for a service nobody named: a closed port answers at once, a foreign one may not."""
ANSWER_TIMEOUT_S = 2.0


def ask(task: str, platform: Platform | None, token: str | None) -> str | None:
    """The decision as JSON; None where no router of ours answers, or it can't answer now.

    Raises:
        InvalidTask: the service refuses the task.
    """
    connection = HTTPConnection(DEFAULT_HOST, DEFAULT_PORT, timeout=PROBE_TIMEOUT_S)
    try:
        return _ask(connection, {"task": task, **({"platform": platform} if platform else {})}, token)
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _ask(connection: HTTPConnection, body: dict[str, Any], token: str | None) -> str | None:
    connection.request("GET", "/healthz")
    if json.loads(connection.getresponse().read(1000)).get("service") != "router":
        return None
    if connection.sock is not None:
        connection.sock.settimeout(ANSWER_TIMEOUT_S)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request("POST", "/route", json.dumps(body), headers)
    reply: HTTPResponse = connection.getresponse()
    answer = reply.read().decode()
    if reply.status == 422:
        raise InvalidTask(json.loads(answer)["detail"])
    return answer if reply.status == 200 else None
