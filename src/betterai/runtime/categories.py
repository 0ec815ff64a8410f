"""Providers made of codecs, one class a category: what each takes, and what its streams are made of."""

from __future__ import annotations

from asyncio import Semaphore, TaskGroup, to_thread
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from math import inf
from pathlib import Path
from typing import Any, Never

import msgspec

from betterai.core.accumulate import read_text
from betterai.core.base import (
    BaseAudioProvider,
    BaseEmbeddingProvider,
    BaseImageProvider,
    BaseModerationProvider,
    BaseRerankProvider,
    BaseTTSProvider,
    BaseVideoProvider,
)
from betterai.core.exceptions import ProviderError, ValidationError
from betterai.core.media import Media
from betterai.core.model import Category, ModelConfig
from betterai.core.response import TextChunk
from betterai.core.results import (
    EmbeddingResponse,
    ImageChunk,
    ImageResponse,
    ModerationResponse,
    RerankInput,
    RerankResponse,
    Speech,
    SpeechChunk,
    Transcript,
    TranscriptChunk,
    VideoResponse,
    Voice,
)
from betterai.core.settings import (
    EmbeddingSettings,
    ImageSettings,
    ModerationSettings,
    RerankSettings,
    SpeechSettings,
    TranscriptionSettings,
    VideoSettings,
)
from betterai.runtime.exchange import ExchangeRunner, is_duplex
from betterai.runtime.inputs import read_inputs, read_texts
from betterai.runtime.media.loading import check_file
from betterai.runtime.sessions.live import LiveRunner
from betterai.runtime.sessions.sentences import speak_sentences
from betterai.runtime.sums import join_embeddings

AT_ONCE = 4
"""How many requests of one call may be under way together."""


class CodecEmbeddingProvider(
    ExchangeRunner[tuple[str, ...], EmbeddingSettings, EmbeddingResponse, Never], BaseEmbeddingProvider
):
    """Embeddings. More texts than a provider takes at once go in several requests: order kept, usage summed."""

    category = "embeddings"

    async def embed(
        self, inputs: Sequence[str], model: str = "", settings: EmbeddingSettings | None = None
    ) -> EmbeddingResponse:
        texts, settings = read_texts(inputs), settings or EmbeddingSettings()
        if not texts:
            raise ValidationError("there are no texts to embed")
        batches = self._split(texts, model)
        if len(batches) == 1:
            return _whole(await self.ask(texts, model, settings), texts)
        began = self._clock.monotonic()
        turn = Semaphore(AT_ONCE)

        async def ask(batch: tuple[str, ...]) -> EmbeddingResponse:
            async with turn:
                left = self.connection.timeout.total - (self._clock.monotonic() - began)
                return await self.ask(batch, model, settings, total=max(left, 0.001))

        try:
            async with TaskGroup() as group:
                tasks = [group.create_task(ask(batch)) for batch in batches]
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from failures.exceptions[0].__cause__
        results = [_whole(task.result(), batch) for task, batch in zip(tasks, batches, strict=True)]
        return join_embeddings(results, self._clock.monotonic() - began)

    def _split(self, texts: tuple[str, ...], name: str) -> list[tuple[str, ...]]:
        """The texts in the portions that the codec takes: `most_texts`, and `most_bytes` of all of them."""
        model = self._models.find(name)
        codec = self.find_codec(model)
        most = model.traits.texts_at_once or getattr(codec, "most_texts", None) or inf
        largest = getattr(codec, "most_bytes", None) or inf
        batches: list[list[str]] = [[]]
        size = 0
        for text in texts:
            length = len(text.encode(errors="replace"))
            if batches[-1] and (len(batches[-1]) >= most or size + length > largest):
                batches.append([])
                size = 0
            batches[-1].append(text)
            size += length
        return [tuple(batch) for batch in batches]


def _whole(response: EmbeddingResponse, texts: Sequence[str]) -> EmbeddingResponse:
    """Raises `ProviderError` where the vectors are not as many as the texts."""
    if len(response.vectors) != len(texts):
        raise ProviderError(
            f"{len(response.vectors)} vectors came for {len(texts)} texts",
            provider=response.provider,
            model=response.model,
            body=response.body[:65536],
        )
    return response


class CodecRerankProvider(ExchangeRunner[RerankInput, RerankSettings, RerankResponse, Never], BaseRerankProvider):
    """Ranking."""

    category = "rerank"

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        model: str = "",
        top: int | None = None,
        settings: RerankSettings | None = None,
    ) -> RerankResponse:
        settings = settings or RerankSettings()
        if top is not None:
            settings = settings.replace(top=top)
        texts = read_texts(documents)
        if not texts:
            raise ValidationError("there are no documents to rank")
        response = await self.ask(RerankInput(query=query, documents=texts), model, settings)
        return msgspec.structs.replace(response, ranking=_with_documents(response, texts))


