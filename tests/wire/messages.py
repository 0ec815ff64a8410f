"""Short ways to ask a Messages codec, for the tests of both halves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from betterai.catalogue.families import find_traits
from betterai.core.accumulate import Accumulator
from betterai.core.codec import TextCall
from betterai.core.message import Message
from betterai.core.model import ModelCapabilities, ModelConfig, ModelTraits
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, Event, WireRequest, WireResponse
from betterai.providers.anthropic.messages import ClaudeMessages
from betterai.runtime.encoding import encode_request
from betterai.wire.anthropic_messages import AnthropicMessages, AnthropicMessagesSurface

CODEC = ClaudeMessages()
SURFACE = AnthropicMessagesSurface()
HELLO = (Message.user("Hello"),)


def model(id: str = "any-model", provider: str = "anthropic", limit: int | None = 1000, **traits: Any) -> ModelConfig:
    """A model without traits, or with these."""
    claims = ModelCapabilities(max_tokens=limit)
    return ModelConfig(id=id, provider=provider, capabilities=claims, traits=ModelTraits(**traits))


def claude(id: str) -> ModelConfig:
    """A model with the traits that the catalogue gives its family."""
    claims = ModelCapabilities(max_tokens=64000)
    return ModelConfig(id=id, provider="anthropic", capabilities=claims, traits=find_traits("anthropic", id))


def make_call(
    messages: Sequence[Message] = HELLO, *, of: ModelConfig | None = None, stream: bool = False, **settings: Any
) -> TextCall:
    given = GenerationSettings(**settings)
    return Call(model=of or model(), input=tuple(messages), settings=given, stream=stream, id="c1", now=1.8e9)


def build(
    messages: Sequence[Message] = HELLO,
    *,
    of: ModelConfig | None = None,
    codec: AnthropicMessages = CODEC,
    **settings: Any,
) -> tuple[dict[str, Any], tuple[CallWarning, ...]]:
    """The body as it goes out, decoded, and the warnings."""
    call = make_call(messages, of=of, **settings)
    request = encode_request(codec.build_request(call), call.settings.extra_body)
    assert isinstance(request.body, bytes)
    return msgspec.json.decode(request.body), request.warnings


def sent(messages: Sequence[Message] = HELLO, *, of: ModelConfig | None = None, **settings: Any) -> dict[str, Any]:
    """The body of a request that holds all that was asked for."""
    body, warnings = build(messages, of=of, **settings)
    assert warnings == ()
    return body


def fields_of(warnings: Iterable[CallWarning]) -> list[str]:
    return [warning.field for warning in warnings]


def read_request(body: Mapping[str, Any], of: ModelConfig | None = None, **headers: str) -> TextCall:
    """A request as the server half reads it, for one of our models."""
    call = SURFACE.parse_request(WireRequest(url="/v1/messages", headers=headers, body=body))
    return msgspec.structs.replace(call, model=of or model(call.model.id))


def reply(
    *content: Mapping[str, Any], stop: str | None = "end_turn", usage: Mapping[str, Any] | None = None, **fields: Any
) -> bytes:
    """The body of a whole message."""
    body = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m-1", "content": content, "stop_reason": stop,
        "stop_sequence": None, "usage": usage or {"input_tokens": 7, "output_tokens": 2}, **fields,
    }  # fmt: skip
    return msgspec.json.encode(body)


def parse(body: bytes, call: TextCall | None = None) -> ProviderResponse:
    return CODEC.parse_response(call or make_call(), WireResponse(status=200, body=body))


def event(type: str, **fields: Any) -> bytes:
    return msgspec.json.encode({"type": type, **fields})


def start(index: int, **block: Any) -> bytes:
    return event("content_block_start", index=index, content_block=block)


def delta(index: int, type: str, **fields: Any) -> bytes:
    return event("content_block_delta", index=index, delta={"type": type, **fields})


def stop(index: int) -> bytes:
    return event("content_block_stop", index=index)


BEGIN = event(
    "message_start",
    message={
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m-1", "content": [], "stop_reason": None,
        "usage": {"input_tokens": 7, "output_tokens": 1},
    },
)  # fmt: skip
END = event("message_stop")


def ended(word: str = "end_turn", usage: Mapping[str, Any] | None = None, **fields: Any) -> bytes:
    said = {"stop_reason": word, "stop_sequence": None, **fields}
    return event("message_delta", delta=said, usage=usage or {"output_tokens": 2})


def text(index: int, *pieces: str) -> list[bytes]:
    """A whole block of text."""
    deltas = (delta(index, "text_delta", text=piece) for piece in pieces)
    return [start(index, type="text", text=""), *deltas, stop(index)]


def chunks_of(events: Iterable[bytes], call: TextCall | None = None) -> Iterator[TextChunk]:
    """What a stream of these events says, to its end."""
    state = CODEC.open_stream(call or make_call(stream=True))
    for data in events:
        yield from state.parse_event(Event(data=data))
        if state.done:
            break
    yield from state.finish()


def gather(events: Iterable[bytes], call: TextCall | None = None) -> ProviderResponse:
    """The response that a stream amounts to."""
    gathered = Accumulator("any-model")
    for chunk in chunks_of(events, call):
        gathered.add(chunk)
    return gathered.response()
