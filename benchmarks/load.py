"""HTTP load: keep-alive connections over plain sockets, so that the client costs little of what it measures.

    python -m benchmarks.load URL --clients 32 --seconds 5 [--tasks 200]

Prints one JSON object: seconds of each answer by status, and how many connections broke.
"""

import argparse
import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count
from urllib.parse import urlsplit

WORDS = (
    "login", "retry", "cache", "webhook", "invoice", "parser", "queue", "session", "export", "billing", "search",
    "upload", "token", "report",
)  # fmt: skip
VERBS = ("why does", "write tests for", "refactor", "explain", "add", "document", "review", "design", "rename")


def prompts(seed: int = 0) -> Iterator[str]:
    """Tasks of about 15 tokens, none like another: no cache can help."""
    for number in count(seed):
        words = [WORDS[(number // 14**power) % 14] for power in range(4)]
        yield f"{VERBS[number % 9]} the {' '.join(words)} code of module {number}"


def long_prompt(tokens: int, number: int) -> str:
    """A task of about so many tokens."""
    return f"why does step {number} fail? " + " ".join(WORDS[(number + i) % 14] for i in range(tokens - 8))


class Client:
    """One connection that is kept alive."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.host = f"{address.hostname}:{address.port}"
        self.socket = socket.create_connection((address.hostname or "", address.port or 80), timeout=60)
        self.head = b""
        """The head of the latest answer."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        lines = (f"POST {path} HTTP/1.1", f"host: {self.host}", "content-type: application/json",
                 f"content-length: {len(body)}", "", "")  # fmt: skip
        self.socket.sendall("\r\n".join(lines).encode() + body)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive()
        self.head, _, answer = received.partition(b"\r\n\r\n")
        length = int(self.head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(answer) < length:
            answer += self._receive()
        return int(self.head[9:12]), answer

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def _receive(self) -> bytes:
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionError("closed by the service")
        return part


def timed(client: Client, path: str, bodies: Sequence[bytes]) -> list[float]:
    """Seconds of each answer, one after the other."""
    took = []
    for body in bodies:
        began = time.perf_counter()
        status, _ = client.post(path, body)
        took.append(time.perf_counter() - began)
        assert status == 200, status
    return took


def body_of(task: str) -> bytes:
    """The request for one task."""
    return json.dumps({"task": task}).encode()


def storm(url: str, clients: int, seconds: float) -> dict[str, object]:
    """So many clients, each asking as fast as it is answered; a refused one waits as it is told, a tenth at most."""
    answers: defaultdict[int, list[float]] = defaultdict(list)
    broken: list[str] = []
    end = time.monotonic() + seconds

    def ask(number: int) -> None:
        tasks = prompts(number * 1_000_000)
        while time.monotonic() < end:
            try:
                with closing(Client(url)) as client:
                    while time.monotonic() < end:
                        began = time.perf_counter()
                        status, _ = client.post("/route", body_of(next(tasks)))
                        answers[status].append(time.perf_counter() - began)
            except OSError as error:
                broken.append(repr(error))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.monotonic() - began, "answers": dict(answers), "broken": broken}


def main() -> None:
    """Print what a storm brought."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    print(json.dumps(storm(options.url, options.clients, options.seconds)))


if __name__ == "__main__":
    main()
