"""What the service counts, in Prometheus' words (the one door to prometheus-client)."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from router.labels import Source
from router.service import Routed, Router
from router.telemetry.drift import Drift

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)
SHARES = tuple(tenth / 10 for tenth in range(1, 11))
PATHS = frozenset({
    "/route", "/route/batch", "/outcomes", "/feedback", "/decisions", "/model", "/model/reload", "/healthz", "/readyz",
    "/metrics",
})  # fmt: skip
"""Paths that are told apart; all others are `other`, so that nobody can fill memory with invented ones."""


class Metrics:
    """The metrics of one service; `docs/operations.md` explains each."""

    def __init__(self, router: Router) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry(auto_describe=False)
        self.drift: Drift | None = None
        self._router = router
        self.requests = self._counter("router_requests", "Requests answered.", "path", "status")
        self.request_seconds = self._histogram("router_request_seconds", "From head to answer.", SECONDS, "path")
        self.decisions = self._counter("router_decisions", "Decisions made.", "source", "platform")
        self.decision_seconds = self._histogram("router_decision_seconds", "One decision, all stages.", SECONDS)
        self.stage_seconds = self._histogram("router_stage_seconds", "One stage of a decision.", SECONDS, "stage")
        self.confidence = self._histogram("router_confidence", "Confidence of decisions.", SHARES)
        self.abstentions = self._counter("router_abstentions", "Decisions the model left to the seed's rules.")
        self.confirmations = self._counter("router_confirmations", "Decisions that a person should confirm.")
        self.cached = self._counter("router_cached", "Decisions whose answer was kept from before.")
        self.batch_tasks = self._histogram("router_batch_tasks", "Tasks in a batch.", (1, 10, 30, 100, 300, 1000))
        self.registry.register(_State(self))
        router.observers.append(self.observe)
        self._monitor()

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count a request that was answered, a moment later."""
        self._router.later.put(self._request, path, status, seconds)

    def _request(self, path: str, status: int, seconds: float) -> None:
        known = path if path in PATHS else "other"
        self.requests.labels(known, status).inc()
        self.request_seconds.labels(known).observe(seconds)

    def observe(self, routed: Routed) -> None:
        """Count a decision."""
        decision, answer = routed.decision, routed.answer
        self.decisions.labels(decision.source, decision.platform).inc()
        self.decision_seconds.observe(routed.seconds)
        self.confidence.observe(decision.confidence)
        if decision.needs_confirmation:
            self.confirmations.inc()
        if answer is None:
            return
        if decision.source in {Source.REGEX, Source.DEFAULT}:
            self.abstentions.inc()
        if routed.cached:
            self.cached.inc()
        else:
            for stage, seconds in answer.stages.items():
                self.stage_seconds.labels(stage).observe(seconds)
        if drift := self._monitor():
            drift.observe(answer.vector, max(decision.probabilities.values(), default=0.0))

    def current_drift(self) -> Drift | None:
        """The monitor of the served model, with every decision in it; None where none is served."""
        self._router.later.settle()
        return self._monitor()

    def _monitor(self) -> Drift | None:
        model = self._router.model
        if model is None:
            self.drift = None
        elif self.drift is None or self.drift.version != model.version:
            self.drift = Drift(model)
        return self.drift

    def exposition(self) -> bytes:
        """All of it, as Prometheus reads it."""
        self._router.later.settle()
        return generate_latest(self.registry)

    def state(self) -> Iterator[Metric]:
        """What is read off the router when somebody asks."""
        for name, value in self._router.counts.items():
            if name == "journal_pending":
                yield GaugeMetricFamily("router_journal_pending", "Decisions not yet written.", value)
            elif name != "decisions":
                yield CounterMetricFamily(f"router_{name}", _STATE[name], value=value)
        model = self._router.model
        info = GaugeMetricFamily(
            "router_model_info", "1 for the version served; `none` without one.", labels=["version"]
        )
        info.add_metric([model.version if model else "none"], 1)
        yield info
        if drift := self._monitor():
            report = drift.report()
            for name in ("embedding_shift", "expected_shift", "confidence_shift"):
                yield GaugeMetricFamily(f"router_drift_{name}", "See `GET /model`.", getattr(report, name))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)


_STATE = {
    "degraded": "Decisions made without the model though one was asked for.",
    "reloads": "Times a model was loaded, or tried to be.",
    "load_failures": "Times a model could not be loaded.",
    "journal_written": "Decisions stored.",
    "journal_errors": "Failed tries to store decisions; they are tried again.",
    "journal_lost": "Decisions given up.",
}


class _State(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return self._metrics.state()
