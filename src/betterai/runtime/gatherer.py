"""The chunks of one reply of a stream, gathered; and a whole reply where a stream was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from betterai.core.accumulate import Accumulator
from betterai.core.message import AnyPart, MediaPart, Message, Reasoning, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireRequest
from betterai.runtime.hops import Hops


class Gatherer(Accumulator):
    """What one reply of a stream amounts to. It keeps back what must not be shown before it is known whether the answer
    goes on: that it paused, and its usage.
    """

    def __init__(self, model: str, hops: Hops | None) -> None:
        super().__init__(model)
        self._hops = hops
        self._later = hops is not None
        self._ended = False
        self._early: list[TextChunk] = []
        self._kept: list[TextChunk] = []
        self._kept_usage = self._later

    def take(self, chunk: TextChunk) -> TextChunk | None:
        """The chunk, as far as it may be shown now; None where nothing of it may."""
        self.add(chunk)
        reason = chunk.finish_reason
        self._ended = self._ended or (reason is not None and reason != "pause")
        hides: dict[str, Any] = {}
        if reason == "pause":
            hides = {"finish_reason": None, "raw_finish_reason": ""}
            self._kept.append(
                TextChunk(finish_reason=reason, raw_finish_reason=chunk.raw_finish_reason, choice=chunk.choice)
            )
        if chunk.usage is not None and (self._later or not self._ended):
            hides["usage"], self._kept_usage = None, True
        if not hides:
            return chunk
        shown = msgspec.structs.replace(chunk, **hides)
        return shown if any(getattr(shown, name) for name in _SHOWN) else None

    def hold_back(self, chunks: Iterator[TextChunk]) -> Iterator[TextChunk]:
        """The chunks from the first one with content on, what came before it in front: until then nothing is shown, so
        that another try, or another target, may begin the answer unseen.
        """
        for chunk in chunks:
            self._early.append(chunk)
            if holds_content(chunk):
                yield from self._release()
                yield from chunks

    def _release(self) -> list[TextChunk]:
        early, self._early = self._early, []
        return early

    def take_all(self, chunks: Iterable[TextChunk]) -> list[TextChunk]:
        """The last chunks; where there was no content, all that there is."""
        shown = self._release() + [taken for chunk in chunks if (taken := self.take(chunk)) is not None]
        return shown if self._hops is None else [self._hops.shift(chunk) for chunk in shown]

    def last_chunks(self, usage: Usage | None) -> Sequence[TextChunk]:
        """What was kept back, once it is known that the answer does not go on; `usage` is that of all replies."""
        return [*self._kept, *([TextChunk(usage=usage)] if self._kept_usage and usage is not None else [])]


def holds_content(chunk: TextChunk) -> bool:
    """Whether a chunk says something of the answer. Who answers, and what it costs, is no content yet."""
    return bool(chunk.content or chunk.reasoning or any(getattr(chunk, name) is not None for name in _CONTENT))


_CONTENT = ("tool_call", "part", "finish_reason", "media", "citation", "logprobs")
_SHOWN = (
    "content", "reasoning", "tool_call", "part", "media", "citation", "logprobs", "reset", "opaque", "finish_reason",
    "usage",
)  # fmt: skip


class WholeAnswer:
    """A server that was asked for a stream and gave a whole answer: a stream that has been read to its end."""

    def __init__(self, result: ProviderResponse | WireRequest) -> None:
        self.done = self.ending = True
        self._result = result

    def parse_event(self, event: Event) -> Sequence[TextChunk]:
        return ()

    def finish(self) -> Sequence[TextChunk]:
        return () if isinstance(self._result, WireRequest) else tuple(chunks_of(self._result))


def chunks_of(response: ProviderResponse) -> Iterable[TextChunk]:
    """A whole answer as a stream says it: each part for showing, then as a part."""
    for index, choice in enumerate((response, *response.alternatives)):
        message = choice.message or Message.assistant(choice.content)
        for part in message.parts:
            if (shown := _show(part, index)) is not None:
                yield shown
            yield TextChunk(part=part, choice=index)
        yield TextChunk(
            finish_reason=choice.finish_reason,
            raw_finish_reason=choice.raw_finish_reason,
            choice=index,
            opaque=message.opaque,
            logprobs=choice.logprobs,
        )
    if response.usage is not None:
        yield TextChunk(usage=response.usage)


def _show(part: AnyPart, choice: int) -> TextChunk | None:
    """None for what streams give as parts only."""
    if isinstance(part, Text):
        return TextChunk(content=part.text, choice=choice) if part.text else None
    if isinstance(part, Reasoning):
        return TextChunk(reasoning=part.text, choice=choice) if part.text else None
    if isinstance(part, ToolCall):
        delta = ToolCallDelta(index=part.index, id=part.id, name=part.name, arguments=part.arguments)
        return TextChunk(tool_call=delta, choice=choice)
    return TextChunk(media=part.media, choice=choice) if isinstance(part, MediaPart) else None
