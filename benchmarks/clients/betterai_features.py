"""Worker: BetterAI with one feature more, at rest: what it costs to have it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from betterai_async import BetterClient
from measure import MODEL, run

import betterai


def wrap(
    feature: str, provider: betterai.BaseTextProvider, second: betterai.BaseTextProvider
) -> betterai.BaseTextProvider:
    if feature == "router_1":
        return betterai.Router([provider])
    if feature == "router_2":
        return betterai.Router([provider, second])
    if feature == "middleware":
        return betterai.Middleware(provider)
    if feature == "hook":
        betterai.observe(lambda event: None)
    elif feature == "otel":
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.trace import TracerProvider

        betterai.opentelemetry.instrument(tracer_provider=TracerProvider(), meter_provider=MeterProvider())
    return provider


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[BetterClient]:
    made = [
        betterai.get_text_provider(
            betterai.CoreConfig(model=f"openai/{MODEL}", protocol="openai_chat", base_url=url, api_key=key)
        )
        for key in ("test-key", "second-key")
    ]
    yield BetterClient(wrap(sys.argv[1], *made))


if __name__ == "__main__":
    run(open_client)
