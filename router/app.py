"""The HTTP service: endpoints that translate, nothing more. `router.service.Router` decides."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query

from router import problems
from router.limits import Limits
from router.problems import Problem
from router.schemas import Acknowledged, Batch, BatchRequest, Decision, Decisions, Feedback, Outcome, RouteRequest
from router.service import Router

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {problems.MEDIA_TYPE: {}}, "description": description}
    for status, description in {
        401: "No valid token",
        413: "The body is too large",
        422: "The request is not as it should be",
        503: "Busy, or the journal can't be written; try again after `Retry-After` seconds",
    }.items()
}
_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "content": {problems.MEDIA_TYPE: {}}, "description": "No such decision"}
}


def create_app(router: Router, *, token: str | None = None, max_in_flight: int = 64) -> FastAPI:
    """The service around `router`, which it closes when it stops.

    `token` is what callers must send (None: nothing). Endpoints are plain functions: the encoder's work runs
    in threads, never on the event loop.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        router.close()

    app = FastAPI(
        title="dual-orchestrator router",
        description="Who should take a developer's task: Claude Code, Codex, or a hybrid workflow.",
        version="0.1.0",
        lifespan=lifespan,
        responses=_ERRORS,
    )
    problems.install(app)
    _add_routing(app, router)
    _add_journal(app, router)
    _add_health(app, router)
    app.add_middleware(Limits, max_in_flight=max_in_flight, token=token)
    return app


def _add_routing(app: FastAPI, router: Router) -> None:
    @app.post("/route")
    def route(request: RouteRequest) -> Decision:
        """Decide who should take a task."""
        return router.route(request.task, request.context, request.platform)

    @app.post("/route/batch")
    def route_batch(request: BatchRequest) -> Batch:
        """Decide for many tasks; each gets the answer that `/route` would give."""
        return Batch(decisions=[router.route(one.task, one.context, one.platform) for one in request.tasks])


def _add_journal(app: FastAPI, router: Router) -> None:
    @app.post("/outcomes", responses=_UNKNOWN)
    def outcomes(outcome: Outcome) -> Acknowledged:
        """Store what came of a decision; a later outcome of the same run replaces it."""
        router.record_outcome(outcome)
        return Acknowledged()

    @app.post("/feedback", responses=_UNKNOWN)
    def feedback(feedback: Feedback) -> Acknowledged:
        """Store a person's verdict on a decision, or what it should have been."""
        router.record_feedback(feedback)
        return Acknowledged()

    @app.get("/decisions", responses=_UNKNOWN)
    def decisions(limit: Annotated[int, Query(ge=1, le=500)] = 50, before: str | None = None) -> Decisions:
        """The latest decisions, newest first; `before` is the id the last page ended with."""
        page = router.decisions(limit, before)
        return Decisions(decisions=page, next=page[-1].decision.decision_id if len(page) == limit else None)


def _add_health(app: FastAPI, router: Router) -> None:
    @app.get("/model")
    def model() -> dict[str, Any]:
        """The model served: its manifest, and the policy that decides over it."""
        served = router.model
        return {
            "version": served.version if served else None,
            "problem": router.problem,
            "manifest": served.manifest.model_dump(mode="json") if served else None,
            "policy": served.policy.model_dump(mode="json") if served else None,
            "counts": dict(router.counts),
        }

    @app.post("/model/reload")
    def reload() -> dict[str, Any]:
        """Load the version that `models/current` names, and its policy."""
        router.reload()
        return readyz()

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """The process lives."""
        return {"status": "ok", "service": "router"}

    @app.get("/readyz")
    def readyz() -> dict[str, Any]:
        """`ready` with a model, `degraded` where the seed's rules decide alone (it answers all the same)."""
        served = router.model
        return {
            "status": "ready" if served else "degraded",
            "model_version": served.version if served else None,
            "problem": router.problem,
        }
