"""Stand-ins for the two programs: they keep a conversation and send it whole with each request, as the real ones do."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.testclient import TestClient

from runner.provider.app import create_app
from runner.provider.script import parse_scripts

CWD = "/home/dev/shop"
_REMINDER = "<system-reminder>\nToday's tasks: [[script:not-this-one]], write tests for everything.</system-reminder>"


@dataclass(frozen=True)
class Answer:
    """What a program makes of a reply: `calls` are the tools to run, each with what it is given."""

    status: int
    text: str
    calls: list[tuple[str, Any]]
    stop: str = ""


@dataclass
class ClaudeLike:
    """Sends what `claude` sends."""

    http: TestClient
    stream: bool = True
    messages: list[dict[str, Any]] = field(default_factory=list)
    session_id: str = "claude-session"
    is_side_call: bool = False

    def ask(self, prompt: str) -> Answer:
        """Let the user say something."""
        texts = [{"type": "text", "text": text} for text in (_REMINDER, prompt)]
        self.messages.append({"role": "user", "content": texts})
        self.messages.append({"role": "system", "content": f"# Environment\n - Primary working directory: {CWD}\n"})
        return self.request()

    def give(self, result: str) -> Answer:
        """Send the result of the tools that were called."""
        uses = [block for block in self.messages[-1]["content"] if block["type"] == "tool_use"]
        content = [{"type": "tool_result", "tool_use_id": use["id"], "content": result} for use in uses]
        self.messages.append({"role": "user", "content": content})
        return self.request()

    def request(self) -> Answer:
        """Ask for the model's next turn."""
        body = {"model": "claude-x", "messages": self.messages, "stream": self.stream, "system": "You are helpful."}
        tools = {} if self.is_side_call else {"tools": [{"name": "Bash"}]}
        headers = {"x-claude-code-session-id": self.session_id}
        reply = self.http.post("/v1/messages?beta=true", json=body | tools, headers=headers)
        if reply.status_code != 200:
            return Answer(reply.status_code, reply.json()["error"]["message"], [])
        message = _assembled(_events(reply.text)) if self.stream else reply.json()
        self.messages.append({"role": "assistant", "content": message["content"]})
        text = "".join(block["text"] for block in message["content"] if block["type"] == "text")
        uses = [(block["name"], block["input"]) for block in message["content"] if block["type"] == "tool_use"]
        return Answer(200, text, uses, message["stop_reason"])


@dataclass
class CodexLike:
    """Sends what `codex` sends; in code mode its tools stand in the input."""

    http: TestClient
    code_mode: bool = False
    items: list[dict[str, Any]] = field(default_factory=list)
    session_id: str = "codex-session"
    is_side_call: bool = False

    def ask(self, prompt: str) -> Answer:
        """Let the user say something."""
        environment = f"<environment_context>\n  <cwd>{CWD}</cwd>\n</environment_context>"
        for text in (environment, "# AGENTS.md instructions\nReview everything.", prompt):
            content = [{"type": "input_text", "text": text}]
            self.items.append({"type": "message", "role": "user", "content": content})
        return self.request()

    def give(self, result: str) -> Answer:
        """Send the result of the tool that was called."""
        call = self.items[-1]
        output = f"Exit code: 0\nOutput:\n{result}\n"
        self.items.append({"type": f"{call['type']}_output", "call_id": call["call_id"], "output": output})
        return self.request()

    def request(self) -> Answer:
        """Ask for the model's next turn."""
        tools = [{"type": "function", "name": "exec_command"}]
        extra = [{"type": "additional_tools", "role": "developer", "tools": tools}] if self.code_mode else []
        body: dict[str, Any] = {"model": "gpt-x", "stream": True, "input": [*extra, *self.items]}
        if self.is_side_call:
            body["client_metadata"] = {"x-codex-turn-metadata": '{"thread_source":"thread_title"}'}
        elif not self.code_mode:
            body["tools"] = tools
        reply = self.http.post("/v1/responses", json=body, headers={"session-id": self.session_id})
        if reply.status_code != 200:
            return Answer(reply.status_code, reply.json()["error"]["message"], [])
        events = _events(reply.text)
        items = [event["item"] for event in events if event["type"] == "response.output_item.done"]
        assert events[-1]["response"]["output"] == items
        self.items += items
        text = "".join(part["text"] for item in items for part in item.get("content", []))
        calls = [(item["name"], _given(item)) for item in items if item["type"] != "message"]
        return Answer(200, text, calls, events[-1]["type"])


Program = ClaudeLike | CodexLike


@pytest.fixture
def serve() -> Callable[[str], TestClient]:
    """Return a function that serves the scripts of a YAML text."""
    return lambda text: TestClient(create_app(parse_scripts(text)))


@pytest.fixture(params=["claude", "codex", "codex in code mode"])
def program(request: pytest.FixtureRequest, serve: Callable[[str], TestClient]) -> Callable[[str], Program]:
    """Return a function that starts each of the programs against a provider with these scripts."""

    def start(text: str) -> Program:
        http = serve(text)
        return ClaudeLike(http) if request.param == "claude" else CodexLike(http, "mode" in request.param)

    return start


def _given(item: dict[str, Any]) -> Any:
    return item["input"] if item["type"] == "custom_tool_call" else json.loads(item["arguments"])


def _events(stream: str) -> list[dict[str, Any]]:
    lines = [line for line in stream.splitlines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def _assembled(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the message that a stream of events adds up to."""
    message: dict[str, Any] = events[0]["message"]
    for event in events:
        if event["type"] == "content_block_start":
            message["content"].append(event["content_block"])
        elif event["type"] == "content_block_delta":
            delta, block = event["delta"], message["content"][event["index"]]
            block.update({"text": delta["text"]} if "text" in delta else {"input": json.loads(delta["partial_json"])})
        elif event["type"] == "message_delta":
            message.update(event["delta"], usage=event["usage"])
    return message
