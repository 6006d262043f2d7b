"""One HTTP answer: the step that is due, with the delays, failures and silences that it asks for."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

from starlette.responses import JSONResponse, Response, StreamingResponse

from runner.provider import anthropic, openai
from runner.provider.conversation import Conversation
from runner.provider.cue import find_cue
from runner.provider.journal import Entry, Journal
from runner.provider.script import Failure, Scripts, Step


class Wire(Protocol):
    """How a protocol says things; the modules `anthropic` and `openai` are the two."""

    def answer(self, step: Step, conversation: Conversation) -> dict[str, Any]:
        """Return the whole answer."""
        ...

    def events(self, answer: dict[str, Any], /) -> Iterator[dict[str, Any]]:
        """Yield the answer as the events of a stream."""
        ...

    def error(self, status: int, sentence: str) -> dict[str, Any]:
        """Return the body of an HTTP error."""
        ...

    def used_up(self, resets_at: int, sentence: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the body and the headers of the answer once the account's allowance is used up."""
        ...


_WIRES: dict[str, Wire] = {"anthropic": anthropic, "openai": openai}


async def reply(scripts: Scripts, journal: Journal, conversation: Conversation, body: dict[str, Any]) -> Response:
    """Answer with the step that the conversation asks for."""
    cue = find_cue(scripts, conversation)
    entry = journal.begin(conversation, cue, body)
    wire, step = _WIRES[conversation.protocol], cue.step
    await asyncio.sleep(step.delay_s)
    if step.hang == "before":
        await _silence()
    if step.error and journal.failures(entry) < (step.error.times or float("inf")):
        return _failure(wire, step.error, entry)
    answer = wire.answer(step, conversation)
    if body.get("stream"):
        return StreamingResponse(_stream(wire, answer, step, entry), media_type="text/event-stream")
    entry.ended_at = time.time()
    return JSONResponse(answer)


async def _stream(wire: Wire, answer: dict[str, Any], step: Step, entry: Entry) -> AsyncIterator[str]:
    try:
        for number, event in enumerate(wire.events(answer)):
            if number == 1 and step.hang == "midway":
                await _silence()
            if number == 1 and step.disconnect:
                raise ConnectionAbortedError("the script closes the connection")
            yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
    finally:
        entry.ended_at = time.time()


def _failure(wire: Wire, failure: Failure, entry: Entry) -> Response:
    entry.status, entry.ended_at = failure.status, time.time()
    headers = {} if failure.retry_after_s is None else {"retry-after": str(failure.retry_after_s)}
    if failure.resets_in_s is not None:
        body, told = wire.used_up(int(time.time()) + failure.resets_in_s, failure.message)
        return JSONResponse(body, failure.status, {**headers, **told})
    return JSONResponse(wire.error(failure.status, failure.message), failure.status, headers)


async def _silence() -> None:
    await asyncio.Event().wait()
