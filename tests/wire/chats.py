"""Short ways to ask a Chat Completions codec, for the tests of both halves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from betterai.catalogue.families import find_traits
from betterai.core.accumulate import Accumulator
from betterai.core.codec import TextCall
from betterai.core.message import Citation, Message, Text
from betterai.core.model import ModelConfig, ModelTraits
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, Event, WireRequest, WireResponse
from betterai.providers.deepseek.chat import DeepSeekChat
from betterai.providers.groq.chat import GroqChat
from betterai.wire.openai_chat import OpenAIChat, OpenAIChatSurface
from betterai.wire.sse import SSEFramer

CODECS: dict[str, OpenAIChat] = {"openai": OpenAIChat(), "groq": GroqChat(), "deepseek": DeepSeekChat()}
OPENAI = CODECS["openai"]
SURFACE = OpenAIChatSurface()
HELLO = (Message.user("Hello"),)


def model(provider: str = "openai", id: str = "any-model", **traits: Any) -> ModelConfig:
    """A model without traits, or with these."""
    return ModelConfig(id=id, provider=provider, traits=ModelTraits(**traits))


def listed(provider: str, id: str) -> ModelConfig:
    """A model with the traits that the catalogue gives its family."""
    return ModelConfig(id=id, provider=provider, traits=find_traits(provider, id))


def make_call(
    messages: Sequence[Message] = HELLO,
    *,
    of: ModelConfig | None = None,
    stream: bool = False,
    **settings: Any,
) -> TextCall:
    return Call(
        model=of or model(),
        input=tuple(messages),
        settings=GenerationSettings(**settings),
        stream=stream,
        id="c1",
        now=1_800_000_000.0,
    )


def build(call: TextCall, codec: OpenAIChat = OPENAI) -> WireRequest:
    """The request, after a check that its body is JSON."""
    request = codec.build_request(call)
    json.loads(json.dumps(request.body))
    return request


def body_of(codec: OpenAIChat = OPENAI, **settings: Any) -> dict[str, Any]:
    """The body of a call with these settings, without its model and messages."""
    body = dict(build(make_call(**settings), codec).body)  # type: ignore[arg-type]
    del body["model"], body["messages"]
    return body


def messages_of(*messages: Message, codec: OpenAIChat = OPENAI, of: ModelConfig | None = None) -> list[dict[str, Any]]:
    body: Any = build(make_call(messages, of=of), codec).body
    return body["messages"]  # type: ignore[no-any-return]


def dropped(request: WireRequest) -> list[str]:
    return [warning.field for warning in request.warnings if warning.code == "dropped"]


def translated(request: WireRequest) -> list[str]:
    return [warning.field for warning in request.warnings if warning.code == "translated"]


def parse(body: Any, codec: OpenAIChat = OPENAI, call: TextCall | None = None) -> ProviderResponse:
    """A whole reply with status 200."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return codec.parse_response(call or make_call(), WireResponse(status=200, body=data))


def whole(message: dict[str, Any] | None = None, finish: str | None = "stop", **fields: Any) -> dict[str, Any]:
    """A whole reply of one choice."""
    choice = {"index": 0, "message": {"role": "assistant", **(message or {"content": "Hi"})}, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": "m-1", "choices": [choice], **fields}


def chunk(
    delta: dict[str, Any] | None = None, finish: str | None = None, index: int = 0, **choice: Any
) -> dict[str, Any]:
    """One event of a stream with one choice."""
    choices = [{"index": index, "delta": delta or {}, "finish_reason": finish, **choice}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m-1", "choices": choices}


def call_piece(index: int | None = 0, id: str | None = None, name: str | None = None, arguments: Any = None) -> Any:
    """A delta with a piece of one tool call; what is None is left out."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    piece = {"index": index, "id": id, "function": function}
    return {"tool_calls": [{key: value for key, value in piece.items() if value is not None}]}


def usage_event(**usage: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "model": "m-1", "choices": [], "usage": usage}


def as_events(items: Iterable[Any], *, done: bool = True) -> list[Event]:
    events = [Event(data=json.dumps(item).encode() if not isinstance(item, bytes) else item) for item in items]
    return [*events, Event(data=b"[DONE]")] if done else events


def as_sse(items: Iterable[Any], *, done: bool = True, ascii: bool = True) -> bytes:
    lines = [b"data: " + json.dumps(item, ensure_ascii=ascii).encode() + b"\n\n" for item in items]
    return b"".join([*lines, b"data: [DONE]\n\n"] if done else lines)


def read_events(
    events: Iterable[Event], codec: OpenAIChat = OPENAI, call: TextCall | None = None
) -> Iterator[TextChunk]:
    """The chunks of a stream, as the runner asks for them."""
    state = codec.open_stream(call or make_call(stream=True))
    for event in events:
        yield from state.parse_event(event)
        if state.done:
            break
    yield from state.finish()


def read_stream(
    *items: Any, codec: OpenAIChat = OPENAI, call: TextCall | None = None, done: bool = True
) -> list[TextChunk]:
    return list(read_events(as_events(items, done=done), codec, call))


def read_bytes(pieces: Iterable[bytes], codec: OpenAIChat = OPENAI, call: TextCall | None = None) -> list[TextChunk]:
    """The chunks of a stream that arrives in these pieces."""
    framer = SSEFramer()
    events = [event for piece in pieces for event in framer.feed(piece)]
    return list(read_events([*events, *framer.flush()], codec, call))


def gather(chunks: Iterable[TextChunk], model: str = "any-model") -> ProviderResponse:
    """The response that chunks amount to, gathered as the runner does."""
    gathered = Accumulator(model)
    for item in chunks:
        gathered.add(item)
    return gathered.response()


def stream(
    *items: Any, codec: OpenAIChat = OPENAI, call: TextCall | None = None, done: bool = True
) -> ProviderResponse:
    """The response that a stream of these events amounts to."""
    return gather(read_stream(*items, codec=codec, call=call, done=done))


def bare(response: ProviderResponse) -> ProviderResponse:
    """Without the received bytes, which only whole replies keep."""
    return replace(response, body=b"")


def unmarked(citation: Citation) -> Citation:
    """Without the vendor's own object."""
    return replace(citation, opaque=None)


def citations_of(response: ProviderResponse) -> tuple[Citation, ...]:
    """The sources of the answer's text, without the vendor's own objects."""
    parts = response.message.parts if response.message else ()
    return tuple(unmarked(item) for part in parts if isinstance(part, Text) for item in part.citations)
