"""The MCP server: a call comes in, a tool runs in a thread, one text block of JSON goes out."""

import hmac
import json
from importlib.metadata import version
from typing import Any

import anyio
import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from starlette.types import ASGIApp, Receive, Scope, Send

from router.client import RouterError
from runner.errors import RunnerError
from runner.mcp import agent_tools, memory_tools, routing_tools, swarm_tools, task_tools
from runner.mcp.errors import UnknownTool
from runner.mcp.malformed import Incoming, pass_on
from runner.mcp.place import Place
from runner.mcp.tool import Reply, Tool

NAME = "dual-orchestrator"
INSTRUCTIONS = (
    "Memory that all sessions in this repository share, and sessions that work in parallel. Look with memory_search "
    "before you begin; store designs in the namespace shared and results in results."
)
TOOLS: dict[str, Tool[Any]] = {
    tool.name: tool
    for tools in (
        memory_tools.TOOLS,
        swarm_tools.TOOLS,
        agent_tools.TOOLS,
        task_tools.TOOLS,
        routing_tools.TOOLS,
    )
    for tool in tools
}


def create_server(place: Place) -> Server[Any]:
    """The server of one place, for any transport."""

    async def announce(_: ServerRequestContext[Any], __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[tool.announce() for tool in TOOLS.values()])

    async def call(_: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
        # In a thread, and not given up when the client goes: what was asked for is done, or is not begun.
        return await anyio.to_thread.run_sync(answer, place, params.name, params.arguments or {})

    return Server(
        NAME, version=version("dual-orchestrator"), instructions=INSTRUCTIONS, on_list_tools=announce,
        on_call_tool=call,
    )  # fmt: skip


def answer(place: Place, name: str, given: dict[str, Any]) -> types.CallToolResult:
    """Run a tool; what it can't do is said in the same form as what it can."""
    try:
        if name not in TOOLS:
            raise UnknownTool(name)
        return _result(TOOLS[name].call(place, given), is_error=False)
    except (RunnerError, RouterError) as error:
        code = getattr(error, "code", type(error).__name__)
        return _result({"success": False, "error": str(error), "code": code}, is_error=True)


async def serve_stdio(place: Place) -> None:
    """Serve the client on stdin and stdout until it goes."""
    server = create_server(place)
    sending, checked = anyio.create_memory_object_stream[Incoming](0)
    async with stdio_server() as (incoming, outgoing), anyio.create_task_group() as group:
        group.start_soon(pass_on, incoming, outgoing, sending)
        await server.run(checked, outgoing, server.create_initialization_options())


def create_http_app(place: Place, host: str, token: str) -> ASGIApp:
    """The server as a web application at `/mcp`, for callers that send `token`."""
    return _Guarded(create_server(place).streamable_http_app(host=host), token)


class _Guarded:
    """Lets nobody in without the token: `agent_spawn` starts programs."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app, self.token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_known(scope):
            headers = [(b"www-authenticate", b"Bearer"), (b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            body = b'{"error": "send the token: Authorization: Bearer ..."}'
            await send({"type": "http.response.body", "body": body})
            return
        await self.app(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        sent = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(sent, b"Bearer " + self.token)


def _result(reply: Reply, *, is_error: bool) -> types.CallToolResult:
    text = json.dumps(reply, ensure_ascii=False)
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=is_error)
