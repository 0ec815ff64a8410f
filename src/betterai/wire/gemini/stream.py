"""One streamed answer, event by event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw

from betterai.core.exceptions import BadRequestError, StreamInterrupted
from betterai.core.media import Media
from betterai.core.message import AnyPart, MediaPart, Message, Reasoning, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.wire import Event, WireResponse
from betterai.wire.base64_pieces import join_base64
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.gemini.errors import read_failure
from betterai.wire.gemini.fields import RAW_AUDIO, finish_word
from betterai.wire.gemini.grounding import Sources
from betterai.wire.gemini.partial_args import PartialCall
from betterai.wire.gemini.replies import keep_token, keeper, open_reader, parse_logprobs
from betterai.wire.gemini.shapes import FIELDS, NOTHING, PLAIN_PART, REPLY, CandidateShape, is_given
from betterai.wire.gemini.usage import parse_usage

if TYPE_CHECKING:
    from betterai.core.codec import TextCall
    from betterai.wire.gemini.client import Gemini


class _OpenCandidate:
    """What one candidate has said so far. `texts` are the pieces of the text, or thought, that is still coming."""

    __slots__ = ("call", "index", "parts", "pieces", "reader", "sources", "texts", "thinks", "token", "word")

    def __init__(self, call: TextCall, index: int) -> None:
        self.index = index
        self.reader = open_reader(call, index)
        self.parts: list[AnyPart] = []
        self.texts: list[str] = []
        self.thinks = False
        self.pieces: list[Media] = []
        self.call: PartialCall | None = None
        self.sources = Sources()
        self.token: str | None = None
        self.word = ""

    def close(self) -> None:
        """End the text, or the sound, that was coming."""
        if self.texts:
            text = "".join(self.texts)
            self.parts.append(Reasoning(text=text) if self.thinks else Text(text=text))
            self.texts = []
        if self.pieces:
            whole = join_base64([piece.base64 or "" for piece in self.pieces])
            self.parts.append(MediaPart(media=msgspec.structs.replace(self.pieces[0], base64=whole)))
            self.pieces = []


class GeminiStream:
    """State of one stream. It has no terminator: parts, finish reason and usage are given out at its end."""

    def __init__(self, codec: Gemini, call: TextCall) -> None:
        self.done = False
        self.ending = False
        self._codec = codec
        self._call = call
        self._candidates: dict[int, _OpenCandidate] = {}
        self._expected = call.settings.n or 1
        self._usage: Raw = NOTHING
        self._blocked: str | None = None
        self._model = ""
        self._id = ""

    def parse_event(self, event: Event) -> Sequence[TextChunk]:
        data = event.data
        try:
            shape = REPLY.decode(data)
        except UNREADABLE as error:
            if not data.strip() or data.startswith(b"[DONE]"):
                return ()
            raise make_unreadable_event(data, error) from error
        if shape.error is not None:
            raise read_failure(WireResponse(status=200, body=data))
        if shape.usage_metadata is not NOTHING:
            self._usage = shape.usage_metadata
        if shape.prompt_feedback is not None and (word := finish_word(shape.prompt_feedback.block_reason)):
            self._blocked = word
            self.ending = True
        chunks: list[TextChunk] = []
        for candidate in shape.candidates or ():
            try:
                self._read_candidate(candidate, data, chunks)
            except (*UNREADABLE, BadRequestError) as error:
                raise make_unreadable_event(data, error) from error
        if not self._model and chunks:
            self._model, self._id = shape.model_version or self._call.model.id, shape.response_id or ""
            chunks[0] = msgspec.structs.replace(chunks[0], model=self._model, id=self._id)
        return chunks

    def _read_candidate(self, shape: CandidateShape, data: bytes, chunks: list[TextChunk]) -> None:
        candidate = self._candidates.get(shape.index)
        if candidate is None:
            candidate = self._candidates[shape.index] = _OpenCandidate(self._call, shape.index)
        if shape.content is not None and shape.content.parts:
            texts = 0
            for raw in shape.content.parts:
                try:
                    plain = PLAIN_PART.decode(raw)
                except msgspec.ValidationError:
                    self._read_part(candidate, raw, data, chunks)
                    continue
                if not plain.text:
                    continue
                texts += 1
                if candidate.pieces or (candidate.texts and (candidate.thinks is not plain.thought or texts > 1)):
                    candidate.close()
                candidate.thinks = plain.thought
                candidate.texts.append(plain.text)
                if plain.thought:
                    chunks.append(TextChunk(reasoning=plain.text, choice=candidate.index, body=data))
                else:
                    chunks.append(TextChunk(content=plain.text, choice=candidate.index, body=data))
        if shape.logprobs_result is not None:
            logprobs = parse_logprobs(shape.logprobs_result)
            chunks.append(TextChunk(logprobs=logprobs, choice=candidate.index, body=data))
        if shape.grounding_metadata is not NOTHING or shape.citation_metadata is not NOTHING:
            candidate.sources.read(shape.grounding_metadata, shape.citation_metadata)
        if shape.continuation_token:
            candidate.token = shape.continuation_token
        if word := finish_word(shape.finish_reason):
            candidate.word = word
            self.ending = self._is_told()

    def _is_told(self) -> bool:
        """Whether all that was asked for has ended."""
        told = all(candidate.word for candidate in self._candidates.values())
        return self._blocked is not None or (told and len(self._candidates) >= self._expected)

    def _read_part(self, candidate: _OpenCandidate, raw: Raw, data: bytes, chunks: list[TextChunk]) -> None:
        """A part that is more than a plain text. It stays a part of its own: signatures belong to where they came."""
        if b'"functionCall"' in bytes(raw):
            whole = self._gather_call(candidate, raw)
            if whole is None:
                return
            raw = whole
        part = candidate.reader.parse(raw)
        if isinstance(part, Text | Reasoning) and not part.text and part.opaque is None:
            return
        if isinstance(part, MediaPart) and part.opaque is None and part.media.mime_type.lower().startswith(RAW_AUDIO):
            if candidate.texts or (candidate.pieces and candidate.pieces[0].mime_type != part.media.mime_type):
                candidate.close()
            candidate.pieces.append(part.media)
        else:
            candidate.close()
            candidate.parts.append(part)
        choice = candidate.index
        if isinstance(part, MediaPart):
            chunks.append(TextChunk(media=part.media, choice=choice, body=data))
        elif isinstance(part, ToolCall) and not part.server:
            delta = ToolCallDelta(index=part.index, id=part.id, name=part.name, arguments=part.arguments)
            chunks.append(TextChunk(tool_call=delta, choice=choice, body=data))
        elif isinstance(part, Text) and part.text:
            chunks.append(TextChunk(content=part.text, choice=choice, body=data))
        elif isinstance(part, Reasoning) and part.text:
            chunks.append(TextChunk(reasoning=part.text, choice=choice, body=data))

    def _gather_call(self, candidate: _OpenCandidate, raw: Raw) -> Raw | None:
        """A call whose arguments come in pieces, when it is whole; any other one as it is."""
        fields = FIELDS.decode(raw)
        inner = FIELDS.decode(fields["functionCall"]) if is_given(fields.get("functionCall")) else {}
        goes_on = inner.get("willContinue") == Raw(b"true")
        if candidate.call is None and not goes_on and "partialArgs" not in inner:
            return raw
        if candidate.call is None or is_given(inner.get("name")):
            candidate.call = PartialCall(fields, inner)
        candidate.call.add(inner)
        if goes_on:
            return None
        whole, candidate.call = candidate.call.close(), None
        return whole

    def finish(self) -> Sequence[TextChunk]:
        """At the end of bytes, which is the only terminator: whether the answer was complete, each candidate says."""
        if not self._is_told() or not (self._candidates or self._blocked):
            raise StreamInterrupted(
                "the stream ended before the answer did",
                hint="the answer is incomplete: ask again, or go on from `error.partial`",
                partial=self._partial(),
            )
        chunks: list[TextChunk] = []
        searches = 0
        for index in sorted(self._candidates):
            searches = max(searches, self._candidates[index].sources.searches)
            self._finish_candidate(self._candidates[index], chunks)
        if not self._candidates and self._blocked is not None:
            chunks.append(TextChunk(finish_reason="content_filter", raw_finish_reason=self._blocked))
        if (usage := parse_usage(self._usage, searches)) is not None:
            chunks.append(TextChunk(usage=usage))
        return chunks

    def _finish_candidate(self, candidate: _OpenCandidate, chunks: list[TextChunk]) -> None:
        parts = self._assemble(candidate)
        choice = candidate.index
        for part in parts:
            if isinstance(part, Text):
                chunks.extend(TextChunk(citation=item, choice=choice) for item in part.citations)
        chunks.extend(TextChunk(part=part, choice=choice) for part in parts)
        word = candidate.word or self._blocked or ""
        chunks.append(
            TextChunk(
                finish_reason=self._codec.finish_reason_of(word, parts) or "other",
                raw_finish_reason=word,
                choice=choice,
                opaque=keep_token(self._call, candidate.token, word),
            )
        )

    def _assemble(self, candidate: _OpenCandidate) -> list[AnyPart]:
        candidate.close()
        if not candidate.sources:
            return candidate.parts
        return candidate.sources.cite(candidate.parts, keeper(self._call))

    def _partial(self) -> ProviderResponse:
        candidate = self._candidates.get(0) or _OpenCandidate(self._call, 0)
        parts = tuple(self._assemble(candidate))
        return ProviderResponse(
            content="".join(part.text for part in parts if isinstance(part, Text)),
            model=self._model or self._call.model.id,
            message=Message(role="assistant", parts=parts, opaque=keep_token(self._call, candidate.token, "")),
            usage=parse_usage(self._usage),
            id=self._id,
        )
