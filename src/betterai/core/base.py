"""The base classes, one a category. Subclass one to be a provider of your own; codec providers are made of these too.

The second method of a pair has an honest default made of the first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence, Set
from typing import TYPE_CHECKING, Any, ClassVar

from betterai.core.batches import BatchLimits, BatchLine, BatchRequest, BatchStatus
from betterai.core.jobs import JobHandle
from betterai.core.media import Media
from betterai.core.model import Category
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.results import (
    EmbeddingResponse,
    FileHandle,
    ImageChunk,
    ImageResponse,
    ModerationResponse,
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
    GenerationSettings,
    ImageSettings,
    ModerationSettings,
    RerankSettings,
    SpeechSettings,
    TranscriptionSettings,
    VideoSettings,
)

if TYPE_CHECKING:
    from betterai.core.realtime import RealtimeToken
    from betterai.core.realtime_session import RealtimeSession
    from betterai.core.realtime_settings import RealtimeSettings


class BaseProvider:
    """What all base classes share: `async with` closes what the provider holds."""

    async def aclose(self) -> None:
        """Free what the provider holds. Does nothing by default."""

    async def check_ready(self, model: str) -> None:
        """Raises `BetterAIError` where a model could not be asked: a name that is none, a package that is missing. A
        cascade asks before anything is said. Does nothing by default.
        """

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _missing(provider: object, method: str) -> NotImplementedError:
    return NotImplementedError(f"{type(provider).__name__} does not implement {method}()")


class BaseTextProvider(BaseProvider):
    """Text generation. Implement `generate`, or `generate_stream`, or both: each has a default made of the other."""

    supports_streaming: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "supports_streaming" not in cls.__dict__:
            cls.supports_streaming = cls.generate_stream is not BaseTextProvider.generate_stream

    async def generate(self, messages: Any, model: str, settings: GenerationSettings) -> ProviderResponse:
        """Generate one answer. `messages` are dicts with role and content, or our `Message`s."""
        from betterai.core.accumulate import accumulate_chunks

        if type(self).generate_stream is BaseTextProvider.generate_stream:
            raise _missing(self, "generate")
        return await accumulate_chunks(self.generate_stream(messages, model, settings), model)

    async def generate_stream(
        self, messages: Any, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]:
        """Stream one answer. The last chunk carries the whole `response`."""
        if type(self).generate is BaseTextProvider.generate:
            raise _missing(self, "generate_stream")
        response = await self.generate(messages, model, settings)
        yield TextChunk(
            content=response.content,
            finish_reason=response.finish_reason,
            raw_finish_reason=response.raw_finish_reason,
            usage=response.usage,
            response=response,
        )

    async def count_tokens(self, messages: Any, model: str, settings: GenerationSettings) -> Any:
        """How many input tokens a call would have: a number or a `TokenCount`. What does not count raises
        `NotImplementedError`, as this does; `betterai.count_tokens` then gives an estimate.
        """
        raise _missing(self, "count_tokens")


class BaseImageProvider(BaseProvider):
    """Image generation."""

    async def generate(self, prompt: str, model: str, settings: ImageSettings) -> ImageResponse:
        raise _missing(self, "generate")

    async def generate_batch(
        self, prompts: Sequence[str], model: str, settings: ImageSettings
    ) -> AsyncGenerator[ImageResponse, None]:
        """Several prompts, one after another; results in their order."""
        for prompt in prompts:
            yield await self.generate(prompt, model, settings)

    async def generate_stream(
        self, prompt: str, model: str, settings: ImageSettings
    ) -> AsyncGenerator[ImageChunk, None]:
        """Pictures as they come, unfinished ones first where the provider shows them. By default the finished ones."""
        response = await self.generate(prompt, model, settings)
        for index, image in enumerate(response.images):
            last = index == len(response.images) - 1
            yield ImageChunk(image=image, index=index, final=True, response=response if last else None)


class BaseVideoProvider(BaseProvider):
    """Video generation."""

    async def generate(self, prompt: str, model: str, settings: VideoSettings) -> VideoResponse:
        raise _missing(self, "generate")


class BaseAudioProvider(BaseProvider):
    """Speech to text."""

    async def transcribe(self, audio: Media, model: str, settings: TranscriptionSettings) -> Transcript:
        raise _missing(self, "transcribe")

    async def transcribe_stream(
        self, audio: Media | AsyncIterator[bytes], model: str, settings: TranscriptionSettings
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Audio in as it comes. By default it is gathered and transcribed whole: one final piece."""
        if not isinstance(audio, Media):
            audio = Media(kind="audio", data=b"".join([piece async for piece in audio]))
        transcript = await self.transcribe(audio, model, settings)
        yield TranscriptChunk(text=transcript.text, final=True, words=transcript.words, response=transcript)


