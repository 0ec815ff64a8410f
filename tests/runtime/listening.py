"""Who listens to calls in tests: a list of events, an OpenTelemetry SDK in memory; and what there is to be told of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from decimal import Decimal
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import betterai
from betterai import CallEnded, CallEvent
from betterai.core.model import ModelConfig
from betterai.core.price import Price, Rates
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.runtime.observing.calls import ObservedTextProvider, Subject
from betterai.runtime.text import CodecTextProvider

PRICED = ModelConfig(
    id="m-1", provider="neutral", price=Price(rates=Rates(tokens={"text_in": Decimal(1), "text_out": Decimal(10)}))
)


class Told(list[Any]):
    """Events, and when a call has ended."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def append(self, event: CallEvent) -> None:
        super().append(event)
        if isinstance(event, CallEnded):
            self.ended.set()


def kinds(events: list[CallEvent]) -> list[type]:
    return [type(event) for event in events]


class Telemetry:
    """An SDK in memory."""

    def __init__(self, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider(**options)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider(metric_readers=[self.reader])
        self.tracer = self.tracers.get_tracer("test")

    def instrument(self, **options: Any) -> None:
        betterai.opentelemetry.instrument(tracer_provider=self.tracers, meter_provider=self.meters, **options)

    @property
    def spans(self) -> list[ReadableSpan]:
        """In the order in which they began."""
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def span(self, name: str) -> ReadableSpan:
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def points(self) -> dict[str, list[Any]]:
        """Data points by the names of their metrics."""
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in (data.resource_metrics if data else ()) for scope in resource.scope_metrics]
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}

    def everything(self) -> str:
        return "".join(span.to_json() for span in self.spans) + repr(self.points())


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


class Wrapper(ObservedTextProvider):
    """A provider made of another, as routers and middleware are."""

    def __init__(self, inner: CodecTextProvider) -> None:
        self.inner = inner

    def _describe(self, model: str) -> Subject:
        return Subject("wrapper", model or "any", wraps=True)

    async def _generate(self, messages: Any, model: str, settings: GenerationSettings) -> ProviderResponse:
        return await self.inner.generate(messages, model, settings)

    async def _generate_stream(
        self, messages: Any, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]:
        async with aclosing(self.inner.generate_stream(messages, model, settings)) as chunks:
            async for chunk in chunks:
                yield chunk
