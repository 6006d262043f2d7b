"""A step as an answer of the Anthropic Messages API, with the tools that Claude Code has."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

from runner.provider.conversation import Conversation
from runner.provider.script import Action, Call, Edit, Run, Step, Write

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_Block = dict[str, Any]


def answer(step: Step, conversation: Conversation) -> dict[str, Any]:
    """Return the whole answer, as a request without `stream` gets it."""
    said: list[_Block] = [{"type": "text", "text": step.say}] if step.say else []
    return {
        "id": f"msg_{uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": conversation.model,
        "content": said + (_tool_uses(step.action, conversation.cwd) if step.action else []),
        "stop_reason": "tool_use" if step.action else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": step.usage.input,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": step.usage.cached,
            "output_tokens": step.usage.output,
        },
    }


def events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events that a stream of `message` consists of."""
    yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}}
    for index, block in enumerate(message["content"]):
        empty, filling = _emptied(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        yield {"type": "content_block_delta", "index": index, "delta": filling}
        yield {"type": "content_block_stop", "index": index}
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": message["usage"]}
    yield {"type": "message_stop"}


def error(status: int, sentence: str) -> dict[str, Any]:
    """Return the body of an HTTP error."""
    return {"type": "error", "error": {"type": _ERROR_TYPES.get(status, "api_error"), "message": sentence}}


def used_up(resets_at: int, sentence: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the body and the headers of the answer once the account's allowance is used up."""
    told = {"status": "rejected", "reset": str(resets_at), "representative-claim": "five_hour"}
    return error(429, sentence), {f"anthropic-ratelimit-unified-{name}": value for name, value in told.items()}


def _emptied(block: _Block) -> tuple[_Block, _Block]:
    """Return the block as a stream opens it, and the delta that fills it."""
    if block["type"] == "text":
        return {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
    return {**block, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}


def _tool_uses(action: Action, cwd: str) -> list[_Block]:
    match action:
        case Run(command=command):
            return [_tool_use("Bash", command=command, description=command[:60])]
        case Write(path=path, content=content):
            return [_tool_use("Write", file_path=_absolute(path, cwd), content=content)]
        case Edit(path=path, old=old, new=new):
            file = _absolute(path, cwd)
            # Versions of Claude Code differ in whether they edit a file that the session hasn't read.
            read = _tool_use("Read", file_path=file)
            return [read, _tool_use("Edit", file_path=file, old_string=old, new_string=new)]
        case Call(server=server, tool=tool, arguments=arguments):
            return [_tool_use(f"mcp__{server}__{tool}" if server else tool, **arguments)]


def _tool_use(name: str, /, **arguments: Any) -> _Block:
    return {"type": "tool_use", "id": f"toolu_{uuid4().hex}", "name": name, "input": arguments}


def _absolute(path: str, cwd: str) -> str:
    return str(PurePosixPath(cwd) / path)