def _with_documents(response: RerankResponse, texts: tuple[str, ...]) -> tuple[Any, ...]:
    """The ranking, best first, each place with its text. Raises `ProviderError` for a document that was not given."""
    for item in response.ranking:
        if not 0 <= item.index < len(texts):
            raise ProviderError(f"the ranking has document {item.index}, and {len(texts)} were given")
    ranked = sorted(response.ranking, key=lambda item: -item.score)
    return tuple(msgspec.structs.replace(item, document=texts[item.index]) for item in ranked)


class CodecModerationProvider(
    ExchangeRunner[tuple[str | Media, ...], ModerationSettings, ModerationResponse, Never], BaseModerationProvider
):
    """Moderation."""

    category = "moderation"

    async def moderate(
        self, inputs: Sequence[str | Media] | str, model: str = "", settings: ModerationSettings | None = None
    ) -> ModerationResponse:
        given = read_inputs(inputs)
        if not given:
            raise ValidationError("there is nothing to judge")
        return _judged(await self.ask(given, model, settings or ModerationSettings()), given)


def _judged(response: ModerationResponse, given: Sequence[str | Media]) -> ModerationResponse:
    """Raises `ProviderError` where not all that was given has a verdict. With a picture, all of it has one together."""
    wanted = len(given) if all(isinstance(item, str) for item in given) else 1
    if len(response.verdicts) != wanted:
        raise ProviderError(
            f"{len(response.verdicts)} verdicts came, and {wanted} were asked for",
            provider=response.provider,
            model=response.model,
            body=response.body[:65536],
        )
    return response


class CodecImageProvider(ExchangeRunner[str, ImageSettings, ImageResponse, ImageChunk], BaseImageProvider):
    """Pictures."""

    category = "image"

    async def generate(self, prompt: str, model: str = "", settings: ImageSettings | None = None) -> ImageResponse:
        return await self.ask(prompt, model, settings or ImageSettings())

    async def generate_stream(
        self, prompt: str, model: str = "", settings: ImageSettings | None = None
    ) -> AsyncGenerator[ImageChunk, None]:
        settings = settings or ImageSettings()
        ask = self.ask_stream if self.streams else super().generate_stream
        async for chunk in ask(prompt, model, settings):
            yield chunk

    def pieces_of(self, result: ImageResponse) -> Sequence[ImageChunk]:
        return [ImageChunk(image=image, index=index, final=True) for index, image in enumerate(result.images)]

    def join_pieces(self, pieces: Sequence[ImageChunk], model: ModelConfig) -> ImageResponse:
        return ImageResponse(images=tuple(piece.image for piece in pieces if piece.final and piece.image is not None))

    def last_piece(self, result: ImageResponse) -> ImageChunk:
        return ImageChunk(response=result, final=True)


class CodecVideoProvider(ExchangeRunner[str, VideoSettings, VideoResponse, Never], BaseVideoProvider):
    """Films."""

    category = "video"

    async def generate(self, prompt: str, model: str = "", settings: VideoSettings | None = None) -> VideoResponse:
        return await self.ask(prompt, model, settings or VideoSettings())


