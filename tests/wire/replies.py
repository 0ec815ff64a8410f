"""Generated answers in our own types, whole and as the chunks that a provider's stream would be read as."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import Raw

from betterai.core.media import Media
from betterai.core.message import (
    AnyPart,
    Citation,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from betterai.core.response import ProviderResponse, TextChunk, TokenLogprob, ToolCallDelta
from betterai.core.usage import Usage
from wire.calls import THOUGHTS, words

SIGNED = {**THOUGHTS, "openai_chat": THOUGHTS["openai_chat"]}
drawn = st.just(MediaPart(media=Media(kind="image", mime_type="image/png", base64="iVBORw0KGgo=")))
sources = st.builds(
    lambda start, end: Citation(url="https://example.com/a", title="A", start=start, end=start + end, text=""),
    st.integers(0, 1),
    st.integers(1, 2),
)
arguments = st.sampled_from(['{"a":"x"}', '{"a": 1e2}', "{}"])
counts = st.integers(0, 50)
usages = st.builds(
    Usage,
    text_in=counts,
    text_out=counts,
    reasoning=st.none() | counts,
    cached=st.sampled_from([{}, {"text": 0}, {"text": 7}]),
    cache_write=st.sampled_from([{}, {}, {"": 5}, {"1h": 5}]),
    audio_in=st.sampled_from([0, 0, 3]),
    audio_out=st.sampled_from([0, 0, 3]),
    units=st.sampled_from([{}, {}, {"search": 1.0}]),
    tier=st.sampled_from(["", "", "priority"]),
)
tokens = st.just((TokenLogprob(token="w", logprob=-0.5, bytes=(119,)),))


@st.composite
def answers(draw: st.DrawFn, protocol: str) -> tuple[AnyPart, ...]:
    parts: list[AnyPart] = []
    if draw(st.booleans()):
        data = Raw(msgspec.json.encode(SIGNED[protocol]))
        own = Opaque(protocol=protocol, provider="any", model="any-model", data=data)
        text = draw(words)
        if protocol == "openai_responses":
            said = [{"type": "summary_text", "text": text}]
            own = msgspec.structs.replace(own, data=Raw(msgspec.json.encode({**SIGNED[protocol], "summary": said})))
        parts.append(Reasoning(text=text, opaque=draw(st.sampled_from([None, own]))))
    if draw(st.booleans()):
        parts.append(Text(text=draw(words), citations=tuple(draw(st.lists(sources, max_size=1)))))
    elif draw(st.booleans()):
        parts.append(Refusal(text=draw(words)))
    if draw(st.sampled_from([False, False, True])):
        parts.append(draw(drawn))
    for index in range(draw(st.integers(0, 2))):
        custom = draw(st.sampled_from([False, False, False, True]))
        call = ToolCall(id=f"call_{index}", name="look", arguments=draw(arguments), index=index)
        parts.append(msgspec.structs.replace(call, kind="custom", name="write", arguments="go") if custom else call)
    return tuple(parts) or (Text(text=draw(words)),)


@st.composite
def responses(draw: st.DrawFn, protocol: str) -> ProviderResponse:
    def one(index: int) -> ProviderResponse:
        parts = draw(answers(protocol))
        called = any(isinstance(part, ToolCall) for part in parts)
        refused = any(isinstance(part, Refusal) for part in parts)
        ends: list[Any] = ["length", "content_filter", "pause", "other"]
        return ProviderResponse(
            content="".join(part.text for part in parts if isinstance(part, Text)),
            model="model-1",
            message=Message(role="assistant", parts=parts),
            finish_reason=draw(st.sampled_from(["tool_calls" if called else "refusal" if refused else "stop", *ends])),
            logprobs=draw(st.none() | tokens) if any(isinstance(part, Text) for part in parts) else None,
        )

    first = one(0)
    others = (one(1),) if draw(st.sampled_from([False, False, True])) else ()
    return msgspec.structs.replace(first, id="id-1", usage=draw(st.none() | usages), alternatives=others)


def as_chunks(response: ProviderResponse) -> Iterator[TextChunk]:
    """Each choice after the other: deltas of each part, then the part; how it ended, and the usage."""
    head: dict[str, Any] = {"model": response.model, "id": response.id}
    for index, item in enumerate((response, *response.alternatives)):
        logprobs = item.logprobs
        for part in item.message.parts if item.message else ():
            for piece in _pieces(part):
                shown = {"logprobs": logprobs} if piece.get("content") and logprobs else {}
                logprobs = None if shown else logprobs
                yield TextChunk(choice=index, **head, **piece, **shown)
            yield TextChunk(choice=index, part=part, **head)
        yield TextChunk(
            choice=index, finish_reason=item.finish_reason, raw_finish_reason=item.raw_finish_reason, **head
        )
    if response.usage is not None:
        yield TextChunk(usage=response.usage, **head)


def _pieces(part: AnyPart) -> Iterator[dict[str, Any]]:
    if isinstance(part, ToolCall):
        yield {"tool_call": ToolCallDelta(index=part.index, id=part.id, name=part.name)}
        for piece in (part.arguments[:2], part.arguments[2:]):
            if piece:
                yield {"tool_call": ToolCallDelta(index=part.index, arguments=piece)}
    elif isinstance(part, Text | Reasoning):
        for piece in (part.text[:2], part.text[2:]):
            yield {"content" if isinstance(part, Text) else "reasoning": piece}
        for citation in part.citations if isinstance(part, Text) else ():
            yield {"citation": citation}
    elif isinstance(part, MediaPart):
        yield {"media": part.media}
