"""The metrics of calls: how long, how many tokens, how much money."""

from __future__ import annotations

from opentelemetry.metrics import Meter

from betterai.core.events import CallEnded, FirstContent
from betterai.runtime.opentelemetry.attributes import Attributes, describe_call, describe_error

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_FIRST_SECONDS = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
_TOKENS = tuple(4.0**power for power in range(14))


class Metrics:
    """Calls that are made of others are left out: those others are counted."""

    def __init__(self, meter: Meter) -> None:
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._first = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            unit="s",
            description="Time to receive the first chunk of a streamed answer.",
            explicit_bucket_boundaries_advisory=_FIRST_SECONDS,
        )
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        self._cost = meter.create_counter(
            "betterai.client.cost", unit="{USD}", description="US dollars, where the cost of a call is known."
        )

    def add_first(self, event: FirstContent) -> None:
        if not event.call.wraps:
            self._first.record(event.seconds, describe_call(event.call))

    def add(self, event: CallEnded, shared: Attributes) -> None:
        """Of a call that ended; `shared` is what is said of it everywhere."""
        if event.call.wraps:
            return
        said = shared | {"gen_ai.response.model": event.model} if event.model else shared
        error = event.error if event.kind == "failed" else "cancelled" if event.kind == "cancelled" else ""
        self._duration.record(event.seconds, said | describe_error(error) if error else said)
        if event.usage is not None:
            self._tokens.record(event.usage.input_tokens, said | {"gen_ai.token.type": "input"})
            self._tokens.record(event.usage.output_tokens, said | {"gen_ai.token.type": "output"})
        if event.cost is not None and event.cost.amount is not None:
            self._cost.add(float(event.cost.amount), said)
