"""The sync face of the categories other than text, such as `betterai.sync.embed`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeVar, Unpack

from msgspec import UNSET, UnsetType

from betterai.core.config import CoreConfig
from betterai.core.options import (
    SpeechOptions,
    TranscriptionOptions,
)
from betterai.core.results import (
    Result,
    SpeechChunk,
    TranscriptChunk,
)
from betterai.core.settings import (
    SpeechSettings,
    TranscriptionSettings,
)
from betterai.runtime import modality_calls as _async
from betterai.runtime.handled import Handled
from betterai.runtime.media.sources import MediaSource
from betterai.runtime.sync.background import Background, run, start

if TYPE_CHECKING:
    from betterai.core.jobs import JobHandle
    from betterai.runtime.jobs.job import Job, Progress
    from betterai.runtime.jobs.store import JobStore

A = ParamSpec("A")
P = TypeVar("P")
T = TypeVar("T")
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


class SyncJob(Handled, Generic[R]):
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
        from betterai.runtime.jobs.job import Job

        return cls(Job.resume(handle, config=config, store=store))

    @property
    def _handle(self) -> JobHandle:
        return self.job._handle

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


def _whole(ask: Callable[A, Coroutine[Any, Any, T]]) -> Callable[A, T]:
    """A function of the module without async; type checkers see each of its parameters."""

    @wraps(ask)
    def call(*given: A.args, **named: A.kwargs) -> T:
        return run(ask(*given, **named))

    call.__doc__ = f"`betterai.{ask.__name__}`, without async."
    return call


def _job(begin: Callable[A, Coroutine[Any, Any, Job[R]]]) -> Callable[A, SyncJob[R]]:
    @wraps(begin)
    def call(*given: A.args, **named: A.kwargs) -> SyncJob[R]:
        return SyncJob(run(begin(*given, **named)))

    call.__doc__ = f"`betterai.{begin.__name__}`, without async."
    return call


def _pieces(ask: Callable[A, AsyncGenerator[P, None]]) -> Callable[A, SyncPieces[P]]:
    @wraps(ask)
    def call(*given: A.args, **named: A.kwargs) -> SyncPieces[P]:
        return SyncPieces(ask(*given, **named))

    call.__doc__ = f"`betterai.{ask.__name__}`, without async."
    return call


embed = _whole(_async.embed)
rerank = _whole(_async.rerank)
moderate = _whole(_async.moderate)
generate_image = _whole(_async.generate_image)
generate_video = _whole(_async.generate_video)
transcribe = _whole(_async.transcribe)
speak = _whole(_async.speak)
start_image = _job(_async.start_image)
start_video = _job(_async.start_video)
stream_image = _pieces(_async.stream_image)


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
