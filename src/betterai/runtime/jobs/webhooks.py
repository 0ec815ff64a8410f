"""Webhooks of providers: who sent them, of which job they tell, how it stands."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec

from betterai.core.exceptions import BetterAIError, ConfigurationError
from betterai.core.webhooks import WebhookEvent
from betterai.runtime.registry import get_provider

TOLERANCE = 300.0
"""Seconds: as Standard Webhooks, and the SDKs of those that send them, allow."""


def parse_webhook(
    provider: str,
    headers: Mapping[str, str],
    body: bytes | str,
    *,
    secret: str,
    now: float | None = None,
    tolerance: float = TOLERANCE,
) -> WebhookEvent:
    """The event of a request that a provider sent, once its signature and its time are found to be good.

    `headers` and `body` go in as they came: a body that was decoded and encoded again has another signature. `now` is
    in Unix seconds, the clock's by default; `tolerance` in seconds. Nothing is sent, stored or looked up.

    Raises `WebhookSignatureError` for what you should not believe, `ConfigurationError` for a provider that sends no
    webhooks, or a secret that is none, and `ProviderError` for what was signed and cannot be read.
    """
    declared = get_provider(provider)
    if declared.webhooks is None:
        raise ConfigurationError(
            f"{declared.title or provider} sends no webhooks that are known here",
            hint="wait for the job itself",
            provider=provider,
        )
    known = {name.lower(): value for name, value in headers.items()}
    content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
    try:
        event = declared.webhooks.parse_webhook(
            known, content, secret=secret, now=time.time() if now is None else now, tolerance=tolerance
        )
    except BetterAIError as error:
        raise error.locate(declared.name, "").redact([secret]) from error.__cause__
    return msgspec.structs.replace(event, provider=declared.name)
