"""A server's inside, called as a client would, in a real repository; sessions are played by the scripted agent."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.mcp.agents import end
from runner.mcp.place import Place
from runner.mcp.server import answer
from runner.settings import read_settings

Call = Callable[..., dict[str, Any]]
Until = Callable[[Callable[[], bool]], None]
LONGEST_S, LOOK_EVERY_S = 90.0, 0.05


@pytest.fixture
def place(repo: Path, in_environment: None) -> Iterator[Place]:
    """The surroundings of a server in the repository."""
    opened = Place(read_settings(), repo)
    yield opened
    for agent in opened.swarms.read().agents.values():
        end(agent)
    opened.close()


@pytest.fixture
def call(place: Place) -> Call:
    """Calls a tool and returns what it answers, which must be no error."""

    def run(tool: str, at: Place = place, **arguments: Any) -> dict[str, Any]:
        result = answer(at, tool, arguments)
        reply: dict[str, Any] = json.loads(result.content[0].text)  # type: ignore[union-attr]
        assert not result.is_error, reply
        return reply

    return run


@pytest.fixture
def refuse(place: Place) -> Callable[..., tuple[str, str]]:
    """Calls a tool that must refuse, and returns the code and the sentence."""

    def run(tool: str, at: Place = place, **arguments: Any) -> tuple[str, str]:
        result = answer(at, tool, arguments)
        reply = json.loads(result.content[0].text)  # type: ignore[union-attr]
        assert result.is_error
        assert reply["success"] is False
        return reply["code"], reply["error"]

    return run


@pytest.fixture
def until() -> Until:
    """Looks again and again until something is so."""

    def look(is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONGEST_S
        while not is_so():
            assert time.monotonic() < deadline, "it did not come to be"
            time.sleep(LOOK_EVERY_S)

    return look
