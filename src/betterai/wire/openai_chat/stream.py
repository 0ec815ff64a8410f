"""One streamed answer, event by event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from betterai.core.exceptions import StreamInterrupted
from betterai.core.media import Media
from betterai.core.message import AnyPart, Citation, Message, ToolCall
from betterai.core.response import FinishReason, ProviderResponse, TextChunk, TokenLogprob, ToolCallDelta
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireResponse
from betterai.wire.base64_pieces import join_base64
from betterai.wire.error_bodies import UNREADABLE, is_bare_error
from betterai.wire.errors import make_unreadable_event
from betterai.wire.openai_chat.replies import (
    argument_text,
    assemble_parts,
    audio_type,
    find_marks,
    merge_details,
    parse_citations,
    parse_executed_tools,
    parse_logprobs,
    parse_media,
    parse_references,
    parse_sources,
    split_content,
)
from betterai.wire.openai_chat.shapes import (
    NO_DETAILS,
    AudioShape,
    ChatShape,
    ChoiceShape,
    FunctionCall,
    ImageShape,
    MessageShape,
    SourcedShape,
    ToolCallShape,
)
from betterai.wire.openai_chat.think_tags import ThinkTags
from betterai.wire.tool_call_ids import make_tool_call_id

if TYPE_CHECKING:
    from betterai.core.codec import TextCall
    from betterai.wire.openai_chat.client import OpenAIChat


class _OpenCall:
    """A tool call whose pieces are still coming."""

    __slots__ = ("arguments", "id", "index", "kind", "name")

    def __init__(self, index: int, id: str, name: str, kind: str) -> None:
        self.index = index
        self.id = id
        self.name = name
        self.kind = kind
        self.arguments: list[str] = []

    def is_whole(self) -> bool:
        try:
            return isinstance(msgspec.json.decode("".join(self.arguments)), dict)
        except UNREADABLE:
            return False


class _OpenChoice:
    """What one choice has said so far."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.refusals: list[str] = []
        self.details: list[Raw] = []
        self.citations: list[Citation] = []
        self.images: list[ImageShape] = []
        self.sounds: list[AudioShape] = []
        self.calls: list[_OpenCall] = []
        self.by_index: dict[int, _OpenCall] = {}
        self.tags = ThinkTags()
        self.marks: dict[str, Any] = {}
        self.executed: list[Raw] = []
        self.word: str | None = None
        self.finish_reason: FinishReason | None = None
        self.raw_finish_reason = ""


