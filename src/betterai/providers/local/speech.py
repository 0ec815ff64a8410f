"""`local/espeak`: text to speech in this process, by espeak-ng: a hundred languages, a voice like a machine's."""

from __future__ import annotations

from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from betterai.core.accumulate import split_sentences
from betterai.core.base import BaseTTSProvider
from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.media import Media
from betterai.core.response import CallWarning
from betterai.core.results import Speech, SpeechChunk, Voice, Word
from betterai.core.settings import SpeechSettings
from betterai.core.usage import Usage
from betterai.providers.local.models import find_model, state
from betterai.providers.local.threads import in_thread
from betterai.providers.local.unsupported import NO_REQUEST, drop, list_dropped, refuse_options

if TYPE_CHECKING:
    from betterai.providers.local.espeak import Sound

DEFAULT_VOICE = "en-us"
SAMPLE_RATES = range(8000, 48001)
DROPPED: Mapping[str, str] = {
    **NO_REQUEST,
    "instructions": "the engine takes none: choose a voice",
    "seed": "the engine's breath is of chance",
}


class _Manner(NamedTuple):
    """How a text is to be spoken."""

    voice: str
    words_a_minute: int
    rate: int
    is_wav: bool
    aligned: bool
    warnings: tuple[CallWarning, ...]


class LocalTTSProvider(BaseTTSProvider):
    """espeak-ng (https://github.com/espeak-ng/espeak-ng, GPL-3.0-or-later): needs `betterai[local-speech]`."""

    def __init__(self, api_key: str = "") -> None:
        pass

    async def check_ready(self, model: str) -> None:
        find_model(model or "espeak", "tts")
        await self.voices()

    async def voices(self) -> tuple[Voice, ...]:
        """A voice for each language. A variant may stand behind a plus: `en-us+f2` is a woman's, `+m3` a man's."""
        from betterai.providers.local.espeak import list_voices

        return await in_thread(list_voices)

    async def synthesize(self, text: str, model: str = "", settings: SpeechSettings | None = None) -> Speech:
        """The sound that the stream would have."""
        async with aclosing(self.synthesize_stream(text, model, settings)) as pieces:
            responses = [piece.response async for piece in pieces]
        assert responses[-1] is not None, "a stream ends with its response"
        return responses[-1]

    async def synthesize_stream(
        self, text: str | AsyncIterator[str], model: str = "", settings: SpeechSettings | None = None
    ) -> AsyncGenerator[SpeechChunk, None]:
        """A piece for each sentence, as soon as the sentence is there. The first piece of WAV has a head that does not
        know the size; the sound in the `response` at the end has one that does.
        """
        found = find_model(model or "espeak", "tts")
        manner = await in_thread(_read_manner, settings or SpeechSettings())
        sounds: list[bytes] = []
        words: list[Word] = []
        characters, seconds = 0, 0.0
        async for sentence in split_sentences(text):
            characters += len(sentence)
            sound = await _speak(sentence, manner)
            later = tuple(replace(word, start=word.start + seconds, end=word.end + seconds) for word in sound.words)
            head = _head(manner) if not sounds else b""
            sounds.append(sound.samples)
            words.extend(later)
            seconds += len(sound.samples) / 2 / manner.rate
            yield SpeechChunk(audio=head + sound.samples, words=later if manner.aligned else None)
        if not sounds:
            raise ValidationError("there is nothing to say", provider="local")
        pcm = b"".join(sounds)
        response = Speech(
            audio=Media(
                kind="audio",
                mime_type="audio/wav" if manner.is_wav else "audio/pcm",
                data=_head(manner, len(pcm)) + pcm,
            ),
            sample_rate=manner.rate,
            words=tuple(words) if manner.aligned else None,
            warnings=manner.warnings,
            **state(found, Usage(units={"character": characters})),
        )
        yield SpeechChunk(response=response)


def _head(manner: _Manner, size: int | None = None) -> bytes:
    from betterai.wire.wav import UNKNOWN, write_header

    return write_header(manner.rate, UNKNOWN if size is None else size) if manner.is_wav else b""


async def _speak(sentence: str, manner: _Manner) -> Sound:
    """Its sound at the rate that is wanted. Leaving ends the speaking."""
    left = Event()
    try:
        return await in_thread(_speak_now, sentence, manner, left)
    finally:
        left.set()


def _speak_now(sentence: str, manner: _Manner, left: Event) -> Sound:
    from betterai.providers.local.espeak import RATE, Sound, speak
    from betterai.providers.local.resample import Resampler
    from betterai.providers.local.sound import to_bytes

    sound = speak(sentence, manner.voice, manner.words_a_minute, left.is_set)
    resampler = Resampler(RATE, manner.rate)
    samples = resampler.feed(array("h", sound.samples)) + resampler.finish()
    return Sound(to_bytes(samples), sound.words)


def _read_manner(settings: SpeechSettings) -> _Manner:
    """Raises `ValidationError` for what there is not, and `UnsupportedParam` for what is not made here."""
    from betterai.providers.local.espeak import FASTEST, NORMAL, RATE, SLOWEST, find_voice

    given = settings.given()
    wanted = given.get("format") or "wav"
    if wanted not in ("wav", "pcm"):
        raise UnsupportedParam(f"format: it makes wav and pcm, not {wanted!r}", param="format")
    rate = RATE if given.get("sample_rate") is None else given["sample_rate"]
    if rate not in SAMPLE_RATES:
        raise ValidationError(f"the sample rate must be 8000 to 48000 Hz, not {rate}")
    speed = 1.0 if given.get("speed") is None else given["speed"]
    words_a_minute = round(NORMAL * speed)
    if not SLOWEST <= words_a_minute <= FASTEST:
        raise ValidationError(f"speed is from {SLOWEST / NORMAL:.2f} to {FASTEST / NORMAL:.2f} here, not {speed}")
    refuse_options(given.get("options"))
    voice, language, warnings = given.get("voice"), given.get("language"), list_dropped(settings, DROPPED)
    if voice and language:
        warnings += (drop("language", "the voice has a language"),)
    return _Manner(
        voice=voice or (find_voice(language) if language else DEFAULT_VOICE),
        words_a_minute=words_a_minute,
        rate=rate,
        is_wav=wanted == "wav",
        aligned=bool(given.get("alignment")),
        warnings=warnings,
    )
