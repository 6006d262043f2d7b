"""Traces by OpenTelemetry, where asked for (the one door to it; extra `otel`)."""

from typing import TYPE_CHECKING

from fastapi import FastAPI

from router.errors import MissingExtra

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def trace(app: FastAPI) -> "TracerProvider":
    """Send a span for every request of `app` to where OpenTelemetry's own variables say; returns what sends them.

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
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "dual-orchestrator-router"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    app.add_middleware(OpenTelemetryMiddleware, tracer_provider=provider, exclude_spans=["receive", "send"])
    return provider
