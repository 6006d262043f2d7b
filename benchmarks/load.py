"""HTTP load: keep-alive connections over plain sockets, so that the client costs little of what it measures.

    python -m benchmarks.load URL --clients 32 --seconds 5 [--requests 100000 --repeats 0.9]

Prints one JSON object: seconds of each answer by status, how many connections broke, and what the clients' own work
took of the processor.
"""

import argparse
import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count, islice
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


def repeating(tasks: Iterator[str], share: float) -> Iterator[str]:
    """Of `tasks`, such a share comes from the first hundred again and again."""
    known = list(islice(tasks, 100))
    for number in count():
        yield known[number % len(known)] if number * share % 1 + share >= 1 else next(tasks)


def storm(
    url: str, clients: int, seconds: float, requests: int | None = None, repeats: float = 0.0, seed: int = 0
) -> dict[str, object]:
    """So many clients, each asking as fast as it is answered, until the time is over or so many requests are answered.

    A share of `repeats` is of tasks asked before; with another `seed` the tasks are others.
    """
    answers: defaultdict[int, list[float]] = defaultdict(list)
    broken: list[str] = []
    end = time.monotonic() + seconds

    def goes_on() -> bool:
        return time.monotonic() < end and (requests is None or len(answers[200]) < requests)

    def ask(number: int) -> None:
        new = prompts((seed * clients + number) * 1_000_000)
        tasks = repeating(new, repeats) if repeats else new
        while goes_on():
            try:
                with closing(Client(url)) as client:
                    while goes_on():
                        began = time.perf_counter()
                        status, _ = client.post("/route", body_of(next(tasks)))
                        answers[status].append(time.perf_counter() - began)
            except OSError as error:
                broken.append(repr(error))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    began, worked = time.monotonic(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.monotonic() - began, "cpu_s": time.process_time() - worked, "answers": dict(answers),
            "broken": broken}  # fmt: skip


def main() -> None:
    """Print what a storm brought."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--requests", type=int)
    parser.add_argument("--repeats", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(storm(**vars(options))))


if __name__ == "__main__":
    main()
