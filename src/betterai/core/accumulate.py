"""From pieces to wholes: chunks to a response, running text to sentences."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator

import msgspec

from betterai.core.exceptions import ValidationError
from betterai.core.message import AnyPart, Message, Opaque, Text
from betterai.core.response import FinishReason, ProviderResponse, TextChunk, TokenLogprob
from betterai.core.usage import Usage


class _Choice:
    def __init__(self) -> None:
        self.parts: list[AnyPart] = []
        self.texts: list[str] = []
        self.logprobs: list[TokenLogprob] = []
        self.finish_reason: FinishReason | None = None
        self.raw_finish_reason = ""
        self.opaque: Opaque | None = None


class Accumulator:
    """Gathers the chunks of one stream. Linear: texts are kept as they come and joined once."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.id = ""
        self.usage: Usage | None = None
        self._choices: dict[int, _Choice] = {}

    def add(self, chunk: TextChunk) -> None:
        if chunk.reset:
            self._choices.clear()
            self.usage = None
        choice = self._choices.get(chunk.choice)
        if choice is None:
            choice = self._choices[chunk.choice] = _Choice()
        if chunk.content:
            choice.texts.append(chunk.content)
        if chunk.part is not None:
            choice.parts.append(chunk.part)
        if chunk.logprobs is not None:
            choice.logprobs.extend(chunk.logprobs)
        if chunk.finish_reason is not None:
            choice.finish_reason, choice.raw_finish_reason = chunk.finish_reason, chunk.raw_finish_reason
        if chunk.opaque is not None:
            choice.opaque = chunk.opaque
        if chunk.usage is not None:
            self.usage = chunk.usage
        self.model = chunk.model or self.model
        self.id = chunk.id or self.id

    def response(self) -> ProviderResponse:
        """What came so far, as one response; the second and later choices in `alternatives`."""
        first, *others = [self._choices[index] for index in sorted(self._choices)] or [_Choice()]
        usage = self.usage
        return msgspec.structs.replace(
            self._respond(first),
            usage=usage,
            tokens_used=usage.total_tokens if usage else None,
            alternatives=tuple(self._respond(choice) for choice in others),
            id=self.id,
        )

    def _respond(self, choice: _Choice) -> ProviderResponse:
        parts = tuple(choice.parts)
        finished = [part.text for part in parts if isinstance(part, Text)]
        text = "".join(finished or choice.texts)
        if text and not finished:
            parts = (Text(text=text), *parts)
        return ProviderResponse(
            content=text,
            model=self.model,
            message=Message(role="assistant", parts=parts, opaque=choice.opaque),
            finish_reason=choice.finish_reason,
            raw_finish_reason=choice.raw_finish_reason,
            logprobs=tuple(choice.logprobs) or None,
        )


async def accumulate_chunks(chunks: AsyncIterable[TextChunk], model: str) -> ProviderResponse:
    """The response that a stream amounts to: the one it carries, else the one its chunks make."""
    gathered = Accumulator(model)
    async for chunk in chunks:
        if chunk.response is not None:
            return chunk.response
        gathered.add(chunk)
    return gathered.response()


_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])\s+|\n+")


async def read_text(pieces: AsyncIterable[str | TextChunk]) -> AsyncIterator[str]:
    """The text of pieces, which may be those of a streamed answer; its thoughts and calls are none."""
    async for piece in pieces:
        if not isinstance(piece, str | TextChunk):
            raise ValidationError(f"a text comes in texts or TextChunks, not in {type(piece).__name__}")
        if text := piece if isinstance(piece, str) else piece.content:
            yield text


async def split_sentences(text: str | AsyncIterator[str]) -> AsyncIterator[str]:
    """Sentences, each as soon as it is complete."""
    rest = ""
    if isinstance(text, str):
        rest = text
    else:
        async for piece in text:
            rest += piece
            *whole, rest = _SENTENCE_END.split(rest)
            for sentence in whole:
                if sentence.strip():
                    yield sentence.strip()
    for sentence in _SENTENCE_END.split(rest):
        if sentence.strip():
            yield sentence.strip()
