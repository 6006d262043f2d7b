"""Answers to what is no JSON-RPC: without one, a client would wait for its call for ever."""

import json
from typing import Any

from anyio.streams.memory import MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

Incoming = SessionMessage | Exception


async def pass_on(incoming: Any, outgoing: Any, checked: MemoryObjectSendStream[Incoming]) -> None:
    """Hand the messages of a transport on until it ends; answer those that it could not read."""
    async with checked:
        async for item in incoming:
            if isinstance(item, Exception):
                await outgoing.send(SessionMessage(complaint(item)))
            else:
                await checked.send(item)


def complaint(problem: Exception) -> JSONRPCError:
    """The error that a line is answered with; it carries the call's id where that can be made out."""
    first = problem.errors()[0] if isinstance(problem, ValidationError) else {"type": "", "input": None}
    if first["type"] == "json_invalid":
        line = first["input"]
        code, message = PARSE_ERROR, "the line is no JSON in UTF-8; send one JSON-RPC message a line"
        return _error(_id_in(_lenient(line)), code, message)
    return _error(_id_in(first["input"]), INVALID_REQUEST, "the line is JSON, but no JSON-RPC 2.0 message")


def _lenient(line: Any) -> Any:
    # Python reads what JSON-RPC's parser refuses, such as half a surrogate pair, and so finds the id.
    try:
        return json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return None


def _id_in(message: Any) -> int | str | None:
    found = message.get("id") if isinstance(message, dict) else None
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def _error(call: int | str | None, code: int, message: str) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=call, error=ErrorData(code=code, message=message))
