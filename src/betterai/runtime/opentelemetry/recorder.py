"""The listener that makes spans and metrics of what it is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import time_ns

from opentelemetry import context, metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from betterai import __version__
from betterai.core.events import (
    CallEnded,
    CallEvent,
    CallStarted,
    FirstContent,
    ToolEnded,
    ToolStarted,
    TransportEvent,
)
from betterai.runtime.observing.calls import RunningCall
from betterai.runtime.observing.listeners import Running, find_running
from betterai.runtime.observing.tools import RunningTool
from betterai.runtime.opentelemetry.attributes import (
    Attributes,
    describe_call,
    describe_end,
    describe_error,
    describe_request,
    describe_settings,
    describe_tool,
    find_operation,
    find_request_error,
)
from betterai.runtime.opentelemetry.content import describe_answer, describe_prompt, describe_tool_run
from betterai.runtime.opentelemetry.metrics import Metrics

SCHEMA_URL = "https://opentelemetry.io/schemas/1.41.0"


class Open:
    """A span that has not ended: what is `inside` of it, whether content belongs in it, how many requests were made in
    it, and what metrics say of its call too (`shared`).
    """

    __slots__ = ("content", "inside", "requests", "shared", "span")

    def __init__(self, span: Span, inside: Context, shared: Attributes, *, content: bool) -> None:
        self.span = span
        self.inside = inside
        self.shared = shared
        self.content = content
        self.requests = 0


class Recorder:
    """Told of all calls of the process. A call's span is the current one while the provider works on it."""

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        content: bool | Callable[[], bool] = False,
        requests: bool = True,
    ) -> None:
        self._tracer = trace.get_tracer("betterai", __version__, tracer_provider, SCHEMA_URL)
        self._metrics = Metrics(metrics.get_meter("betterai", __version__, meter_provider, SCHEMA_URL))
        self._content = content
        self._requests = requests

    def __call__(self, event: CallEvent) -> None:
        if isinstance(event, TransportEvent):
            if self._requests:
                self._add_request(event)
        elif isinstance(event, FirstContent):
            self._metrics.add_first(event)
        elif isinstance(event, CallStarted):
            self._start_call(event)
        elif isinstance(event, CallEnded):
            self._end_call(event)
        elif isinstance(event, ToolStarted):
            self._start(
                f"execute_tool {event.tool.name}",
                SpanKind.INTERNAL,
                describe_tool(event.tool),
                {},
                content=self._wants_content(),
            )
        else:
            self._end_tool(event)

    def _start_call(self, event: CallStarted) -> None:
        call, running = event.call, find_running()
        assert isinstance(running, RunningCall)
        shared, own = describe_call(call), describe_settings(call, running.settings)
        content = not call.wraps and self._wants_content()
        if content:
            own |= describe_prompt(running.messages, running.settings)
        inside = call.wraps or call.embedded
        name = f"{call.provider if call.wraps else find_operation(call)} {call.model}".rstrip()
        self._start(name, SpanKind.INTERNAL if inside else SpanKind.CLIENT, shared, own, content=content)

    def _wants_content(self) -> bool:
        return self._content() if callable(self._content) else self._content

    def _start(self, name: str, kind: SpanKind, shared: Attributes, own: Attributes, *, content: bool) -> None:
        """Begin a span, and have it be the current one at each step of what runs."""
        running = find_running()
        assert running is not None
        span = self._tracer.start_span(name, kind=kind, attributes=shared | own)
        inside = trace.set_span_in_context(span)
        running.around = partial(context.attach, inside), context.detach
        running.kept[self] = Open(span, inside, shared, content=content)

    def _end_call(self, event: CallEnded) -> None:
        running = find_running()
        begun = self._take(running)
        self._metrics.add(event, describe_call(event.call) if begun is None else begun.shared)
        if begun is None or not begun.span.is_recording():
            return
        response = running.response if isinstance(running, RunningCall) else None
        said = describe_end(event, response)
        if begun.content and response is not None:
            said |= describe_answer(response)
        begun.span.set_attributes(said)
        _end(begun.span, event.error if event.kind == "failed" else "")

    def _end_tool(self, event: ToolEnded) -> None:
        running = find_running()
        begun = self._take(running)
        if begun is None:
            return
        error = event.error if event.kind == "failed" else ""
        begun.span.set_attributes(describe_error(error))
        outcome = running.outcome if isinstance(running, RunningTool) else None
        if begun.content and outcome is not None:
            begun.span.set_attributes(describe_tool_run(outcome.call, outcome.result))
        _end(begun.span, error)

    def _take(self, running: Running | None) -> Open | None:
        return None if running is None else running.kept.pop(self, None)

    def _add_request(self, event: TransportEvent) -> None:
        ended = time_ns()
        running = find_running()
        begun: Open | None = None if running is None else running.kept.get(self)
        inside, before = None, 0
        if begun is not None:
            inside, before = begun.inside, begun.requests
            begun.requests += 1
        span = self._tracer.start_span(
            event.method,
            context=inside,
            kind=SpanKind.CLIENT,
            attributes=describe_request(event, before),
            start_time=ended - round(event.seconds * 1e9),
        )
        _end(span, find_request_error(event), ended)


def _end(span: Span, error: str, at: int | None = None) -> None:
    """An error is told by its class alone: its text may repeat what was said."""
    if error:
        span.set_status(Status(StatusCode.ERROR))
    span.end(at)
