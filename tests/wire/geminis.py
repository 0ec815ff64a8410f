"""Short ways to the Gemini codecs: calls, and what is sent for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from betterai.core.codec import TextCall
from betterai.core.message import Message
from betterai.core.model import ModelConfig, ModelTraits
from betterai.core.response import CallWarning, ProviderResponse
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, Event, WireRequest, WireResponse
from betterai.providers.google import PROVIDER as GOOGLE
from betterai.providers.vertex import PROVIDER as VERTEX
from betterai.runtime.encoding import encode_request
from betterai.wire.adoption import adopt_fields
from betterai.wire.gemini import Gemini, GeminiSurface

CODECS: dict[str, Gemini] = {item.name: item.protocols["text"]["gemini"] for item in (GOOGLE, VERTEX)}
CODEC = CODECS["google"]
SURFACE = GeminiSurface()
URL = "/v1beta/models/any-model:generateContent"
STREAM_URL = "/v1beta/models/any-model:streamGenerateContent?alt=sse"


def model(provider: str = "google", **traits: Any) -> ModelConfig:
    return ModelConfig(id="any-model", provider=provider, traits=ModelTraits(**traits))


def make_call(
    messages: Sequence[Message] | None = None, *, of: ModelConfig | None = None, stream: bool = False, **settings: Any
) -> TextCall:
    history = tuple(messages) if messages is not None else (Message.user("Hello"),)
    return Call(model=of or model(), input=history, settings=GenerationSettings(**settings), stream=stream, id="c1")


def build(call: TextCall) -> tuple[dict[str, Any], tuple[CallWarning, ...]]:
    """The body as it goes out, and the warnings."""
    request = CODECS[call.model.provider].build_request(call)
    body: dict[str, Any] = json.loads(encode_request(request, call.settings.extra_body).body)  # type: ignore[arg-type]
    return body, request.warnings


def sent(call: TextCall) -> dict[str, Any]:
    return build(call)[0]


def fields(warnings: Sequence[CallWarning]) -> list[str]:
    return [warning.field for warning in warnings]


def reply(*parts: dict[str, Any], finish: str | None = "STOP", **more: Any) -> dict[str, Any]:
    """A whole reply with one candidate."""
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish, "index": 0}
    return {
        "candidates": [{**candidate, **more.pop("candidate", {})}],
        "modelVersion": "m-1",
        "responseId": "r-1",
        **more,
    }


def parse(body: Any, call: TextCall | None = None) -> ProviderResponse:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    return CODEC.parse_response(call or make_call(), WireResponse(status=200, body=encoded))


def read_request(body: dict[str, Any], url: str = URL) -> TextCall:
    return SURFACE.parse_request(WireRequest(url=url, body=body))


def again(call: TextCall) -> dict[str, Any]:
    """What a request that the server half read is sent on as."""
    return sent(adopt_fields(CODEC, make_call(call.input, stream=call.stream, **call.settings.given())))


def events(*bodies: dict[str, Any]) -> list[Event]:
    return [Event(data=json.dumps(body).encode()) for body in bodies]
