"""OpenTelemetry: a span for each call, request and tool, and metrics, by the GenAI semantic conventions (1.41).

    betterai.opentelemetry.instrument()

It needs the extra `otel`. Prompts and answers are not recorded unless you ask for it: see `instrument`.
https://github.com/open-telemetry/semantic-conventions/tree/v1.41.0/docs/gen-ai
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from betterai.core.exceptions import ConfigurationError
from betterai.runtime.observing.listeners import Observation, observe

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

CONTENT_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The conventions' own: "true", "span_only" and "span_and_event" have prompts and answers recorded on spans."""

_observation: Observation | None = None

__all__ = ["CONTENT_VARIABLE", "instrument", "uninstrument"]


def instrument(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    content: bool | Callable[[], bool] | None = None,
    requests: bool = True,
) -> None:
    """Record all calls of this process, with the providers given or else the global ones. A second time replaces the
    first.

    `content` has prompts, answers, tool arguments and results recorded too, which may be private; by default the
    variable in `CONTENT_VARIABLE` says, else they are not. A function is asked at the start of each call, in its task,
    so that it may know whose call it is. `requests` False leaves out the spans of HTTP requests,
    where something else makes them. Raises `ConfigurationError` where opentelemetry-api is not installed.
    """
    global _observation
    try:
        from betterai.runtime.opentelemetry.recorder import Recorder
    except ImportError:
        raise ConfigurationError(
            "OpenTelemetry needs the package opentelemetry-api", hint='pip install "betterai[otel]"'
        ) from None
    uninstrument()
    wanted = _wants_content() if content is None else content
    _observation = observe(Recorder(tracer_provider, meter_provider, content=wanted, requests=requests))


def uninstrument() -> None:
    """Record no more calls; what is running is recorded to its end."""
    global _observation
    if _observation is not None:
        _observation.stop()
        _observation = None


def _wants_content() -> bool:
    return os.environ.get(CONTENT_VARIABLE, "").strip().lower() in ("true", "1", "span_only", "span_and_event")
