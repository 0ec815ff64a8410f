"""Short ways to ask a Responses codec, for the tests of both halves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from betterai.core.accumulate import Accumulator
from betterai.core.codec import TextCall
from betterai.core.message import Message
from betterai.core.model import ModelConfig, ModelTraits
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, Event, WireRequest, WireResponse
from betterai.providers.openai.responses import OpenAIOwnResponses
from betterai.runtime.encoding import encode_request
from betterai.wire.openai_responses import OpenAIResponses, OpenAIResponsesSurface

OPENAI = OpenAIOwnResponses()
SURFACE = OpenAIResponsesSurface()
HELLO = (Message.user("Hello"),)


def model(provider: str = "openai", id: str = "any-model", **traits: Any) -> ModelConfig:
    """A model without traits, or with these."""
    return ModelConfig(id=id, provider=provider, traits=ModelTraits(**traits))


def make_call(
    messages: Sequence[Message] = HELLO, *, of: ModelConfig | None = None, stream: bool = False, **settings: Any
) -> TextCall:
    given = GenerationSettings(**settings)
    return Call(model=of or model(), input=tuple(messages), settings=given, stream=stream, id="c1", now=1_800_000_000.0)


def build(call: TextCall, codec: OpenAIResponses = OPENAI) -> WireRequest:
    return codec.build_request(call)


def body_of(codec: OpenAIResponses, call: TextCall) -> dict[str, Any]:
    """The body as it goes out, decoded again."""
    request = encode_request(codec.build_request(call), call.settings.extra_body)
    return msgspec.json.decode(request.body)  # type: ignore[arg-type, no-any-return]


def fields_of(codec: OpenAIResponses = OPENAI, **settings: Any) -> dict[str, Any]:
    """The body of a call with these settings, without its model and input."""
    body = body_of(codec, make_call(**settings))
    del body["model"], body["input"]
    return body


def items_of(*messages: Message, codec: OpenAIResponses = OPENAI, of: ModelConfig | None = None) -> list[Any]:
    return body_of(codec, make_call(messages, of=of))["input"]  # type: ignore[no-any-return]


def dropped(request: WireRequest) -> list[str]:
    return [warning.field for warning in request.warnings if warning.code == "dropped"]


def whole(*output: Any, status: str = "completed", **fields: Any) -> dict[str, Any]:
    """The body of a reply."""
    return {"id": "resp_1", "object": "response", "model": "m-1", "status": status, "output": list(output), **fields}


def said(text: str, **fields: Any) -> dict[str, Any]:
    """A message item."""
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": content, **fields}


def parse(body: Any, codec: OpenAIResponses = OPENAI, call: TextCall | None = None) -> ProviderResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return codec.parse_response(call or make_call(), WireResponse(status=200, body=content))


def event(type: str, **fields: Any) -> bytes:
    return json.dumps({"type": type, "sequence_number": 0, **fields}).encode()


def read(
    events: Iterable[bytes], codec: OpenAIResponses = OPENAI, call: TextCall | None = None
) -> tuple[list[TextChunk], ProviderResponse]:
    """The chunks of a stream, and what they amount to."""
    state = codec.open_stream(call or make_call(stream=True))
    chunks: list[TextChunk] = []
    for data in events:
        chunks.extend(state.parse_event(Event(data=data)))
        if state.done:
            break
    chunks.extend(state.finish())
    gathered = Accumulator("any-model")
    for chunk in chunks:
        gathered.add(chunk)
    return chunks, gathered.response()
