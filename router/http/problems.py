"""Errors as RFC 9457 problem documents: the router's HTTP edge."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from router.errors import InvalidTask, JournalError, ReusedKey, RouterError, UnknownDecision

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
STATUSES: dict[type[RouterError], HTTPStatus] = {
    InvalidTask: HTTPStatus.UNPROCESSABLE_ENTITY,
    ReusedKey: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownDecision: HTTPStatus.NOT_FOUND,
    JournalError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_log = logging.getLogger("router")


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    """What to do about it."""


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The response that says `detail`."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, headers, MEDIA_TYPE)


def documented(details: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of these statuses; each detail is the example."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                MEDIA_TYPE: {
                    "schema": Problem.model_json_schema(),
                    "example": Problem(title=HTTPStatus(status).phrase, status=status, detail=detail).model_dump(),
                }
            },
        }
        for status, detail in details.items()
    }


def install(app: FastAPI) -> None:
    """Answer every error of the app with a problem document."""

    @app.exception_handler(RouterError)
    async def _router_error(_: Request, error: RouterError) -> JSONResponse:
        status = STATUSES.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
        retry = {"Retry-After": str(RETRY_AFTER_S)} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
        return problem(status, str(error), retry)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        what = str(first["msg"]).removeprefix("Value error, ")
        detail = f"{where}: {what}" if where and not where.isdigit() else what
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail.encode(errors="replace").decode())

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        _log.error("unexpected_error", extra={"path": request.url.path, "error": repr(error)})
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the router failed; its log says why")
