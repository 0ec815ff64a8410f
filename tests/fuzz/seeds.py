"""Valid bodies to begin from: what the server halves write of answers in our types, and the codecs of calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.exceptions import BetterAIError, OverloadedError, RateLimitError
from betterai.core.media import Media
from betterai.core.message import (
    Citation,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.response import ProviderResponse, TokenLogprob
from betterai.core.settings import GenerationSettings, StreamOptions
from betterai.core.tools import Tool
from betterai.core.usage import Usage
from betterai.core.wire import Call
from betterai.runtime.encoding import encode_request
from betterai.wire.surfaces import SURFACES
from contract.cases import SETTINGS
from recordings.store import READINGS, body_of, exchange_files, load, streamed
from wire.replies import SIGNED, as_chunks
from wire.test_any_to_any import CODECS, MODEL

USAGE = Usage(text_in=7, text_out=9, reasoning=2, cached={"text": 3}, cache_write={"1h": 2}, units={"search": 1.0})
CALL: Any = Call(
    model=MODEL,
    input=(Message.user("Hi"),),
    settings=GenerationSettings(tools=[Tool(name="look")], stream_options=StreamOptions(include_usage=True)),
    stream=True,
    id="0" * 32,
    now=1.8e9,
)
"""The call that all answers here are read as answers to."""
PICTURE = Media(kind="image", mime_type="image/png", base64="iVBORw0KGgo=")


def answers(protocol: str) -> Iterator[ProviderResponse]:
    thought = Opaque(
        protocol=protocol, provider="any", model="any-model", data=Raw(msgspec.json.encode(SIGNED[protocol]))
    )
    source = Citation(url="https://example.com/a", title="A", start=0, end=2, text="")
    bodies: list[tuple[Any, Any, dict[str, Any]]] = [
        ("stop", (Reasoning(text="hm", opaque=thought), Text(text="Hello", citations=(source,))), {"usage": USAGE}),
        ("stop", (Text(text="Hi é"),), {"logprobs": (TokenLogprob(token="Hi", logprob=-0.5, bytes=(72, 105)),)}),
        ("tool_calls", (Text(text="so"), _call(0, '{"a": 1e2}'), _call(1, "{}")), {"usage": USAGE}),
        ("refusal", (Refusal(text="no"),), {}),
        ("length", (Text(text="and"), MediaPart(media=PICTURE)), {"usage": Usage(text_in=1)}),
        ("content_filter", (), {}),
    ]
    for reason, parts, more in bodies:
        text = "".join(part.text for part in parts if isinstance(part, Text))
        yield ProviderResponse(
            content=text, model="m-1", id="id-1", message=Message(role="assistant", parts=parts), finish_reason=reason, **more
        )  # fmt: skip


def _call(index: int, arguments: str) -> ToolCall:
    return ToolCall(id=f"call_{index}", name="look", arguments=arguments, index=index)


def bodies_of(protocol: str) -> tuple[bytes, ...]:
    """Whole answers."""
    surface = SURFACES[protocol]()
    written = [surface.build_response(CALL, item).content for item in answers(protocol)]
    return tuple(written)


def streams_of(protocol: str) -> tuple[tuple[bytes, ...], ...]:
    """Streamed answers, each as the pieces that are written for a chunk; the last is of the end."""
    found = []
    for item in answers(protocol):
        state: dict[str, Any] = {}
        surface = SURFACES[protocol]()
        found.append(tuple(surface.build_event(CALL, chunk, state) for chunk in (*as_chunks(item), None)))
    return tuple(found)


def errors_of(protocol: str) -> tuple[bytes, ...]:
    said = (OverloadedError("busy", status=503, code="busy"), RateLimitError("slow down", status=429, retry_after=3))
    return tuple(SURFACES[protocol]().build_error(error).content for error in said)


def requests_of(protocol: str) -> tuple[tuple[str, bytes], ...]:
    """The URL and the body of calls: a long conversation, and one with each setting that the protocol has."""
    thought = Opaque(
        protocol=protocol, provider="any", model="any-model", data=Raw(msgspec.json.encode(SIGNED[protocol]))
    )
    long = (
        Message.system("Be brief"),
        Message(role="user", parts=(Text(text="Look"), MediaPart(media=PICTURE))),
        Message(role="assistant", parts=(Reasoning(text="hm", opaque=thought), Text(text="so"), _call(0, '{"a":1}'))),
        Message(role="tool", parts=(ToolResult(id="call_0", name="look", parts=(Text(text="seen"),)),)),
        Message.user("And?"),
    )
    found = []
    for messages, given in [(long, {}), *(((Message.user("Hi"),), {name: SETTINGS[name]}) for name in SETTINGS)]:
        settings = GenerationSettings(**given)
        call = msgspec.structs.replace(CALL, input=messages, settings=settings)
        try:
            request = encode_request(CODECS[protocol].build_request(call), settings.extra_body)
        except BetterAIError:
            continue
        if isinstance(request.body, bytes) and (request.url, request.body) not in found:
            found.append((request.url, request.body))
    return tuple(found)


COHERE = (
    {"id": "c", "finish_reason": "TOOL_CALL", "message": {"role": "assistant", "tool_plan": "look", "tool_calls": [
        {"id": "t", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
     "usage": {"billed_units": {"input_tokens": 3, "output_tokens": 2}, "tokens": {"input_tokens": 5, "output_tokens": 2}}},
    {"id": "c", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": [
        {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hello"}], "citations": [
        {"start": 0, "end": 5, "text": "Hello", "sources": [{"type": "document", "id": "d", "document": {"id": "d", "title": "A"}}],
         "content_index": 1, "type": "TEXT_CONTENT"}]}, "logprobs": [{"text": "Hello", "token_ids": [1], "logprobs": [-0.5]}]},
)  # fmt: skip
COHERE_EVENTS = (
    {"type": "message-start", "id": "c", "delta": {"message": {"role": "assistant", "content": [], "tool_calls": []}}},
    {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "look"}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "thinking", "thinking": ""}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"thinking": "hm"}}}},
    {"type": "content-end", "index": 0},
    {"type": "content-start", "index": 1, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
    {"type": "content-delta", "index": 1, "delta": {"message": {"content": {"text": "Hello"}}}},
    {"type": "citation-start", "index": 0, "delta": {"message": {"citations": {
        "start": 0, "end": 5, "text": "Hello", "sources": [{"type": "tool", "id": "t:0", "tool_output": {"a": 1}}]}}}},
    {"type": "citation-end", "index": 0},
    {"type": "content-end", "index": 1},
    {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": {
        "id": "t", "type": "function", "function": {"name": "look", "arguments": ""}}}}},
    {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": "{}"}}}}},
    {"type": "tool-call-end", "index": 0},
    {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": {"tokens": {"input_tokens": 5, "output_tokens": 2}}}},
)  # fmt: skip
OLLAMA = {
    "model": "m-1", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": "Hello", "thinking": "hm",
    "images": ["iVBORw0KGgo="], "tool_calls": [{"id": "t", "function": {"index": 0, "name": "look", "arguments": {"a": 1}}}]},
    "done": True, "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 2, "total_duration": 9,
    "logprobs": [{"token": "Hello", "logprob": -0.5, "bytes": [72], "top_logprobs": [{"token": "Hi", "logprob": -1.5}]}],
}  # fmt: skip
OLLAMA_EVENTS = (
    {"model": "m-1", "message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": False},
    {"model": "m-1", "message": {"role": "assistant", "content": "Hello"}, "done": False, "logprobs": OLLAMA["logprobs"]},
    {"model": "m-1", "message": {"role": "assistant", "content": "", "tool_calls": [
        {"function": {"name": "look", "arguments": {"a": 1}}}]}, "done": False},
    {"model": "m-1", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", "eval_count": 2},
)  # fmt: skip


def _encode(*values: Any) -> tuple[bytes, ...]:
    return tuple(msgspec.json.encode(value) for value in values)


OWN_BODIES = {"cohere_chat": _encode(*COHERE), "ollama_chat": _encode(OLLAMA)}
"""Whole answers of the protocols that have no server half."""
OWN_STREAMS = {
    "cohere_chat": tuple(b"event: x\ndata: " + item + b"\n\n" for item in _encode(*COHERE_EVENTS)),
    "ollama_chat": tuple(item + b"\n" for item in _encode(*OLLAMA_EVENTS)),
}
OWN_ERRORS = {"cohere_chat": _encode({"message": "busy", "id": "e"}), "ollama_chat": _encode({"error": "busy"})}


def recorded(protocol: str) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
    """Whole answers, streams and errors that services gave, where the recorded exchanges are here: those of some KiB."""
    whole, streams, errors = list[bytes](), list[bytes](), list[bytes]()
    for file in exchange_files(protocol) if protocol in READINGS else ():
        exchange = load(file)
        if streamed(exchange):
            streams.append(body_of(exchange))
        elif (body := (exchange["response"] or {}).get("body")) is not None:
            (errors if exchange["error"] else whole).append(msgspec.json.encode(body))
    return tuple(tuple(item for item in found if len(item) < 16384) for found in (whole, streams, errors))  # type: ignore[return-value]
