"""Recorded exchanges that count tokens, read by the codecs of category count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from betterai.core.codec import CountExchange
from betterai.core.exceptions import BetterAIError, ConfigurationError, ProviderError
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.runtime.registry import get_provider
from betterai.runtime.replay.round_trip import RoundTrip, find_model, make_round_trip


def find_count_codec(provider: str, exchange: Mapping[str, Any]) -> tuple[CountExchange | None, str]:
    """The provider's codec that asks at the recorded address; else None and why."""
    path = urlsplit(str((exchange.get("request") or {}).get("url") or "")).path
    try:
        codecs = get_provider(provider).protocols.get("count", {})
    except ConfigurationError:
        return None, f"no provider {provider}"
    codec = next((codec for codec in codecs.values() if codec.answers(path)), None)
    return codec, "" if codec is not None else f"no codec for {path or 'counts whose address was not recorded'}"


def read_count(codec: CountExchange, provider: str, exchange: Mapping[str, Any], reply: WireResponse) -> int:
    """The tokens that a reply states. Raises the error that it is, where it is one."""
    if not 200 <= reply.status < 300:
        raise codec.parse_error(reply)
    model = find_model(provider, str(exchange.get("model") or ""))
    found = codec.parse_response(Call(model=model, input=(), settings=GenerationSettings(), id="replay"), reply)
    if isinstance(found, WireRequest):
        raise ProviderError("the reply asks for one more request", code="unreadable_reply")
    return found.tokens


def read_count_request(codec: Any, provider: str, exchange: Mapping[str, Any]) -> RoundTrip | None:
    """The round trip of the request, where it has the form of a request for an answer."""
    recorded = exchange.get("request") or {}
    if not isinstance(body := recorded.get("body"), dict):
        return None
    request = WireRequest(url=str(recorded.get("url") or ""), headers=recorded.get("headers") or {}, body=body)
    try:
        return make_round_trip(codec, provider, request)[1]
    except BetterAIError:
        return None
