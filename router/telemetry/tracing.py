"""Traces by OpenTelemetry, where asked for (the one door to it; extra `otel`)."""

import threading
from typing import TYPE_CHECKING

from fastapi import FastAPI

from router.errors import MissingExtra

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

LAST_SPANS_S = 1.0
"""Longest wait for a collector when the service ends; what it did not take by then is lost."""


def trace(app: FastAPI) -> "TracerProvider":
    """Send a span for every request of `app` to where OpenTelemetry's own variables say; returns what sends them.

    It is for `finish` in the end.

    Raises:
        MissingExtra: the packages of the extra are not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingExtra("otel", "ROUTER_OTEL") from error
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: "dual-orchestrator-router"}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    app.add_middleware(OpenTelemetryMiddleware, tracer_provider=provider, exclude_spans=["receive", "send"])
    return provider


def finish(provider: "TracerProvider") -> None:
    """Send the last spans, but don't wait long: without a collector the exporter would try for ten seconds."""
    sending = threading.Thread(target=provider.shutdown, daemon=True)
    sending.start()
    sending.join(LAST_SPANS_S)
