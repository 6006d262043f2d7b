"""The threads that make decisions."""

import asyncio
import threading

import pytest

from router.http.crew import Crew


def test_it_returns_and_raises_what_the_work_does() -> None:
    crew = Crew(2, "test")

    async def both() -> None:
        assert await asyncio.gather(*(crew.run(pow, 2, power) for power in range(20))) == [2**n for n in range(20)]
        with pytest.raises(ZeroDivisionError):
            await crew.run(divmod, 1, 0)

    asyncio.run(both())
    crew.close()


def test_who_no_longer_waits_is_not_missed() -> None:
    crew = Crew(1, "test")
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(30)

    async def leave() -> None:
        left = asyncio.create_task(crew.run(work))
        await asyncio.to_thread(begun.wait, 30)
        left.cancel()
        go_on.set()
        assert await crew.run(str, 1) == "1"
        assert left.cancelled()

    asyncio.run(leave())
    crew.close()


def test_work_that_outlives_its_loop_ends_quietly() -> None:
    crew = Crew(1, "test")
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(30)

    async def leave() -> None:
        task = asyncio.create_task(crew.run(work))
        await asyncio.to_thread(begun.wait, 30)
        task.cancel()

    asyncio.run(leave())
    go_on.set()

    async def ask() -> str:
        return await crew.run(str, 1)

    assert asyncio.run(ask()) == "1"
    crew.close()