class BaseTTSProvider(BaseProvider):
    """Text to speech."""

    async def voices(self) -> tuple[Voice, ...]:
        """The voices that there are to choose from, asked now."""
        raise _missing(self, "voices")

    async def synthesize(self, text: str, model: str, settings: SpeechSettings) -> Speech:
        raise _missing(self, "synthesize")

    async def synthesize_stream(
        self, text: str | AsyncIterator[str], model: str, settings: SpeechSettings
    ) -> AsyncGenerator[SpeechChunk, None]:
        """Text in whole or as it comes; audio out. By default sentence by sentence. The last piece has the response."""
        from betterai.core.accumulate import split_sentences

        spoken: list[Speech] = []
        async for sentence in split_sentences(text):
            speech = await self.synthesize(sentence, model, settings)
            spoken.append(speech)
            yield SpeechChunk(audio=speech.audio.to_bytes(), words=speech.words)
        if len(spoken) == 1:
            yield SpeechChunk(response=spoken[0])
        elif spoken:
            sound = b"".join(speech.audio.to_bytes() for speech in spoken)
            audio = Media(kind="audio", mime_type=spoken[0].audio.mime_type, data=sound)
            yield SpeechChunk(response=Speech(audio=audio, sample_rate=spoken[0].sample_rate, model=spoken[0].model))


class BaseRealtimeProvider(BaseProvider):
    """Realtime voice."""

    async def connect(self, model: str, settings: RealtimeSettings) -> RealtimeSession:
        """The open session. `runtime/realtime` makes one of a bare `RealtimeChannel`, with tools, truncation, formats
        and sums.
        """
        raise _missing(self, "connect")

    async def token(self, model: str, settings: RealtimeSettings, seconds: int | None = None) -> RealtimeToken:
        """What a browser opens such a session with, for so many seconds."""
        raise _missing(self, "token")


class BaseEmbeddingProvider(BaseProvider):
    """Embeddings."""

    async def embed(self, inputs: Sequence[str], model: str, settings: EmbeddingSettings) -> EmbeddingResponse:
        raise _missing(self, "embed")


class BaseRerankProvider(BaseProvider):
    """Ranking documents by how well they answer a query."""

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        model: str,
        top: int | None = None,
        settings: RerankSettings | None = None,
    ) -> RerankResponse:
        raise _missing(self, "rerank")


class BaseModerationProvider(BaseProvider):
    """Judging content."""

    async def moderate(
        self, inputs: Sequence[str | Media], model: str, settings: ModerationSettings | None = None
    ) -> ModerationResponse:
        raise _missing(self, "moderate")


class BaseFilesProvider(BaseProvider):
    """Files at a provider."""

    async def upload(self, media: Media, purpose: str = "") -> FileHandle:
        raise _missing(self, "upload")

    async def download(self, handle: FileHandle) -> Media:
        raise _missing(self, "download")

    async def delete(self, handle: FileHandle) -> None:
        raise _missing(self, "delete")

    async def list(self) -> Sequence[FileHandle]:
        raise _missing(self, "list")


class BaseBatchProvider(BaseProvider):
    """Many requests, answered later: an endpoint of a vendor, or whatever asks them one by one.

    A handle is a `JobHandle` of category "batch"; what is needed to go on stands in its `state`, or is kept under its
    id. `account` is a fingerprint of the key, where there is one: a handle of another one is refused.
    """

    limits: BatchLimits = BatchLimits()

    async def submit(self, requests: AsyncIterable[BatchRequest], model: str, category: Category = "text") -> JobHandle:
        """Check all of them, then hand them over. Nothing is sent where one of them is wrong: raises
        `ValidationError`, which names its id. Comes back when they are handed over, not when they are answered.
        """
        raise _missing(self, "submit")

    async def resume(self, handle: JobHandle, *, retry_in_doubt: bool = False) -> JobHandle:
        """Go on with what another process began: a submit that broke off is ended here. Nothing is sent twice, unless
        `retry_in_doubt` says that what may have been sent is to be sent once more. Raises `ConfigurationError` where
        the handle belongs to another account.
        """
        return handle

    async def work(self, handle: JobHandle) -> None:
        """What is to be done here while somebody waits, until the batch is over: nothing where a vendor works on it.
        It may be cancelled at any time, and be called again, here or in another process.
        """

    async def status(self, handle: JobHandle) -> BatchStatus:
        """How it stands now."""
        raise _missing(self, "status")

    def results(self, handle: JobHandle, seen: Set[str] = frozenset()) -> AsyncGenerator[BatchLine, None]:
        """The lines that have an outcome by now, each once, in any order; when the batch is over, one for each request.
        They are read as they are asked for, and never all held in memory. Those in `seen` may be left out.
        """
        raise _missing(self, "results")

    async def cancel(self, handle: JobHandle) -> BatchStatus:
        """Ask for its end. Lines that were answered before stay answered."""
        raise _missing(self, "cancel")
