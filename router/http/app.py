"""The HTTP service: endpoints that translate, nothing more. `router.service.Router` decides."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

from fastapi import APIRouter, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ValidationError

from router import samples
from router.health import Health, Readiness, Served
from router.http.hotpath import HotPath
from router.http.limits import Limits
from router.http.problems import documented, install
from router.http.threads import Threads
from router.journal.stored import Decisions
from router.schemas import Acknowledged, Batch, BatchRequest, Decision, Feedback, Name, Outcome, RouteRequest
from router.service import Router
from router.telemetry.metrics import CONTENT_TYPE, Metrics

VERSION = "0.1.0"
_REFUSED = documented({
    401: "send the router's token as `Authorization: Bearer …`",
    429: "more than 20 requests a second with this token; slow down",
    503: "64 requests are in flight; try again in 1 s",
})  # fmt: skip
_BODY_REFUSED = documented({
    400: "There was an error parsing the body",
    408: "the body was not complete after 10 s",
    413: "the body has more than 1048576 bytes; send the ask alone",
    415: "send JSON, with `content-type: application/json`",
    422: "task: the task is blank; say in a sentence what should be done",
})  # fmt: skip
_UNKNOWN = documented({404: "no decision 'x' in the journal; `GET /decisions` lists the latest"})
_M = TypeVar("_M", bound=BaseModel)


def create_app(
    router: Router, *, token: str | None = None, tokens: Sequence[str] = (), max_in_flight: int = 64,
    rate_limit: float | None = None, exposition: Callable[[bytes], bytes] = bytes, local_only: bool = False,
) -> FastAPI:  # fmt: skip
    """The service around `router`, which it closes when it stops.

    `token` or one of `tokens` is what callers must send (none: nothing). `exposition` may add other workers' metrics
    to this one's. `local_only` refuses what a foreign page made a browser send. The work is done in threads, never on
    the event loop.
    """
    metrics, threads = Metrics(router), Threads()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        threads.close()
        router.close()

    app = FastAPI(
        title="dual-orchestrator router",
        description="Who should take a developer's task: Claude Code, Codex, or a hybrid workflow.",
        version=VERSION,
        lifespan=lifespan,
        redirect_slashes=False,  # a redirect would go wherever the request's `Host` says
    )
    install(app)
    api = APIRouter(responses=_REFUSED)
    _add_routing(api, router, threads, metrics)
    _add_journal(api, router, threads)
    _add_model(api, router, threads, metrics)
    app.include_router(api, include_in_schema=False)  # the paths without a version stay
    app.include_router(api, prefix="/v1")
    _add_health(app, router, metrics, exposition)
    app.state.metrics = metrics
    known = (token, *tokens) if token else tokens
    app.add_middleware(HotPath, router=router, threads=threads)
    app.add_middleware(
        Limits, max_in_flight=max_in_flight, tokens=known, rate_per_s=rate_limit, observe=metrics.request,
        local_only=local_only,
    )  # fmt: skip
    return app


def _add_routing(api: APIRouter, router: Router, threads: Threads, metrics: Metrics) -> None:
    def decide(request: RouteRequest) -> Decision:
        return router.route(request.task, request.context, request.platform)

    @api.post("/route", response_model=Decision, responses=_BODY_REFUSED)
    async def route(request: RouteRequest) -> Response:
        """Decide who should take a task."""
        return _json(await threads.route(decide, request))

    @api.post("/route/batch", response_model=Batch, responses=_BODY_REFUSED, openapi_extra=_body_of(BatchRequest))
    async def route_batch(request: Request) -> Response:
        """Decide for many tasks; each gets the answer that `/route` would give."""
        batch = await threads.wait(_parsed, BatchRequest, await request.body())  # megabytes: not on the event loop
        metrics.batch_tasks.observe(len(batch.tasks))
        decisions = await threads.batch(decide, batch.tasks)
        return _json(await threads.wait(lambda: Batch(decisions=decisions)))


def _add_journal(api: APIRouter, router: Router, threads: Threads) -> None:
    @api.post("/outcomes", response_model=Acknowledged, responses={**_BODY_REFUSED, **_UNKNOWN})
    async def outcomes(
        outcome: Outcome, idempotency_key: Annotated[Name | None, Header(examples=["3f6c0b1e"])] = None
    ) -> Response:
        """Store what came of a decision; a later outcome of the same run replaces it.

        A repeated `Idempotency-Key` is acknowledged and changes nothing; with another outcome it is refused.
        """
        await threads.wait(router.record_outcome, outcome, idempotency_key)
        return _json(Acknowledged())

    @api.post("/feedback", response_model=Acknowledged, responses={**_BODY_REFUSED, **_UNKNOWN})
    async def feedback(feedback: Feedback) -> Response:
        """Store a person's verdict on a decision, or what it should have been."""
        await threads.wait(router.record_feedback, feedback)
        return _json(Acknowledged())

    @api.get("/decisions", response_model=Decisions, responses={**_UNKNOWN, 422: _BODY_REFUSED[422]})
    async def decisions(
        limit: Annotated[int, Query(ge=1, le=500, examples=[50])] = 50,
        before: Annotated[Name | None, Query(examples=[samples.DECISION["decision_id"]])] = None,
    ) -> Response:
        """The latest decisions, newest first; `before` is the id the last page ended with."""
        page = await threads.wait(router.decisions, limit, before)
        following = page[-1].decision.decision_id if len(page) == limit else None
        return _json(Decisions(decisions=page, next=following))


def _add_model(api: APIRouter, router: Router, threads: Threads, metrics: Metrics) -> None:
    @api.get("/model", response_model=Served)
    def model() -> Response:
        """The model served: its manifest, the policy that decides over it, counts and drift."""
        served, drift = router.model, metrics.current_drift()
        return _json(
            Served(
                version=served.version if served else None,
                problem=router.problem,
                manifest=served.manifest.model_dump(mode="json") if served else None,
                policy=served.policy.model_dump(mode="json") if served else None,
                counts=router.counts,
                drift=drift.report() if drift else None,
            )
        )

    @api.post("/model/reload", response_model=Readiness)
    async def reload() -> Response:
        """Load the version that `models/current` names, and its policy."""
        await threads.wait(router.reload)
        return _json(_readiness(router))


def _add_health(app: FastAPI, router: Router, metrics: Metrics, exposition: Callable[[bytes], bytes]) -> None:
    @app.get("/healthz", response_model=Health)
    async def healthz() -> Response:
        """The process lives."""
        return _json(Health())

    @app.get("/readyz", response_model=Readiness)
    def readyz() -> Response:
        """`ready` with a model, `degraded` where the seed's rules decide alone (it answers all the same)."""
        router.look()
        return _json(_readiness(router))

    shown: dict[int | str, dict[str, object]] = {
        200: {"content": {"text/plain": {"example": "router_degraded_total 0.0"}}}
    }

    @app.get("/metrics", response_class=PlainTextResponse, responses={**shown, **_REFUSED})
    def metrics_() -> Response:
        """Counters and gauges in Prometheus' text format."""
        return Response(exposition(metrics.exposition()), media_type=CONTENT_TYPE)


def _readiness(router: Router) -> Readiness:
    served = router.model
    return Readiness(
        status="ready" if served else "degraded",
        model_version=served.version if served else None,
        problem=router.problem,
    )


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


def _parsed(kind: type[_M], body: bytes) -> _M:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def _body_of(kind: type[BaseModel]) -> dict[str, object]:
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
