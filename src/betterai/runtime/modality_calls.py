"""The module's functions of the categories other than text, such as `betterai.embed`."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from msgspec import UNSET, UnsetType

from betterai.core.config import CoreConfig
from betterai.core.media import Media
from betterai.core.options import (
    EmbeddingOptions,
    ImageOptions,
    ModerationOptions,
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
from betterai.core.settings import (
    EmbeddingSettings,
    ImageSettings,
    ModerationSettings,
    RerankSettings,
    SpeechSettings,
    TranscriptionSettings,
    VideoSettings,
)
from betterai.runtime.client import default_client
from betterai.runtime.media.sources import MediaSource

if TYPE_CHECKING:
    from betterai.runtime.jobs.job import Job
    from betterai.runtime.jobs.store import JobStore


async def embed(
    model: str,
    texts: str | Sequence[str],
    *,
    config: CoreConfig | None = None,
    settings: EmbeddingSettings | None = None,
    **options: Unpack[EmbeddingOptions],
) -> EmbeddingResponse:
    """A vector for each text, in order: `await betterai.embed("openai/text-embedding-3-small", ["Hello", "Bye"])`.

    Any number of texts: what a provider does not take at once goes in several requests. Raises `BetterAIError`.
    """
    return await default_client().embed(model, texts, config=config, settings=settings, **options)


async def rerank(
    model: str,
    query: str,
    documents: Sequence[str],
    *,
    config: CoreConfig | None = None,
    settings: RerankSettings | None = None,
    **options: Unpack[RerankOptions],
) -> RerankResponse:
    """The documents by how well they answer a query, best first; `top=3` gives the three best."""
    return await default_client().rerank(model, query, documents, config=config, settings=settings, **options)


async def moderate(
    model: str,
    inputs: str | Media | Sequence[str | Media],
    *,
    config: CoreConfig | None = None,
    settings: ModerationSettings | None = None,
    **options: Unpack[ModerationOptions],
) -> ModerationResponse:
    """A verdict on each input: what it may be an offence against, and how surely. Raises `BetterAIError`."""
    return await default_client().moderate(model, inputs, config=config, settings=settings, **options)


async def generate_image(
    model: str,
    prompt: str,
    *,
    config: CoreConfig | None = None,
    settings: ImageSettings | None = None,
    **options: Unpack[ImageOptions],
) -> ImageResponse:
    """Pictures of a prompt; with `images` (and `mask`) those are edited, or drawn after. Raises `BetterAIError`."""
    return await default_client().generate_image(model, prompt, config=config, settings=settings, **options)


def stream_image(
    model: str,
    prompt: str,
    *,
    config: CoreConfig | None = None,
    settings: ImageSettings | None = None,
    **options: Unpack[ImageOptions],
) -> AsyncGenerator[ImageChunk, None]:
    """The same, with unfinished pictures on the way (`partial_images`) where the provider shows them."""
    return default_client().stream_image(model, prompt, config=config, settings=settings, **options)


async def generate_video(
    model: str,
    prompt: str,
    *,
    store: JobStore | UnsetType | None = UNSET,
    config: CoreConfig | None = None,
    settings: VideoSettings | None = None,
    **options: Unpack[VideoOptions],
) -> VideoResponse:
    """A film of a prompt, waited for; cancelling the call cancels the job. Raises `BetterAIError`. The job is stored as
    that of `start_video` is, so that a crash does not lose it.
    """
    client = default_client()
    return await client.generate_video(model, prompt, store=store, config=config, settings=settings, **options)


async def start_video(
    model: str,
    prompt: str,
    *,
    store: JobStore | UnsetType | None = UNSET,
    config: CoreConfig | None = None,
    settings: VideoSettings | None = None,
    **options: Unpack[VideoOptions],
) -> Job[VideoResponse]:
    """The job that makes a film, submitted: `await job.wait()` gives it, and `job.handle` is what another process goes
    on with. It is kept in the store of jobs (`betterai jobs`) unless `store` is None. Raises `BetterAIError`.
    """
    return await default_client().start_video(model, prompt, store=store, config=config, settings=settings, **options)


async def start_image(
    model: str,
    prompt: str,
    *,
    store: JobStore | UnsetType | None = UNSET,
    config: CoreConfig | None = None,
    settings: ImageSettings | None = None,
    **options: Unpack[ImageOptions],
) -> Job[ImageResponse]:
    """The same for pictures, where the provider works on them as jobs."""
    return await default_client().start_image(model, prompt, store=store, config=config, settings=settings, **options)


async def transcribe(
    model: str,
    audio: MediaSource,
    *,
    config: CoreConfig | None = None,
    settings: TranscriptionSettings | None = None,
    **options: Unpack[TranscriptionOptions],
) -> Transcript:
    """What is said in a recording: a path, a URL, bytes, an open file or `Media`. Raises `BetterAIError`."""
    return await default_client().transcribe(model, audio, config=config, settings=settings, **options)


def stream_transcription(
    model: str,
    audio: MediaSource | AsyncIterable[bytes],
    *,
    config: CoreConfig | None = None,
    settings: TranscriptionSettings | None = None,
    **options: Unpack[TranscriptionOptions],
) -> AsyncGenerator[TranscriptChunk, None]:
    """The same in pieces, of sound that may still be coming. The last piece has the whole `response`."""
    return default_client().stream_transcription(model, audio, config=config, settings=settings, **options)


async def speak(
    model: str,
    text: str,
    *,
    config: CoreConfig | None = None,
    settings: SpeechSettings | None = None,
    **options: Unpack[SpeechOptions],
) -> Speech:
    """A text as speech: `speech.audio` is its sound. Raises `BetterAIError`."""
    return await default_client().speak(model, text, config=config, settings=settings, **options)


def stream_speech(
    model: str,
    text: str | AsyncIterable[str | TextChunk],
    *,
    config: CoreConfig | None = None,
    settings: SpeechSettings | None = None,
    **options: Unpack[SpeechOptions],
) -> AsyncGenerator[SpeechChunk, None]:
    """The same as it comes, of a text that may still be coming, such as `betterai.stream(…)`. The last piece has the
    whole `response`.
    """
    return default_client().stream_speech(model, text, config=config, settings=settings, **options)


async def save_media(media: Media, path: str | os.PathLike[str]) -> Path:
    """Write media of an answer into a file; where `path` is a folder, into a new one there. Its place.

    A URL is fetched without any key, from public addresses only, straight into the file. Raises `BetterAIError`.
    """
    return await default_client().save_media(media, path)
