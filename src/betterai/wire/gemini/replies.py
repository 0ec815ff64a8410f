"""Whole candidates as our responses; what streamed ones amount to must be the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from betterai.core.message import AnyPart, Message, Opaque, Reasoning, Text, ToolCall
from betterai.core.response import FinishReason, ProviderResponse, TokenLogprob
from betterai.wire.gemini.fields import PROTOCOL, finish_word
from betterai.wire.gemini.grounding import Keep, Sources
from betterai.wire.gemini.parts import PartReader
from betterai.wire.gemini.shapes import PLAIN_PART, CandidateShape, LogprobsShape, ReplyShape, TokenShape
from betterai.wire.gemini.usage import parse_usage
from betterai.wire.tool_call_ids import make_tool_call_id

if TYPE_CHECKING:
    from betterai.core.codec import TextCall
    from betterai.wire.gemini.client import Gemini


def parse_candidates(codec: Gemini, call: TextCall, shape: ReplyShape, body: bytes) -> ProviderResponse:
    """The first candidate, and the others, in the order of their indexes, as its alternatives. There is none where the
    prompt was blocked, and where the model, though it was paid, said nothing.
    """
    model = shape.model_version or call.model.id
    candidates = sorted(shape.candidates or (), key=attrgetter("index"))
    read = [(candidate, _read_sources(candidate)) for candidate in candidates]
    usage = parse_usage(shape.usage_metadata, max((sources.searches for _, sources in read), default=0))
    more: dict[str, Any] = {"usage": usage, "id": shape.response_id or "", "body": body}
    more["tokens_used"] = usage.total_tokens if usage is not None else None
    if not candidates:
        word = finish_word(shape.prompt_feedback.block_reason if shape.prompt_feedback else None)
        more |= {"finish_reason": "content_filter" if word else "other", "raw_finish_reason": word}
        return ProviderResponse(content="", model=model, message=Message(role="assistant"), **more)
    first, *others = read
    more["alternatives"] = tuple(_parse_candidate(codec, call, *item, model, {}) for item in others)
    return _parse_candidate(codec, call, *first, model, more)


def _read_sources(shape: CandidateShape) -> Sources:
    sources = Sources()
    sources.read(shape.grounding_metadata, shape.citation_metadata)
    return sources


def _parse_candidate(
    codec: Gemini, call: TextCall, shape: CandidateShape, sources: Sources, model: str, more: dict[str, Any]
) -> ProviderResponse:
    reader = open_reader(call, shape.index)
    content = shape.content.parts if shape.content is not None else None
    parts: Sequence[AnyPart] = [parse_part(raw, reader) for raw in content or ()]
    if sources:
        parts = sources.cite(parts, keeper(call))
    word = finish_word(shape.finish_reason)
    return ProviderResponse(
        content="".join(part.text for part in parts if isinstance(part, Text)),
        model=model,
        message=Message(role="assistant", parts=tuple(parts), opaque=keep_token(call, shape.continuation_token, word)),
        finish_reason=codec.finish_reason_of(word, parts),
        raw_finish_reason=word,
        logprobs=parse_logprobs(shape.logprobs_result),
        **more,
    )


def open_reader(call: TextCall, choice: int) -> PartReader:
    def make_id(index: int) -> str:
        return make_tool_call_id(call, index, choice)

    return PartReader(make_id, call.model.provider, call.model.id)


def parse_part(raw: Raw, reader: PartReader) -> AnyPart:
    """One part of an answer; most are plain texts."""
    try:
        plain = PLAIN_PART.decode(raw)
    except msgspec.ValidationError:
        return reader.parse(raw)
    if b'"thought"' in bytes(raw) and not plain.thought:
        return reader.parse(raw)
    return Reasoning(text=plain.text) if plain.thought else Text(text=plain.text)


def has_calls(parts: Iterable[AnyPart]) -> bool:
    return any(isinstance(part, ToolCall) and not part.server for part in parts)


def finish_of(reason: FinishReason | None, parts: Iterable[AnyPart]) -> FinishReason | None:
    """A turn that ends with calls of functions ends as any other one in this protocol."""
    return "tool_calls" if reason == "stop" and has_calls(parts) else reason


def keeper(call: TextCall) -> Keep:
    def keep(raw: Raw) -> Opaque:
        return Opaque(protocol=PROTOCOL, provider=call.model.provider, model=call.model.id, data=Raw(bytes(raw)))

    return keep


def keep_token(call: TextCall, token: str | None, word: str) -> Opaque | None:
    """What the next request needs to go on with an answer that is not whole ("" for one that broke off)."""
    if not token or word not in ("CONTINUATION", "MAX_TOKENS", ""):
        return None
    return keeper(call)(Raw(msgspec.json.encode({"continuationToken": token})))


def parse_logprobs(shape: LogprobsShape | None) -> tuple[TokenLogprob, ...] | None:
    if shape is None or not shape.chosen_candidates:
        return None
    tops = shape.top_candidates or []
    return tuple(
        msgspec.structs.replace(
            _read_token(token),
            top_logprobs=tuple(_read_token(item) for item in (tops[index].candidates or ()))
            if index < len(tops)
            else (),
        )
        for index, token in enumerate(shape.chosen_candidates)
    )


def _read_token(shape: TokenShape) -> TokenLogprob:
    """A certain token has no number: 0 is not written in this protocol."""
    return TokenLogprob(token=shape.token or "", logprob=shape.log_probability or 0.0)
