"""A step as an answer of the OpenAI Responses API, with the tools that Codex has."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from runner.provider.conversation import Conversation
from runner.provider.script import Action, Call, Edit, Run, Step, Write

_PATIENCE_MS = 30_000
"""The longest that Codex waits for a command before it asks the model again; by itself it waits less."""


def answer(step: Step, conversation: Conversation) -> dict[str, Any]:
    """Return the whole answer; in code mode the action is JavaScript."""
    output = [_message(step.say)] if step.say else []
    if step.action:
        call = _exec(step.action) if conversation.code_mode else _tool_call(step.action)
        output.append({"id": f"fc_{uuid4().hex}", "call_id": f"call_{uuid4().hex}", **call})
    return {
        "id": f"resp_{uuid4().hex}",
        "object": "response",
        "created_at": int(time.time()),
        "model": conversation.model,
        "status": "completed",
        "output": output,
        "usage": {
            "input_tokens": step.usage.input,
            "input_tokens_details": {"cached_tokens": step.usage.cached},
            "output_tokens": step.usage.output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": step.usage.input + step.usage.output,
        },
    }


def events(response: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events that a stream of `response` consists of."""
    yield {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}}
    for index, item in enumerate(response["output"]):
        place = {"output_index": index, "item_id": item["id"]}
        if item["type"] == "message":
            text = {"content_index": 0, "delta": item["content"][0]["text"]}
            yield {"type": "response.output_item.added", **place, "item": {**item, "content": []}}
            yield {"type": "response.output_text.delta", **place, **text}
        else:
            yield {"type": "response.output_item.added", **place, "item": item}
        yield {"type": "response.output_item.done", **place, "item": item}
    yield {"type": "response.completed", "response": response}


def error(status: int, sentence: str) -> dict[str, Any]:
    """Return the body of an HTTP error."""
    kind = "rate_limit_exceeded" if status == 429 else "server_error"
    return {"error": {"type": kind, "message": sentence, "code": None}}


def used_up(resets_at: int, sentence: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the body and the headers of the answer once the account's allowance is used up."""
    told = {"type": "usage_limit_reached", "message": sentence, "plan_type": "plus", "resets_at": resets_at}
    return {"error": told}, {}


def _message(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": f"msg_{uuid4().hex}", "role": "assistant", "content": content}


def _tool_call(action: Action) -> dict[str, Any]:
    match action:
        case Run(command=command):
            return _function("exec_command", {"cmd": command, "yield_time_ms": _PATIENCE_MS})
        case Call(server=server, tool=tool, arguments=arguments):
            return {**_function(_identifier(tool), arguments), "namespace": _identifier(f"mcp__{server}")}
        case Write() | Edit():
            return {"type": "custom_tool_call", "name": "apply_patch", "input": _patch(action)}


def _exec(action: Action) -> dict[str, Any]:
    """Return a call of `exec`, the one tool of code mode; the others are functions of its JavaScript."""
    match action:
        case Run(command=command):
            arguments = json.dumps({"cmd": command, "yield_time_ms": _PATIENCE_MS})
            code = f"text((await tools.exec_command({arguments})).output)"
        case Call(server=server, tool=tool, arguments=arguments):
            function = _identifier(f"mcp__{server}__{tool}")
            code = f"text((await tools.{function}({json.dumps(arguments)})).content[0].text)"
        case Write() | Edit():
            code = f"text(await tools.apply_patch({json.dumps(_patch(action))}))"
    return {"type": "custom_tool_call", "name": "exec", "namespace": "functions", "input": code}


def _function(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function_call", "name": name, "arguments": json.dumps(arguments)}


def _identifier(name: str) -> str:
    """Return a server's or tool's name as Codex tells it to the model."""
    return re.sub(r"\W", "_", name)


def _patch(action: Write | Edit) -> str:
    if isinstance(action, Write):
        change = [f"*** Add File: {action.path}", *_marked("+", action.content)]
    else:
        old, new = _marked("-", action.old), _marked("+", action.new)
        change = [f"*** Update File: {action.path}", "@@", *old, *new]
    return "\n".join(["*** Begin Patch", *change, "*** End Patch"])


def _marked(sign: str, text: str) -> list[str]:
    return [sign + line for line in text.splitlines()]