class ChatStream:
    """State of one stream. Parts are given out when their choice finishes, in the order of whole replies."""

    def __init__(self, codec: OpenAIChat, call: TextCall) -> None:
        self.done = False
        self.ending = False
        self._codec = codec
        self._call = call
        self._decode = codec.decoder.decode
        self._tagged = codec.think_tags
        self._sourced = issubclass(codec.shape, SourcedShape)
        self._sources: tuple[Citation, ...] = ()
        self._choices: dict[int, _OpenChoice] = {}
        self._expected = call.settings.n or 1
        self._usage: Usage | None = None
        self._model = ""
        self._id = ""

    def parse_event(self, event: Event) -> Sequence[TextChunk]:
        data = event.data
        if data.startswith(b"[DONE]"):
            self.done = True
            return ()
        try:
            shape = self._decode(data)
        except UNREADABLE as error:
            if not data.strip():
                return ()
            raise make_unreadable_event(data, error) from error
        if (failed := self._codec.error_of(shape)) is not None or event.name == "error":
            raise self._codec.error_in_body(failed, WireResponse(status=200, body=data))
        if (usage := self._codec.usage_of(shape)) is not None:
            self._usage = usage
        chunks: list[TextChunk] = []
        if self._sourced and isinstance(shape, SourcedShape):
            sources = parse_sources(shape, self._call.model, len(self._sources))
            chunks.extend(TextChunk(citation=item, body=data) for item in sources)
            self._sources += sources
        if not shape.choices:
            self._check_bare(shape, data)
            return chunks
        for choice in shape.choices:
            self._read_choice(choice, data, chunks)
        if chunks and not self._model:
            self._model, self._id = shape.model or self._call.model.id, shape.id or ""
            chunks[0] = msgspec.structs.replace(chunks[0], model=self._model, id=self._id)
        return chunks

    def _check_bare(self, shape: ChatShape, data: bytes) -> None:
        """An event without choices may be an error whose fields stand at the top."""
        if shape.choices is None and is_bare_error(data):
            raise self._codec.error_in_body(None, WireResponse(status=200, body=data))

    def _read_choice(self, shape: ChoiceShape, data: bytes, chunks: list[TextChunk]) -> None:
        choice = self._choices.get(shape.index)
        if choice is None:
            choice = self._choices[shape.index] = _OpenChoice(shape.index)
        delta = shape.delta or shape.message
        if delta is not None:
            content = delta.content
            if content.__class__ is str and content and shape.logprobs is None and not self._tagged:
                choice.texts.append(content)
                chunks.append(TextChunk(content=content, choice=choice.index, body=data))
            elif content or shape.logprobs is not None:
                self._read_content(choice, shape, delta, data, chunks)
            self._read_rest(choice, delta, data, chunks)
        elif shape.text:
            choice.texts.append(shape.text)
            chunks.append(TextChunk(content=shape.text, choice=choice.index, body=data))
        if shape.finish_reason is not None and not choice.word:
            choice.word = shape.finish_reason
            if choice.word and not self._sourced:
                self._finish_choice(choice, data, chunks)
            told = sum(1 for known in self._choices.values() if known.word)
            self.ending = told == len(self._choices) and told >= self._expected

    def _read_content(
        self, choice: _OpenChoice, shape: ChoiceShape, delta: MessageShape, data: bytes, chunks: list[TextChunk]
    ) -> None:
        """Content with log probabilities, or as a list of parts."""
        text, thought = split_content(delta.content)
        if isinstance(delta.content, list):
            choice.marks.update(find_marks(delta.content))
            before = sum(map(len, choice.texts)) if any(part.reference_ids for part in delta.content) else 0
            for citation in parse_references(delta.content, self._call.model, before):
                choice.citations.append(citation)
                chunks.append(TextChunk(citation=citation, choice=choice.index, body=data))
        if self._tagged:
            text, tagged = choice.tags.feed(text)
            thought += tagged
        self._show(choice, text, thought, parse_logprobs(shape.logprobs), data, chunks)

    def _show(
        self,
        choice: _OpenChoice,
        text: str,
        thought: str,
        logprobs: tuple[TokenLogprob, ...] | None,
        data: bytes,
        chunks: list[TextChunk],
    ) -> None:
        if thought:
            choice.thoughts.append(thought)
            chunks.append(TextChunk(reasoning=thought, choice=choice.index, body=data))
        if text or logprobs:
            choice.texts.append(text)
            chunks.append(TextChunk(content=text, choice=choice.index, logprobs=logprobs, body=data))

    def _read_rest(self, choice: _OpenChoice, delta: MessageShape, data: bytes, chunks: list[TextChunk]) -> None:
        thought = delta.reasoning_content or delta.reasoning
        if thought:
            choice.thoughts.append(thought)
            chunks.append(TextChunk(reasoning=thought, choice=choice.index, body=data))
        if delta.reasoning_details is not NO_DETAILS:
            choice.details.append(delta.reasoning_details)
        if delta.refusal:
            choice.refusals.append(delta.refusal)
        if delta.tool_calls:
            for item in delta.tool_calls:
                self._read_tool_call(choice, item, data, chunks)
        elif delta.function_call is not None:
            self._read_tool_call(choice, ToolCallShape(index=0, function=delta.function_call), data, chunks)
        if delta.annotations:
            for citation in parse_citations(delta.annotations, self._call.model):
                choice.citations.append(citation)
                chunks.append(TextChunk(citation=citation, choice=choice.index, body=data))
        if delta.audio is not None:
            self._read_audio(choice, delta.audio, data, chunks)
        if delta.images:
            choice.images.extend(delta.images)
        if delta.executed_tools:
            choice.executed.extend(delta.executed_tools)

    def _read_audio(self, choice: _OpenChoice, shape: AudioShape, data: bytes, chunks: list[TextChunk]) -> None:
        choice.sounds.append(shape)
        if shape.data or shape.transcript:
            kind, said = audio_type(self._call), shape.transcript or ""
            piece = Media(kind="audio", mime_type=kind, base64=shape.data or "", transcript=said)
            chunks.append(TextChunk(media=piece, choice=choice.index, body=data))

    def _read_tool_call(self, choice: _OpenChoice, shape: ToolCallShape, data: bytes, chunks: list[TextChunk]) -> None:
        """Pieces belong together by the vendor's index, or its id where it gives none. Ours count from 0 in the order
        in which the calls begin.
        """
        function = shape.function or shape.custom or FunctionCall()
        current = None if shape.index is None or function.name else choice.by_index.get(shape.index)
        if current is None:
            current = self._find_call(choice, shape, function)
        if current is None:
            index = len(choice.calls)
            id = shape.id or make_tool_call_id(self._call, index, choice.index)
            current = _OpenCall(index, id, function.name or "", "custom" if shape.custom else "function")
            choice.calls.append(current)
            choice.by_index[index if shape.index is None else shape.index] = current
            delta = ToolCallDelta(index=index, id=id, name=current.name, arguments=argument_text(function))
        else:
            current.name = current.name or function.name or ""
            delta = ToolCallDelta(index=current.index, arguments=argument_text(function))
        if delta.arguments:
            current.arguments.append(delta.arguments)
        chunks.append(TextChunk(tool_call=delta, choice=choice.index, body=data))

    def _find_call(self, choice: _OpenChoice, shape: ToolCallShape, function: FunctionCall) -> _OpenCall | None:
        """The call that a piece goes on with; None where it begins a new one. Some vendors give every call the same
        index, so a name begins a new one too when it comes with another id, or is another, or follows whole arguments.
        """
        name = function.name
        if shape.index is not None:
            current = choice.by_index.get(shape.index)
        else:
            current = next((call for call in choice.calls if shape.id and call.id == shape.id), None)
            if current is None and choice.calls and not name:
                current = choice.calls[-1]
        if current is None or not name:
            return current
        if shape.id:
            return current if shape.id == current.id else None
        begins = name != current.name or (argument_text(function) and current.is_whole())
        return None if current.name and begins else current

    def _finish_choice(self, choice: _OpenChoice, data: bytes, chunks: list[TextChunk]) -> None:
        """Where sources come beside the choices, at the end of the stream only: they may come last. A choice without a
        word: the terminator came without one.
        """
        if self._tagged:
            self._show(choice, *choice.tags.flush(), None, data, chunks)
        reason = self._codec.finish_reason_of(choice.word, refused=bool(choice.refusals), called=bool(choice.calls))
        choice.finish_reason, choice.raw_finish_reason = reason or "other", choice.word or ""
        chunks.extend(TextChunk(part=part, choice=choice.index, body=data) for part in self._assemble(choice))
        chunks.append(
            TextChunk(
                finish_reason=choice.finish_reason,
                raw_finish_reason=choice.raw_finish_reason,
                choice=choice.index,
                body=data,
            )
        )

    def _assemble(self, choice: _OpenChoice) -> Sequence[AnyPart]:
        return assemble_parts(
            self._call,
            reasoning="".join(choice.thoughts),
            details=merge_details(choice.details),
            marks=choice.marks,
            server=parse_executed_tools(choice.executed, self._call) if choice.executed else (),
            text="".join(choice.texts),
            citations=(*choice.citations, *self._sources),
            refusal="".join(choice.refusals),
            media=self._gather_media(choice),
            tool_calls=[self._close(item) for item in choice.calls],
        )

    def _close(self, item: _OpenCall) -> ToolCall:
        kind = "custom" if item.kind == "custom" else "function"
        text = "".join(item.arguments)
        return ToolCall(id=item.id, name=item.name, arguments=text, index=item.index, kind=kind)  # type: ignore[arg-type]

    def _gather_media(self, choice: _OpenChoice) -> list[Media]:
        whole = MessageShape(images=choice.images or None)
        if choice.sounds:
            data = join_base64([piece.data for piece in choice.sounds if piece.data])
            whole.audio = AudioShape(
                id=next((piece.id for piece in choice.sounds if piece.id), None),
                data=data or None,
                transcript="".join(piece.transcript or "" for piece in choice.sounds),
            )
        return parse_media(whole, self._call)

    def finish(self) -> Sequence[TextChunk]:
        """At the end of bytes. A terminator without a finish reason ends the answer as "other", never as "stop"."""
        unfinished = [choice for choice in self._choices.values() if choice.finish_reason is None]
        chunks: list[TextChunk] = []
        missing = len(self._choices) < self._expected or any(not choice.word for choice in unfinished)
        if not self._choices or (missing and not self.done):
            raise StreamInterrupted(
                "the stream ended before the answer did",
                hint="the answer is incomplete: ask again, or go on from `error.partial`",
                partial=self._partial(),
            )
        for choice in unfinished:
            self._finish_choice(choice, b"", chunks)
        if self._usage is not None:
            chunks.append(TextChunk(usage=self._usage))
        return chunks

    def _partial(self) -> ProviderResponse:
        choice = self._choices.get(0) or _OpenChoice(0)
        if self._tagged:
            self._show(choice, *choice.tags.flush(), None, b"", [])
        parts = tuple(part for part in self._assemble(choice) if not isinstance(part, ToolCall))
        return ProviderResponse(
            content="".join(choice.texts),
            model=self._model or self._call.model.id,
            message=Message(role="assistant", parts=parts),
            usage=self._usage,
            id=self._id,
        )