class CodecAudioProvider(LiveRunner[Media, TranscriptionSettings, Transcript, TranscriptChunk], BaseAudioProvider):
    """Speech to text."""

    category = "audio"

    async def transcribe(
        self, audio: Media, model: str = "", settings: TranscriptionSettings | None = None
    ) -> Transcript:
        if is_duplex(self.codec):
            transcript: Transcript = _stated([chunk async for chunk in self.transcribe_stream(audio, model, settings)])
            return transcript
        return await self.ask(audio, model, settings or TranscriptionSettings())

    async def transcribe_stream(
        self, audio: Media | AsyncIterator[bytes], model: str = "", settings: TranscriptionSettings | None = None
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Sound that is still coming goes out as it comes where the provider has a session for that. Over HTTP it is
        sent whole, and the text comes in pieces where the provider streams it.
        """
        settings = settings or TranscriptionSettings()
        if (duplex := self.find_duplex(model, settings)) is not None and (
            duplex is self.codec or not isinstance(audio, Media)
        ):
            if isinstance(audio, Media):
                data = await _read_recording(audio)
                if getattr(duplex, "raw", False):
                    from betterai.runtime.sessions.raw_sound import take_raw

                    data, settings = take_raw(data, settings)
                heard = _cut(data)
            else:
                heard = audio
            async with aclosing(self.live(Media(kind="audio"), model, settings, heard)) as live:
                async for chunk in live:
                    yield chunk
            return
        if not isinstance(audio, Media):
            audio = Media(kind="audio", data=b"".join([piece async for piece in audio]))
        ask = self.ask_stream if self.streams else super().transcribe_stream
        async for chunk in ask(audio, model, settings):
            yield chunk

    def pieces_of(self, result: Transcript) -> Sequence[TranscriptChunk]:
        return [TranscriptChunk(text=result.text, final=True, words=result.words)]

    def join_pieces(self, pieces: Sequence[TranscriptChunk], model: ModelConfig) -> Transcript:
        return Transcript(text="".join(piece.text for piece in pieces if piece.final))

    def last_piece(self, result: Transcript) -> TranscriptChunk:
        return TranscriptChunk(response=result, final=True)


class CodecTTSProvider(LiveRunner[str, SpeechSettings, Speech, SpeechChunk], BaseTTSProvider):
    """Text to speech."""

    category = "tts"

    async def voices(self) -> tuple[Voice, ...]:
        """Raises `NotImplementedError` where the provider has no list of them, and `BetterAIError`."""
        codec = getattr(self.codec, "voice_list", None)
        if codec is None:
            return await super().voices()
        from betterai.runtime.jobs.steps import run_steps

        found: tuple[Voice, ...] = await run_steps(codec, None, self.connection, clock=self._clock)
        return found

    async def synthesize(self, text: str, model: str = "", settings: SpeechSettings | None = None) -> Speech:
        if is_duplex(self.codec):
            speech: Speech = _stated([chunk async for chunk in self.synthesize_stream(text, model, settings)])
            return speech
        return await self.ask(text, model, settings or SpeechSettings())

    async def synthesize_stream(
        self, text: str | AsyncIterator[str | TextChunk], model: str = "", settings: SpeechSettings | None = None
    ) -> AsyncGenerator[SpeechChunk, None]:
        """Sound as it comes. A text that comes in pieces goes out as it comes where the provider has a session for it;
        else it is spoken sentence by sentence, a request each: the next one is asked for while one is given out.
        """
        settings = settings or SpeechSettings()
        if (duplex := self.find_duplex(model, settings)) is not None and (
            duplex is self.codec or not isinstance(text, str)
        ):
            said = _one(text) if isinstance(text, str) else read_text(text)
            async with aclosing(self.live("", model, settings, said)) as live:
                async for piece in live:
                    yield piece
            return
        if isinstance(text, str):
            ask = self.ask_stream if self.streams else super().synthesize_stream
            async for chunk in ask(text, model, settings):
                yield chunk
            return
        spoken = speak_sentences(read_text(text), lambda sentence: self.synthesize_stream(sentence, model, settings))
        async with aclosing(spoken) as chunks:
            async for chunk in chunks:
                yield chunk

    def pieces_of(self, result: Speech) -> Sequence[SpeechChunk]:
        return [SpeechChunk(audio=result.audio.to_bytes(), words=result.words)]

    def join_pieces(self, pieces: Sequence[SpeechChunk], model: ModelConfig) -> Speech:
        return Speech(audio=Media(kind="audio", data=b"".join(piece.audio for piece in pieces)))

    def last_piece(self, result: Speech) -> SpeechChunk:
        return SpeechChunk(response=result)


PIECE_BYTES = 32 * 1024
"""In what pieces a recording goes into a session."""


async def _one(text: str) -> AsyncIterator[str]:
    yield text


async def _read_recording(audio: Media) -> bytes:
    return audio.to_bytes() if audio.form == "bytes" else await to_thread(_read_file, audio)


async def _cut(data: bytes) -> AsyncIterator[bytes]:
    """A recording in pieces."""
    for start in range(0, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]


def _read_file(audio: Media) -> bytes:
    if audio.path is None:
        raise ValidationError(f"sound from a {audio.form} does not go into a session", hint="pass bytes or a path")
    check_file(Path(audio.path).expanduser())
    return Path(audio.path).expanduser().read_bytes()


def _stated(pieces: Sequence[Any]) -> Any:
    """The result that the last piece states."""
    return pieces[-1].response


RUNNERS: dict[Category, type[ExchangeRunner[Any, Any, Any, Any]]] = {
    runner.category: runner
    for runner in (
        CodecAudioProvider, CodecEmbeddingProvider, CodecImageProvider, CodecModerationProvider,
        CodecRerankProvider, CodecTTSProvider, CodecVideoProvider,
    )
}  # fmt: skip
"""The runner of each category."""
