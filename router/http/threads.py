"""The threads that do the service's work, so that its event loop never does."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from router.http.crew import Crew

T = TypeVar("T")
R = TypeVar("R")
JOURNAL_THREADS = 4


class Threads:
    """As many threads for routes as there are cores, as many for batches, and a few that wait for the journal.

    Apart from each other: neither a batch nor a journal that hangs keeps a route waiting.
    """

    def __init__(self, cores: int | None = None) -> None:
        self.cores = cores or _cores()
        self._routes = Crew(self.cores, "route")
        self._batches = ThreadPoolExecutor(self.cores, "batch")
        self._journal = ThreadPoolExecutor(JOURNAL_THREADS, "journal-call")

    async def route(self, work: Callable[..., R], *args: object) -> R:
        """Run work that keeps a core busy."""
        return await self._routes.run(work, *args)

    async def wait(self, work: Callable[..., R], *args: object) -> R:
        """Run work that mostly waits for the journal or a file."""
        return await asyncio.get_running_loop().run_in_executor(self._journal, work, *args)

    async def batch(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Run `work` over `items` on every core; results in the order of the items."""
        results: dict[int, R] = {}
        remaining = iter(enumerate(items))  # shared: each thread takes the next when it is free

        def share() -> None:
            for number, item in remaining:
                results[number] = work(item)

        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._batches, share) for _ in range(self.cores)))
        return [results[number] for number in range(len(items))]

    def close(self) -> None:
        """Let the threads end when their work is done."""
        self._routes.close()
        for pool in (self._batches, self._journal):
            pool.shutdown(wait=False)


def _cores() -> int:
    """Cores this process may use; all there are where the system can't tell (macOS)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
