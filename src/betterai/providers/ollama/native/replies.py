"""Replies as our responses; what streamed ones amount to must be the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from betterai.core.codec import TextCall
from betterai.core.media import Media
from betterai.core.message import AnyPart, MediaPart, Message, Reasoning, Text, ToolCall
from betterai.core.response import FinishReason, ProviderResponse, TokenLogprob
from betterai.core.usage import Usage
from betterai.providers.ollama.native.shapes import NONE, ChatShape, MessageShape, TokenShape, ToolCallShape

PROTOCOL = "ollama_chat"
FINISH_REASONS: Mapping[str, FinishReason] = {"stop": "stop", "length": "length"}
"""`load` and `unload` answer requests without messages."""


def finish_reason_of(word: str, *, called: bool) -> FinishReason:
    """Our word for theirs. There is none for tool calls: it says that the answer stopped."""
    reason = FINISH_REASONS.get(word, "other")
    return "tool_calls" if called and reason == "stop" else reason


def parse_reply(call: TextCall, shape: ChatShape, body: bytes) -> ProviderResponse:
    """The reply as our response."""
    message = shape.message or MessageShape()
    parts = assemble_parts(
        thoughts=message.thinking or "",
        text=message.content or "",
        images=message.images or (),
        tool_calls=[parse_tool_call(item, call, index) for index, item in enumerate(message.tool_calls or ())],
    )
    usage, word = parse_usage(shape), shape.done_reason or ""
    return ProviderResponse(
        content=message.content or "",
        model=shape.model or call.model.id,
        message=Message(role="assistant", parts=parts),
        usage=usage,
        tokens_used=usage.total_tokens if usage else None,
        finish_reason=finish_reason_of(word, called=bool(message.tool_calls)),
        raw_finish_reason=word,
        logprobs=parse_logprobs(shape.logprobs),
        body=body,
    )


def assemble_parts(
    *, thoughts: str, text: str, images: Iterable[str], tool_calls: Sequence[ToolCall]
) -> tuple[AnyPart, ...]:
    """The parts of an answer, in the order that both whole and streamed replies give them."""
    parts: list[AnyPart] = []
    if thoughts:
        parts.append(Reasoning(text=thoughts))
    if text:
        parts.append(Text(text=text))
    parts.extend(MediaPart(media=Media(kind="image", base64=image)) for image in images)
    parts.extend(tool_calls)
    return tuple(parts)


def parse_tool_call(shape: ToolCallShape, call: TextCall, index: int) -> ToolCall:
    """One call. Earlier versions give no ids: the same one is made for the same call."""
    function = shape.function
    arguments = "" if function is None or function.arguments is NONE else bytes(function.arguments).decode()
    return ToolCall(
        id=shape.id or "_".join(filter(None, ("call", call.id, str(index)))),
        name="" if function is None else function.name,
        arguments=arguments,
        index=index,
    )


def parse_usage(shape: ChatShape) -> Usage | None:
    """Tokens read and written; what was read from the cache is not told apart, nor are thoughts."""
    if shape.prompt_eval_count is None and shape.eval_count is None:
        return None
    return Usage(text_in=shape.prompt_eval_count or 0, text_out=shape.eval_count or 0)


def parse_logprobs(shapes: Iterable[TokenShape] | None) -> tuple[TokenLogprob, ...] | None:
    return tuple(_read_token(shape) for shape in shapes or ()) or None


def _read_token(shape: TokenShape) -> TokenLogprob:
    return TokenLogprob(
        token=shape.token,
        logprob=-9999.0 if shape.logprob is None else shape.logprob,
        bytes=None if shape.bytes is None else tuple(shape.bytes),
        top_logprobs=tuple(_read_token(token) for token in shape.top_logprobs or ()),
    )
