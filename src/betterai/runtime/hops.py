"""An answer that takes more than one request: what came before a pause is kept, and joined with what follows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import getrandbits
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.codec import TextCall, TextExchange
from betterai.core.exceptions import BetterAIError, ProviderError, StreamInterrupted
from betterai.core.message import AnyPart, Message, Opaque, ToolCall
from betterai.core.price import price_usage
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.usage import Cost, Usage
from betterai.core.wire import WireRequest
from betterai.runtime.encoding import encode_request
from betterai.runtime.media.loading import media_sizes

LARGE_BODY = 1024 * 1024
"""Bodies with more media than this are written in a thread, so that the loop is not held up."""


class Hops:
    """The requests of one answer. `call` is the one that the next reply answers; `offset` the index of its first tool
    call. `most` is how many requests there may be.
    """

    def __init__(self, codec: TextExchange, call: TextCall, request: WireRequest, most: int) -> None:
        self.call = call
        self.offset = 0
        self._codec = codec
        self._first = call
        self._known = set(request.warnings)
        self._warnings: list[CallWarning] = []
        self._most = most
        self._made = 1
        self._replies: list[ProviderResponse] = []
        self._costs: list[Cost] = []

    async def follow(self, result: ProviderResponse | WireRequest) -> WireRequest | None:
        """Take up a reply; the request to make next, or None where the answer is as whole as it gets."""
        if isinstance(result, WireRequest):
            if self._made >= self._most:
                raise ProviderError(
                    f"the answer was not complete after {self._made} requests", hint="allow more: CoreConfig(hops=…)"
                )
            return await self._write(result, self._first)
        self._add(result)
        if result.finish_reason != "pause" or result.alternatives or self._made >= self._most:
            return None
        ask = getattr(self._codec, "continue_request", None)
        following = ask(self._first, self._said_so_far(result)) if ask is not None else None
        if isinstance(following, WireRequest):
            return await self._write(following, self._first)
        if following is None:
            return None
        request = await _in_thread_if_large(following, self._codec.build_request, following)
        return await self._write(request, following)

    async def _write(self, request: WireRequest, call: TextCall) -> WireRequest:
        """Ids that codecs make up derive from the call's: so each request has one of its own."""
        self._made += 1
        self.call = msgspec.structs.replace(call, id=f"{getrandbits(128):032x}")
        for warning in request.warnings:
            if warning not in self._known:
                self._known.add(warning)
                self._warnings.append(warning)
        return await _in_thread_if_large(call, encode_request, request, call.settings.extra_body)

    def _add(self, reply: ProviderResponse) -> None:
        message = reply.message or Message.assistant(reply.content)
        parts = tuple([shift_part(part, self.offset) for part in message.parts])
        self.offset = max([self.offset, *(part.index + 1 for part in parts if isinstance(part, ToolCall))])
        self._replies.append(msgspec.structs.replace(reply, message=msgspec.structs.replace(message, parts=parts)))
        self._costs.append(price_usage(reply.usage, self._first.model.price))

    def _said_so_far(self, last: ProviderResponse) -> ProviderResponse:
        """For the codec: whatever belongs to the last reply alone is the last reply's."""
        joined = self.response()
        message = joined.message or Message(role="assistant")
        said = last.message.opaque if last.message is not None else None
        return msgspec.structs.replace(joined, message=msgspec.structs.replace(message, opaque=said))

    def response(self) -> ProviderResponse:
        """All replies as one. Who answered, the finish reason and the body are the last one's; each is priced by
        itself, for long inputs have other rates.
        """
        first, *others = self._replies or [ProviderResponse(content="", message=Message(role="assistant"))]
        joined = first
        for reply in others:
            joined = _join(joined, reply)
        costs = self._costs or [Cost()]
        return msgspec.structs.replace(
            joined,
            tokens_used=joined.usage.total_tokens if joined.usage is not None else None,
            cost=sum(costs[1:], costs[0]),
            warnings=_unique((*self._warnings, *joined.warnings)),
        )

    def interrupt(self, error: BetterAIError, last: ProviderResponse | None = None) -> BetterAIError:
        """The error of a later request as that of the answer: `partial` holds what came of all. `last` is what came of
        the reply that broke off, if anything.
        """
        if not self._replies:
            return error
        own = error.partial if isinstance(error, StreamInterrupted) else None
        if (last := own or last) is not None:
            self._add(last)
        partial = msgspec.structs.replace(self.response(), finish_reason=None, raw_finish_reason="")
        interrupted = StreamInterrupted(f"the answer broke off after a pause: {error.message}", partial=partial)
        interrupted.__dict__.update({name: value for name, value in error.__dict__.items() if name in _CARRIED})
        interrupted.retryable = error.retryable
        interrupted.hint = "go on from `error.partial`, or ask again"
        interrupted.__cause__ = error
        return interrupted

    def shift(self, chunk: TextChunk) -> TextChunk:
        """A chunk of a later reply: its tool calls go on counting."""
        if not self.offset or (chunk.tool_call is None and not isinstance(chunk.part, ToolCall)):
            return chunk
        delta = chunk.tool_call
        if delta is not None:
            delta = msgspec.structs.replace(delta, index=delta.index + self.offset)
        part = None if chunk.part is None else shift_part(chunk.part, self.offset)
        return msgspec.structs.replace(chunk, tool_call=delta, part=part)


async def _in_thread_if_large(call: TextCall, work: Callable[..., WireRequest], *arguments: Any) -> WireRequest:
    if media_sizes(call.input) <= LARGE_BODY:
        return work(*arguments)
    from asyncio import to_thread

    return await to_thread(work, *arguments)


_CARRIED = frozenset(
    {"provider", "model", "status", "code", "provider_message", "request_id", "headers", "body", "attempts",
     "retry_after"}
)  # fmt: skip


def shift_part(part: AnyPart, offset: int) -> AnyPart:
    if offset and isinstance(part, ToolCall):
        return msgspec.structs.replace(part, index=part.index + offset)
    return part


def _join(left: ProviderResponse, right: ProviderResponse) -> ProviderResponse:
    before, after = left.message or Message(role="assistant"), right.message or Message(role="assistant")
    return msgspec.structs.replace(
        right,
        content=left.content + right.content,
        message=msgspec.structs.replace(
            after, parts=(*before.parts, *after.parts), opaque=_join_opaque(before.opaque, after.opaque)
        ),
        usage=_add_usage(left.usage, right.usage),
        logprobs=(*(left.logprobs or ()), *(right.logprobs or ())) or None,
        warnings=(*left.warnings, *right.warnings),
    )


def _add_usage(left: Usage | None, right: Usage | None) -> Usage | None:
    return left + right if left is not None and right is not None else left or right


def _join_opaque(left: Opaque | None, right: Opaque | None) -> Opaque | None:
    """What replies said of their messages as a whole, field by field, the later one on top."""
    if left is None or right is None or (left.protocol, left.provider) != (right.protocol, right.provider):
        return right or left
    try:
        fields = [msgspec.json.decode(item.data, type=dict[str, Raw]) for item in (left, right)]
    except msgspec.DecodeError:
        return right
    return msgspec.structs.replace(right, data=Raw(msgspec.json.encode({**fields[0], **fields[1]})))


def _unique(warnings: Iterable[CallWarning]) -> tuple[CallWarning, ...]:
    return tuple(dict.fromkeys(warnings))
