"""Whole replies as our responses; what streamed ones amount to must be the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.codec import TextCall
from betterai.core.message import AnyPart, Citation, Message, Opaque, Reasoning, Text, ToolCall
from betterai.core.model import ModelConfig
from betterai.core.price import price_usage
from betterai.core.response import FinishReason, ProviderResponse, TokenLogprob
from betterai.core.usage import Usage
from betterai.providers.cohere.shapes import CITATION, CitationShape, ContentShape, LogprobShape, ReplyShape, UsageShape
from betterai.wire.error_bodies import UNREADABLE

PROTOCOL = "cohere_chat"
FINISH_REASONS: Mapping[str, FinishReason] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR": "error",
    "TIMEOUT": "error",
    "ERROR_TOXIC": "content_filter",
    "ERROR_LIMIT": "length",
}


def finish_reason_of(word: str | None) -> FinishReason | None:
    return None if word is None else FINISH_REASONS.get(word, "other")


def parse_reply(call: TextCall, shape: ReplyShape, body: bytes) -> ProviderResponse:
    """The reply as our response."""
    message = shape.message if not isinstance(shape.message, str) else None
    content = message.content if message is not None else None
    if isinstance(content, str):
        content = [ContentShape(type="text", text=content)]
    calls = (message.tool_calls if message is not None else None) or ()
    parts = assemble_parts(
        call,
        plan=(message.tool_plan if message is not None else None) or "",
        content=[
            (index, item.type, (item.thinking if item.type == "thinking" else item.text) or "")
            for index, item in enumerate(content or ())
        ],
        citations=(message.citations if message is not None else None) or (),
        tool_calls=[
            ToolCall(
                id=item.id or make_tool_call_id(call, index),
                name=(item.function.name if item.function else None) or "",
                arguments=(item.function.arguments if item.function else None) or "",
                index=index,
            )
            for index, item in enumerate(calls)
        ],
    )
    usage = parse_usage(call, shape.usage)
    return ProviderResponse(
        content="".join(part.text for part in parts if isinstance(part, Text)),
        model=call.model.id,
        message=Message(role="assistant", parts=parts),
        usage=usage,
        tokens_used=usage.total_tokens if usage else None,
        finish_reason=finish_reason_of(shape.finish_reason),
        raw_finish_reason=shape.finish_reason or "",
        logprobs=parse_logprobs(shape.logprobs or ()),
        id=shape.id or "",
        body=body,
    )


def make_tool_call_id(call: TextCall, index: int) -> str:
    """An id where none was given: the same for the same call."""
    return "_".join(filter(None, ("call", call.id, str(index))))


def assemble_parts(
    call: TextCall,
    *,
    plan: str,
    content: Sequence[tuple[int, str, str]],
    citations: Sequence[Raw],
    tool_calls: Sequence[ToolCall],
) -> tuple[AnyPart, ...]:
    """The parts of an answer: the plan, then the content by its (index, kind, text), then the tool calls. A citation
    goes to the part that it is of; that of thoughts, which ours have no place for, rides along.
    """
    placed: dict[int, list[Raw]] = {}
    for raw in citations:
        placed.setdefault(find_place(read_citation(raw), content), []).append(raw)
    parts: list[AnyPart] = []
    if plan or _PLAN in placed:
        kept = {"citations": placed[_PLAN]} if _PLAN in placed else {}
        parts.append(Reasoning(text=plan, opaque=_keep(call, kept)))
    for index, kind, text in content:
        raws = placed.get(index, [])
        if kind == "thinking" and (text or raws):
            marked = {"type": "thinking", "citations": raws}
            parts.append(Reasoning(text=text, opaque=_keep(call, marked) if raws else None))
        elif text or raws:
            parts.append(Text(text=text, citations=tuple(parse_citation(raw, call.model) for raw in raws)))
    parts.extend(tool_calls)
    return tuple(parts)


_PLAN = -1


def find_place(shape: CitationShape, content: Sequence[tuple[int, str, str]]) -> int:
    """The index of the content that a citation is of: the one it names, else the first of its kind, else the plan."""
    if shape.type == "PLAN":
        return _PLAN
    thinking = shape.type == "THINKING_CONTENT"
    indexes = [index for index, kind, _ in content if (kind == "thinking") == thinking]
    return shape.content_index if shape.content_index in indexes else next(iter(indexes), _PLAN)


def read_citation(raw: Raw) -> CitationShape:
    """The citation, or an empty one where it is in no form that is known."""
    try:
        return CITATION.decode(raw)
    except UNREADABLE:
        return CitationShape()


def _keep(call: TextCall, data: Mapping[str, Any]) -> Opaque:
    """What only this protocol understands; nothing at all marks a plan."""
    encoded = Raw(msgspec.json.encode(data))
    return Opaque(protocol=PROTOCOL, provider=call.model.provider, model=call.model.id, data=encoded)


def parse_citation(raw: Raw, model: ModelConfig | None = None) -> Citation:
    """One citation; `url` and `title` are those of its first source that has any. `model` is the one that gave it."""
    shape = read_citation(raw)
    url, title = "", ""
    for source in shape.sources or ():
        about = source.document or source.tool_output or {}
        url = url or _to_text(about.get("url"))
        title = title or _to_text(about.get("title"))
    provider, id = (model.provider, model.id) if model is not None else ("", "")
    opaque = Opaque(protocol=PROTOCOL, provider=provider, model=id, data=raw)
    return Citation(url=url, title=title, start=shape.start, end=shape.end, text=shape.text or "", opaque=opaque)


def is_of_text(raw: Raw) -> bool:
    """Whether a citation is of the answer's text, and not of thoughts."""
    return read_citation(raw).type not in ("PLAN", "THINKING_CONTENT")


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def parse_logprobs(shapes: Iterable[LogprobShape]) -> tuple[TokenLogprob, ...] | None:
    """Pieces of text with their log probabilities: that of a piece of several tokens is the sum of theirs."""
    return tuple(TokenLogprob(token=item.text or "", logprob=sum(item.logprobs or ())) for item in shapes) or None


def parse_usage(call: TextCall, shape: UsageShape | None) -> Usage | None:
    """Disjoint counters of `tokens`, or of `billed_units` where those are missing; None where the body gave none.

    Cached and reasoning tokens are among the input and output tokens, image tokens beside them. `stated_cost` is that
    of the billed units, which are fewer: instructions that Cohere puts around the conversation are free.
    """
    if shape is None or (shape.tokens is None and shape.billed_units is None):
        return None
    tokens, billed = shape.tokens, shape.billed_units
    stated = tokens if tokens is not None and tokens.input_tokens is not None else billed
    if stated is None or (stated.input_tokens is None and stated.output_tokens is None):
        return None
    total_in, total_out = stated.input_tokens or 0, stated.output_tokens or 0
    cached, thought = shape.cached_tokens, tokens.reasoning_tokens if tokens is not None else None
    read, reasoning = min(cached or 0, total_in), min(thought or 0, total_out)
    searches = billed.search_units if billed is not None else None
    usage = Usage(
        text_in=total_in - read,
        image_in=(tokens.image_tokens or 0) if tokens is not None else 0,
        cached={} if cached is None else {"text": read},
        text_out=total_out - reasoning,
        reasoning=None if thought is None else reasoning,
        units={} if searches is None else {"search": searches},
    )
    if tokens is None or billed is None:
        return usage
    paid = Usage(text_in=billed.input_tokens or 0, text_out=billed.output_tokens or 0, units=usage.units)
    cost = price_usage(paid, call.model.price)
    return msgspec.structs.replace(usage, stated_cost=cost.amount if cost.status == "exact" else None)
