"""The sync face of the categories other than text, such as `betterai.sync.embed`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, Self, TypeVar, Unpack

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
from betterai.core.results import (
    EmbeddingResponse,
    ImageChunk,
    ImageResponse,
    ModerationResponse,
    RerankResponse,
    Result,
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
from betterai.runtime import modality_calls as _async
from betterai.runtime.background import Background, run, start
from betterai.runtime.sources import MediaSource

if TYPE_CHECKING:
    from betterai.runtime.job_store import JobStore
    from betterai.runtime.jobs import Job, Progress

P = TypeVar("P")
R = TypeVar("R", bound=Result)


class SyncPieces(Generic[P]):
    """The pieces of a streamed result, for loops and `with`."""

    def __init__(self, pieces: AsyncGenerator[P, None]) -> None:
        self._pieces = pieces
        self._background: Background | None = None

    def __iter__(self) -> Iterator[P]:
        return self

    def __next__(self) -> P:
        self._background = start()
        found = run(_next(self._pieces))
        if not found:
            raise StopIteration
        return found[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the stream: the upstream connection is closed."""
        if self._background is not None:
            run(_close(self._pieces))

    def __del__(self) -> None:
        """Left without being closed: the connection is closed as soon as the loop comes to it."""
        if self._background is not None:
            with suppress(RuntimeError):
                self._background.loop.call_soon_threadsafe(_leave, self._pieces)


class SyncJob(Generic[R]):
    """A job, as `betterai.Job`, without async."""

    def __init__(self, job: Job[R]) -> None:
        self.job = job

    @classmethod
    def resume(
        cls,
        handle: str,
        *,
        config: CoreConfig | None = None,
        store: JobStore | UnsetType | None = UNSET,
    ) -> SyncJob[R]:
        """See `betterai.Job.resume`."""
        from betterai.runtime.jobs import Job

        return cls(Job.resume(handle, config=config, store=store))

    @property
    def handle(self) -> str:
        return self.job.handle

    def wait(self, *, timeout: float | None = None, on_progress: Progress | None = None) -> R:
        """See `betterai.Job.wait`."""
        return run(self.job.wait(timeout=timeout, on_progress=on_progress))

    def cancel(self) -> None:
        """See `betterai.Job.cancel`."""
        run(self.job.cancel())


async def _next(pieces: AsyncGenerator[P, None]) -> tuple[P, ...]:
    """The next piece; nothing at the end."""
    async for piece in pieces:
        return (piece,)
    return ()


async def _close(pieces: AsyncGenerator[P, None]) -> None:
    await pieces.aclose()


def _leave(pieces: AsyncGenerator[P, None]) -> None:
    from asyncio import get_running_loop

    closing = get_running_loop().create_task(_close(pieces))
    closing.add_done_callback(lambda task: task.cancelled() or task.exception())


def embed(
    model: str,
    texts: str | Sequence[str],
    *,
    config: CoreConfig | None = None,
    settings: EmbeddingSettings | None = None,
    **options: Unpack[EmbeddingOptions],
) -> EmbeddingResponse:
    """`betterai.embed`, without async."""
    return run(_async.embed(model, texts, config=config, settings=settings, **options))


def rerank(
    model: str,
    query: str,
    documents: Sequence[str],
    *,
    config: CoreConfig | None = None,
    settings: RerankSettings | None = None,
    **options: Unpack[RerankOptions],
) -> RerankResponse:
    """`betterai.rerank`, without async."""
    return run(_async.rerank(model, query, documents, config=config, settings=settings, **options))


def moderate(
    model: str,
    inputs: str | Media | Sequence[str | Media],
    *,
    config: CoreConfig | None = None,
    settings: ModerationSettings | None = None,
    **options: Unpack[ModerationOptions],
) -> ModerationResponse:
    """`betterai.moderate`, without async."""
    return run(_async.moderate(model, inputs, config=config, settings=settings, **options))


def generate_image(
    model: str,
    prompt: str,
    *,
    config: CoreConfig | None = None,
    settings: ImageSettings | None = None,
    **options: Unpack[ImageOptions],
) -> ImageResponse:
    """`betterai.generate_image`, without async."""
    return run(_async.generate_image(model, prompt, config=config, settings=settings, **options))


def stream_image(
    model: str,
    prompt: str,
    *,
    config: CoreConfig | None = None,
    settings: ImageSettings | None = None,
    **options: Unpack[ImageOptions],
) -> SyncPieces[ImageChunk]:
    """`betterai.stream_image`, without async."""
    return SyncPieces(_async.stream_image(model, prompt, config=config, settings=settings, **options))


def generate_video(
    model: str,
    prompt: str,
    *,
    store: JobStore | UnsetType | None = UNSET,
    config: CoreConfig | None = None,
    settings: VideoSettings | None = None,
    **options: Unpack[VideoOptions],
) -> VideoResponse:
    """`betterai.generate_video`, without async."""
    return run(_async.generate_video(model, prompt, store=store, config=config, settings=settings, **options))


def transcribe(
    model: str,
    audio: MediaSource,
    *,
    config: CoreConfig | None = None,
    settings: TranscriptionSettings | None = None,
    **options: Unpack[TranscriptionOptions],
) -> Transcript:
    """`betterai.transcribe`, without async."""
    return run(_async.transcribe(model, audio, config=config, settings=settings, **options))


def stream_transcription(
    model: str,
    audio: MediaSource,
    *,
    config: CoreConfig | None = None,
    settings: TranscriptionSettings | None = None,
    **options: Unpack[TranscriptionOptions],
) -> SyncPieces[TranscriptChunk]:
    """`betterai.stream_transcription`, without async."""
    return SyncPieces(_async.stream_transcription(model, audio, config=config, settings=settings, **options))


def speak(
    model: str,
    text: str,
    *,
    config: CoreConfig | None = None,
    settings: SpeechSettings | None = None,
    **options: Unpack[SpeechOptions],
) -> Speech:
    """`betterai.speak`, without async."""
    return run(_async.speak(model, text, config=config, settings=settings, **options))


def stream_speech(
    model: str,
    text: str,
    *,
    config: CoreConfig | None = None,
    settings: SpeechSettings | None = None,
    **options: Unpack[SpeechOptions],
) -> SyncPieces[SpeechChunk]:
    """`betterai.stream_speech`, without async."""
    return SyncPieces(_async.stream_speech(model, text, config=config, settings=settings, **options))


def start_video(
    model: str,
    prompt: str,
    *,
    store: JobStore | UnsetType | None = UNSET,
    config: CoreConfig | None = None,
    settings: VideoSettings | None = None,
    **options: Unpack[VideoOptions],
) -> SyncJob[VideoResponse]:
    """`betterai.start_video`, without async."""
    return SyncJob(run(_async.start_video(model, prompt, store=store, config=config, settings=settings, **options)))


def start_image(
    model: str,
    prompt: str,
    *,
    store: JobStore | UnsetType | None = UNSET,
    config: CoreConfig | None = None,
    settings: ImageSettings | None = None,
    **options: Unpack[ImageOptions],
) -> SyncJob[ImageResponse]:
    """`betterai.start_image`, without async."""
    return SyncJob(run(_async.start_image(model, prompt, store=store, config=config, settings=settings, **options)))
