"""The process that `router_apart` asks: routes what comes in at file 3, line by line, until that is closed."""

import json
import os
import signal
import socket
import sys
from contextlib import closing
from typing import Any

from router.client import Routing
from router.errors import RouterError
from router.labels import Platform
from runner.errors import RunnerError
from runner.orders.opening import open_routing
from runner.settings import read_settings

LINE_FD = 3


def answer(routing: Routing, question: dict[str, Any]) -> dict[str, Any]:
    """The decision on one question, or why there is none."""
    platform = Platform(question["platform"]) if question["platform"] else None
    try:
        decision = routing.route(question["task"], question["context"], platform)
    except RouterError as error:
        return {"problem": str(error), "exit_code": error.exit_code}
    return {"decision": decision.model_dump(mode="json")}


def serve(line: socket.socket) -> None:
    """Answer until the other end hangs up."""
    with line.makefile("rw", encoding="utf-8") as lines:
        try:
            with closing(open_routing(read_settings())) as routing:
                for question in lines:
                    lines.write(json.dumps(answer(routing, json.loads(question))) + "\n")
                    lines.flush()
        except (RouterError, RunnerError) as error:
            for _ in lines:
                lines.write(json.dumps({"problem": str(error), "exit_code": error.exit_code}) + "\n")
                lines.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.set_inheritable(LINE_FD, False)
    with socket.socket(fileno=LINE_FD) as asked:
        serve(asked)
    sys.exit(0)
