"""`local/pocketsphinx`: English speech to text in this process. A small recogniser, no large model."""

from __future__ import annotations

from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

from betterai.core.base import BaseAudioProvider
from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.media import Media
from betterai.core.results import Segment, Transcript, TranscriptChunk, Word
from betterai.core.settings import TranscriptionSettings
from betterai.core.usage import Usage
from betterai.providers.local.files import read_bytes
from betterai.providers.local.models import find_model, state
from betterai.providers.local.threads import in_thread
from betterai.providers.local.unsupported import NO_REQUEST, list_dropped, refuse_options

if TYPE_CHECKING:
    from betterai.providers.local.resample import Resampler
    from betterai.providers.local.sound import SoundReader
    from betterai.providers.local.sphinx import Heard, Listener

PIECE_BYTES = 1 << 16
"""In what pieces a file is read: between two of them a call can be left."""
DROPPED: Mapping[str, str] = {
    **NO_REQUEST,
    "prompt": "the model takes no hints",
    "keywords": "the model takes no hints",
    "diarize": "it does not tell speakers apart",
    "speakers": "it does not tell speakers apart",
    "temperature": "nothing is drawn by chance",
}


class LocalAudioProvider(BaseAudioProvider):
    """pocketsphinx (https://github.com/cmusphinx/pocketsphinx, BSD) with the English model of its wheel."""

    def __init__(self, api_key: str = "") -> None:
        pass

    async def check_ready(self, model: str) -> None:
        find_model(model or "pocketsphinx", "audio")
        from betterai.providers.local.sphinx import load_package

        await in_thread(load_package)

    async def transcribe(
        self, audio: Media, model: str = "", settings: TranscriptionSettings | None = None
    ) -> Transcript:
        """What the stream would end with. Raises `ValidationError` for what is no WAV, and no raw samples."""
        wanted = (settings or TranscriptionSettings()).replace(interim=False)
        async with aclosing(self.transcribe_stream(audio, model, wanted)) as pieces:
            responses = [piece.response async for piece in pieces]
        assert responses[-1] is not None, "a stream ends with its response"
        return responses[-1]

    async def transcribe_stream(
        self, audio: Media | AsyncIterator[bytes], model: str = "", settings: TranscriptionSettings | None = None
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """A final piece for each utterance, once it is over; before it, unless `interim` is False, what was understood
        of it so far. The final pieces together are the text.
        """
        found = find_model(model or "pocketsphinx", "audio")
        settings = settings or TranscriptionSettings()
        _check(settings)
        recording = await in_thread(_Recording, settings)
        text = ""
        utterances: list[tuple[Word, ...]] = []
        async for heard in recording.follow(_cut(audio) if isinstance(audio, Media) else audio):
            said = " ".join(word.text for word in heard.words)
            if not said:
                continue
            piece = f" {said}" if text else said
            if heard.final:
                utterances.append(heard.words)
                text += piece
            yield TranscriptChunk(text=piece, final=heard.final, words=heard.words)
        seconds = round(recording.seconds, 3)
        response = Transcript(
            text=text,
            language="en",
            seconds=seconds,
            words=tuple(word for words in utterances for word in words),
            segments=tuple(_join(words) for words in utterances),
            warnings=list_dropped(settings, DROPPED),
            **state(found, Usage(units={"second": seconds})),
        )
        yield TranscriptChunk(final=True, response=response)


def _check(settings: TranscriptionSettings) -> None:
    language = settings.language
    if language and language.lower().partition("-")[0] not in ("en", "eng", "english"):
        raise UnsupportedParam(f"language: it hears English only, not {language!r}", param="language")
    if settings.translate:
        raise UnsupportedParam("translate: it writes down what it hears", param="translate")
    unknown = [kind for kind in settings.timestamps or () if kind not in ("word", "segment")]
    if unknown:
        raise ValidationError(f"there are no timestamps of {unknown[0]!r}", hint="word, segment")
    refuse_options(settings.options)


class _Recording:
    """From bytes to what is heard in them: read, resampled and listened to in threads."""

    def __init__(self, settings: TranscriptionSettings) -> None:
        from betterai.providers.local.sound import SoundReader
        from betterai.providers.local.sphinx import Listener

        self.seconds = 0.0
        self._reader: SoundReader = SoundReader(settings)
        self._listener: Listener = Listener(interim=settings.interim is not False)
        self._resampler: Resampler | None = None

    async def follow(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[Heard, None]:
        async for data in pieces:
            for start in range(0, len(data), PIECE_BYTES):
                for heard in await in_thread(self._hear, data[start : start + PIECE_BYTES]):
                    yield heard
        for heard in await in_thread(self._end):
            yield heard

    def _hear(self, data: bytes) -> list[Heard]:
        return list(self._listener.feed(self._resample(self._reader.feed(data))))

    def _end(self) -> list[Heard]:
        samples = self._resample(self._reader.finish())
        if self._resampler is not None:
            samples = samples + self._resampler.finish()
        return [*self._listener.feed(samples), *self._listener.finish()]

    def _resample(self, samples: array[int]) -> array[int]:
        from betterai.providers.local.resample import Resampler
        from betterai.providers.local.sphinx import RATE

        if not samples:
            return samples
        self.seconds += len(samples) / self._reader.rate
        if self._resampler is None:
            self._resampler = Resampler(self._reader.rate, RATE)
        return self._resampler.feed(samples)


async def _cut(audio: Media) -> AsyncIterator[bytes]:
    yield await in_thread(read_bytes, audio)


def _join(words: tuple[Word, ...]) -> Segment:
    return Segment(text=" ".join(word.text for word in words), start=words[0].start, end=words[-1].end)
