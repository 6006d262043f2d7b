"""The provider's HTTP side: both protocols on one port, played from the same scripts."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.provider.conversation import from_anthropic, from_openai
from runner.provider.journal import Journal
from runner.provider.reply import reply
from runner.provider.script import Scripts

JOURNAL_PATH = "/__provider/journal"


def create_app(scripts: Scripts) -> Starlette:
    """Return an application that plays `scripts` and remembers who asked."""
    journal = Journal()

    async def messages(request: Request) -> Response:
        body = await request.json()
        return await reply(scripts, journal, from_anthropic(body, request.headers), body)

    async def responses(request: Request) -> Response:
        body = await request.json()
        return await reply(scripts, journal, from_openai(body, request.headers), body)

    async def requests_seen(request: Request) -> Response:
        return JSONResponse(list(journal.rows(bodies="bodies" in request.query_params)))

    return Starlette(
        routes=[
            Route("/v1/messages", messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", _count_tokens, methods=["POST"]),
            Route("/v1/responses", responses, methods=["POST"]),
            Route(JOURNAL_PATH, requests_seen),
        ]
    )


async def _count_tokens(request: Request) -> Response:
    return JSONResponse({"input_tokens": len(await request.body()) // 4})
