"""Traces by OpenTelemetry, where asked for (the one door to it; extra `otel`)."""

from fastapi import FastAPI

from router.errors import MissingExtra


def trace(app: FastAPI) -> None:
    """Send a span for every request to where OpenTelemetry's own variables say.

    Raises:
        MissingExtra: the packages of the extra are not installed.
    """
    try:
        from opentelemetry import trace as otel
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingExtra("otel", "ROUTER_OTEL") from error
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "dual-orchestrator-router"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    otel.set_tracer_provider(provider)
    app.add_middleware(OpenTelemetryMiddleware, exclude_spans=["receive", "send"])
