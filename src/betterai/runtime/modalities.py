"""The short ways of the categories other than text, as methods of `Client`."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import msgspec
from msgspec import UNSET, UnsetType

from betterai.config.defaults import default_model
from betterai.config.environment import complete_config
from betterai.core.accumulate import read_text
from betterai.core.base import BaseTTSProvider
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError, ValidationError
from betterai.core.media import Media
from betterai.core.model import Category
from betterai.core.options import (
    EmbeddingOptions,
    ImageOptions,
    ModerationOptions,
    RealtimeOptions,
    RerankOptions,
    SpeechOptions,
    TranscriptionOptions,
    VideoOptions,
)
from betterai.core.response import TextChunk
from betterai.core.results import (
    EmbeddingResponse,
    ImageChunk,
    ImageResponse,
    ModerationResponse,
    RerankResponse,
    Speech,
    SpeechChunk,
    Transcript,
    TranscriptChunk,
    VideoResponse,
)
from betterai.core.routing import CASCADE, is_cascade
from betterai.core.settings import (
    EmbeddingSettings,
    ImageSettings,
    ModerationSettings,
    RerankSettings,
    SpeechSettings,
    TranscriptionSettings,
    VideoSettings,
)
from betterai.runtime.attempts import read_timeout
from betterai.runtime.finder import Finder
from betterai.runtime.inputs import check_text, merge, read_inputs, read_texts
from betterai.runtime.media.sources import MediaSource, gather_media
from betterai.runtime.stand_in import choose_transport
from betterai.runtime.tools.named import check_tools

if TYPE_CHECKING:
    from betterai.core.base import BaseRealtimeProvider
    from betterai.core.realtime import RealtimeToken
    from betterai.core.realtime_settings import RealtimeSettings
    from betterai.runtime.jobs.job import Job
    from betterai.runtime.jobs.store import JobStore
    from betterai.runtime.realtime.opening import Opening


class Modalities(Finder):
    """What `Client` offers beside text. Every method takes the settings of its category, as one value or by name."""

    async def embed(
        self,
        model: str,
        texts: str | Sequence[str],
        *,
        config: CoreConfig | None = None,
        settings: EmbeddingSettings | None = None,
        **options: Unpack[EmbeddingOptions],
    ) -> EmbeddingResponse:
        """A vector for each text, in order: see `betterai.embed`."""
        given = read_texts(texts)
        if not given:
            raise ValidationError("there are no texts to embed")
        found, wanted = self.find("embeddings", model, config), merge(EmbeddingSettings, settings, options)
        return await found.whole(lambda provider: provider.embed(given, found.id, wanted), given, wanted)

    async def rerank(
        self,
        model: str,
        query: str,
        documents: Sequence[str],
        *,
        config: CoreConfig | None = None,
        settings: RerankSettings | None = None,
        **options: Unpack[RerankOptions],
    ) -> RerankResponse:
        """The documents by how well they answer a query: see `betterai.rerank`."""
        check_text(query)
        given = read_texts(documents)
        found = self.find("rerank", model, config)
        wanted = merge(RerankSettings, settings, options)
        more = (wanted,) if wanted.given().keys() - {"top"} else ()
        return await found.whole(lambda ranker: ranker.rerank(query, given, found.id, wanted.top, *more), query, wanted)

    async def moderate(
        self,
        model: str,
        inputs: str | Media | Sequence[str | Media],
        *,
        config: CoreConfig | None = None,
        settings: ModerationSettings | None = None,
        **options: Unpack[ModerationOptions],
    ) -> ModerationResponse:
        """A verdict on each input: see `betterai.moderate`."""
        given = read_inputs(inputs)
        found = self.find("moderation", model, config)
        wanted = merge(ModerationSettings, settings, options)
        more = (wanted,) if wanted.given() else ()
        return await found.whole(lambda provider: provider.moderate(given, found.id, *more), given, wanted)

    async def generate_image(
        self,
        model: str,
        prompt: str,
        *,
        config: CoreConfig | None = None,
        settings: ImageSettings | None = None,
        **options: Unpack[ImageOptions],
    ) -> ImageResponse:
        """Pictures of a prompt: see `betterai.generate_image`."""
        check_text(prompt)
        found = self.find("image", model, config)
        wanted = merge(ImageSettings, settings, options)
        return await found.whole(lambda provider: provider.generate(prompt, found.id, wanted), prompt, wanted)

    def stream_image(
        self,
        model: str,
        prompt: str,
        *,
        config: CoreConfig | None = None,
        settings: ImageSettings | None = None,
        **options: Unpack[ImageOptions],
    ) -> AsyncGenerator[ImageChunk, None]:
        """The same, with unfinished pictures on the way where the provider shows them."""
        check_text(prompt)
        found = self.find("image", model, config)
        wanted = merge(ImageSettings, settings, options)
        return found.pieces(lambda provider: provider.generate_stream(prompt, found.id, wanted), prompt, wanted)

    async def generate_video(
        self,
        model: str,
        prompt: str,
        *,
        store: JobStore | UnsetType | None = UNSET,
        config: CoreConfig | None = None,
        settings: VideoSettings | None = None,
        **options: Unpack[VideoOptions],
    ) -> VideoResponse:
        """A film of a prompt, waited for: see `betterai.generate_video`."""
        from betterai.runtime.exchange import ExchangeRunner

        check_text(prompt)
        wanted = merge(VideoSettings, settings, options)
        found = self.find("video", model, config)

        async def make(provider: Any) -> VideoResponse:
            if not isinstance(provider, ExchangeRunner):
                film: VideoResponse = await provider.generate(prompt, found.id, wanted)
                return film
            job: Job[VideoResponse] = await self._start("video", model, prompt, store, config, wanted)
            return await job.finish()

        return await found.whole(make, prompt, wanted)

    async def start_video(
        self,
        model: str,
        prompt: str,
        *,
        store: JobStore | UnsetType | None = UNSET,
        config: CoreConfig | None = None,
        settings: VideoSettings | None = None,
        **options: Unpack[VideoOptions],
    ) -> Job[VideoResponse]:
        """The job that makes a film, submitted: see `betterai.start_video`."""
        check_text(prompt)
        return await self._start("video", model, prompt, store, config, merge(VideoSettings, settings, options))

    async def start_image(
        self,
        model: str,
        prompt: str,
        *,
        store: JobStore | UnsetType | None = UNSET,
        config: CoreConfig | None = None,
        settings: ImageSettings | None = None,
        **options: Unpack[ImageOptions],
    ) -> Job[ImageResponse]:
        """The job that draws pictures, where the provider works on them as jobs: see `betterai.start_video`."""
        check_text(prompt)
        return await self._start("image", model, prompt, store, config, merge(ImageSettings, settings, options))

    async def _start(
        self,
        category: Category,
        model: str,
        input: Any,
        store: JobStore | UnsetType | None,
        config: CoreConfig | None,
        settings: Any,
    ) -> Job[Any]:
        from betterai.runtime.exchange import ExchangeRunner
        from betterai.runtime.jobs.job import Job
        from betterai.runtime.jobs.store import JobStore

        found = self.find(category, model, config)
        if not isinstance(found.provider, ExchangeRunner):
            raise ConfigurationError(f"{found.declared.name} is a class, and starts no jobs", hint="await the result")
        if not (store is None or isinstance(store, UnsetType | JobStore)):
            raise ValidationError(f"store is a betterai.JobStore or None, not {type(store).__name__}")
        kept = JobStore() if isinstance(store, UnsetType) else store
        return await Job.start(found.provider, input, found.id, settings, kept)

    async def transcribe(
        self,
        model: str,
        audio: MediaSource,
        *,
        config: CoreConfig | None = None,
        settings: TranscriptionSettings | None = None,
        **options: Unpack[TranscriptionOptions],
    ) -> Transcript:
        """What is said in a recording: see `betterai.transcribe`."""
        found = self.find("audio", model, config)
        wanted = merge(TranscriptionSettings, settings, options)
        media = await gather_media(audio, "audio")
        return await found.whole(lambda provider: provider.transcribe(media, found.id, wanted), media, wanted)

    async def stream_transcription(
        self,
        model: str,
        audio: MediaSource | AsyncIterable[bytes],
        *,
        config: CoreConfig | None = None,
        settings: TranscriptionSettings | None = None,
        **options: Unpack[TranscriptionOptions],
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """The same in pieces, of sound that may still be coming: see `betterai.stream_transcription`."""
        found = self.find("audio", model, config)
        wanted = merge(TranscriptionSettings, settings, options)
        media = aiter(audio) if isinstance(audio, AsyncIterable) else await gather_media(audio, "audio")
        pieces = found.pieces(lambda provider: provider.transcribe_stream(media, found.id, wanted), media, wanted)
        try:
            async for piece in pieces:
                yield piece
        finally:
            await pieces.aclose()

    async def speak(
        self,
        model: str,
        text: str,
        *,
        config: CoreConfig | None = None,
        settings: SpeechSettings | None = None,
        **options: Unpack[SpeechOptions],
    ) -> Speech:
        """A text as speech: see `betterai.speak`."""
        check_text(text, "betterai.stream_speech speaks one that is still coming")
        found = self.find("tts", model, config)
        wanted = merge(SpeechSettings, settings, options)
        return await found.whole(lambda provider: provider.synthesize(text, found.id, wanted), text, wanted)

    def stream_speech(
        self,
        model: str,
        text: str | AsyncIterable[str | TextChunk],
        *,
        config: CoreConfig | None = None,
        settings: SpeechSettings | None = None,
        **options: Unpack[SpeechOptions],
    ) -> AsyncGenerator[SpeechChunk, None]:
        """The same as it comes, of a text that may still be coming: see `betterai.stream_speech`."""
        found = self.find("tts", model, config)
        wanted = merge(SpeechSettings, settings, options)
        if not isinstance(text, str):
            if not hasattr(text, "__aiter__"):
                check_text(text, "or an async iterator of texts")
            text = read_text(text)
        if getattr(type(found.provider), "synthesize_stream", None) is BaseTTSProvider.synthesize_stream:
            from betterai.runtime.sessions.sentences import speak_with

            return found.pieces(lambda provider: speak_with(provider, text, found.id, wanted), text, wanted)
        return found.pieces(lambda provider: provider.synthesize_stream(text, found.id, wanted), text, wanted)

    def realtime(
        self,
        model: str | BaseRealtimeProvider = "",
        *,
        config: CoreConfig | None = None,
        settings: RealtimeSettings | None = None,
        **options: Unpack[RealtimeOptions],
    ) -> Opening:
        """A session of realtime voice: see `betterai.realtime`."""
        from betterai.core.realtime_settings import RealtimeSettings
        from betterai.runtime.realtime.opening import Opening

        self.check_open()
        wanted = merge(RealtimeSettings, settings, options)
        check_tools(wanted.tools, wanted.tool_choice)
        if not isinstance(model, str):
            _check_provider(model)
            return Opening(lambda: model.connect("", wanted))
        name = model or (config.model if config is not None else "") or default_model("realtime") or CASCADE
        if is_cascade(name):
            from betterai.runtime.cascade.provider import make_cascade

            if config is not None:
                raise ConfigurationError("the stages of a cascade are configured one by one", hint="leave out config=…")
            cascade = make_cascade(name, self)  # type: ignore[arg-type]
            return Opening(lambda: cascade.connect("", wanted))
        found = self.find("realtime", model, config)
        return Opening(lambda: found.open_session(wanted))

    async def realtime_token(
        self,
        model: str = "",
        *,
        seconds: int | None = None,
        config: CoreConfig | None = None,
        settings: RealtimeSettings | None = None,
        **options: Unpack[RealtimeOptions],
    ) -> RealtimeToken:
        """A token for browsers: see `betterai.realtime_token`."""
        from betterai.core.realtime_settings import RealtimeSettings

        found, wanted = self.find("realtime", model, config), merge(RealtimeSettings, settings, options)
        unread = found.find_unread(wanted)
        token: RealtimeToken = await found.provider.token(found.id, wanted, seconds)
        found.judge(token.warnings)
        return msgspec.structs.replace(token, warnings=(*unread, *token.warnings)) if unread else token

    async def save_media(self, media: Media, path: str | os.PathLike[str]) -> Path:
        """Write media into a file, or into a folder under a new name: see `betterai.save_media`."""
        from betterai.runtime.media.saving import save_to

        limits = read_timeout(complete_config(self._config).timeout)
        if not isinstance(path, str | os.PathLike):
            raise ValidationError(f"media are saved in a path, not in {type(path).__name__}")
        return await save_to(media, Path(path), choose_transport(self._connect()), limits)


def _check_provider(provider: object) -> None:
    if isinstance(provider, type) or not hasattr(provider, "connect"):
        raise ValidationError(f"the model must be a name or a realtime provider, not {provider!r:.80}")
