"""`local/espeak`, and sound: formats, rates, voices, words, texts that are still coming, threads; WAV of every kind."""

from __future__ import annotations

import asyncio
import io
import math
import struct
import wave
from array import array
from collections.abc import AsyncIterator

import pytest

import betterai
from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.settings import TranscriptionSettings
from betterai.providers.local.resample import Resampler
from betterai.providers.local.sound import SoundReader
from betterai.wire.wav import write_header
from providers.local.engines import beep, chunk, need

MODEL = "local/espeak"
TEXT = "The sun is up. Good morning, children!"


async def test_a_stream_is_what_the_response_holds_and_wave_reads_it() -> None:
    need("espeak")
    pieces = [piece async for piece in betterai.stream_speech(MODEL, TEXT, alignment=True)]
    response = pieces[-1].response
    assert response is not None
    assert (len(pieces), response.audio.mime_type, response.sample_rate) == (3, "audio/wav", 22050)
    sound, head = b"".join(piece.audio for piece in pieces), len(write_header(22050))
    assert sound[head:] == response.audio.to_bytes()[head:]
    with wave.open(io.BytesIO(response.audio.to_bytes())) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (22050, 1, 2)
        seconds = file.getnframes() / file.getframerate()
    assert 1.5 < seconds < 5
    assert response.words is not None
    assert [word.text for word in response.words] == ["The", "sun", "is", "up", "Good", "morning", "children"]
    places = [place for word in response.words for place in (word.start, word.end)]
    assert places == sorted(places)
    assert places[-1] <= seconds + 1 / 22050  # a sample: both are sums of fractions
    assert response.words == tuple(word for piece in pieces for word in piece.words or ())


async def test_s10_speech_begins_before_the_text_is_finished() -> None:
    need("espeak")
    heard = asyncio.Event()

    async def words() -> AsyncIterator[str]:
        yield "The sun is "
        yield "up. Good mor"
        await asyncio.wait_for(heard.wait(), 20)
        yield "ning."

    pieces = []
    async for piece in betterai.stream_speech(MODEL, words(), format="pcm", sample_rate=16000):
        pieces.append(piece)
        heard.set()
    assert [bool(piece.audio) for piece in pieces] == [True, True, False]
    assert pieces[-1].response is not None
    assert pieces[-1].response.usage is not None
    assert pieces[-1].response.usage.units == {"character": len("The sun is up.") + len("Good morning.")}


async def test_voices_speed_and_rate_are_kept_and_what_there_is_not_is_named() -> None:
    need("espeak")
    provider = betterai.get_tts_provider(MODEL)
    voices = {voice.id for voice in await provider.voices()}
    assert len(voices) > 100
    assert {"en-us", "de", "fr-fr"} <= voices
    usual, fast, low = [
        len((await betterai.speak(MODEL, TEXT, format="pcm", **settings)).audio.to_bytes())
        for settings in ({}, {"speed": 2.0}, {"sample_rate": 8000})
    ]
    assert 0.35 < fast / usual < 0.75
    assert low / usual == pytest.approx(8000 / 22050, rel=0.02)
    german = await betterai.speak(MODEL, "Guten Morgen", language="de-AT")
    assert german.warnings == ()
    with pytest.raises(ValidationError, match=r"no voice 'en-uss'.*en-us"):
        await betterai.speak(MODEL, TEXT, voice="en-uss")
    with pytest.raises(ValidationError, match="no variant 'zz'"):
        await betterai.speak(MODEL, TEXT, voice="en-us+zz")
    with pytest.raises(ValidationError, match="nothing to say"):
        await betterai.speak(MODEL, "  ")
    with pytest.raises(UnsupportedParam, match="format"):
        await betterai.speak(MODEL, TEXT, format="mp3")
    with pytest.raises(ValidationError, match="speed"):
        await betterai.speak(MODEL, TEXT, speed=0.0)


async def test_calls_at_once_do_not_mix() -> None:
    """The engine has one state: each call gets its own sound, in its own voice."""
    need("espeak")
    texts = ["One.", "One hundred and twenty-three thousand four hundred and fifty-six."] * 6
    voices = ["en-us", "de"] * 6
    spoken = await asyncio.gather(
        *(betterai.speak(MODEL, text, voice=voice, format="pcm") for text, voice in zip(texts, voices, strict=True))
    )
    sizes = [len(speech.audio.to_bytes()) for speech in spoken]
    for kind in (sizes[0::2], sizes[1::2]):
        assert max(kind) / min(kind) < 1.05
    assert min(sizes[1::2]) > 3 * max(sizes[0::2])


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_a_tone_stays_the_tone_at_another_rate_in_pieces_of_any_size(rate: int) -> None:
    tone = array("h", [round(8000 * math.sin(2 * math.pi * 440 * place / rate)) for place in range(rate // 5)])
    whole = Resampler(rate, 16000)
    out = whole.feed(tone) + whole.finish()
    assert abs(len(out) - 3200) <= 40
    wanted = [8000 * math.sin(2 * math.pi * 440 * place / 16000) for place in range(200, 3000)]
    assert max(abs(a - b) for a, b in zip(out[200:3000], wanted, strict=True)) < 80
    pieces = Resampler(rate, 16000)
    cut = array("h")
    for start in range(0, len(tone), 37):
        cut += pieces.feed(tone[start : start + 37])
    assert cut + pieces.finish() == out
    high = array("h", [round(8000 * math.sin(2 * math.pi * 10000 * place / 22050)) for place in range(4410)])
    assert max(map(abs, Resampler(22050, 16000).feed(high)[200:])) < 400, "what the lower rate cannot hold is gone"


def test_wav_of_every_kind_is_read_byte_by_byte() -> None:
    frames = [0, 256, -256, 32512, -32768]
    kinds = {
        (1, 8): bytes((frame >> 8) + 128 for frame in frames),
        (1, 16): struct.pack("<5h", *frames),
        (1, 24): b"".join(struct.pack("<i", frame << 8)[:3] for frame in frames),
        (1, 32): struct.pack("<5i", *(frame << 16 for frame in frames)),
        (3, 32): struct.pack("<5f", *(frame / 32767 for frame in frames)),
    }
    for (kind, bits), data in kinds.items():
        head = struct.pack("<HHIIHH", kind, 1, 8000, 8000 * bits // 8, bits // 8, bits)
        file = chunk(b"RIFF", b"WAVE" + chunk(b"fmt ", head) + chunk(b"LIST", b"odd") + b"\0" + chunk(b"data", data))
        reader, samples = SoundReader(TranscriptionSettings()), array("h")
        for byte in file + b"LIST and more":
            samples += reader.feed(bytes((byte,)))
        samples += reader.finish()
        assert reader.rate == 8000
        assert [abs(a - b) <= 1 for a, b in zip(samples, frames, strict=True)] == [True] * 5, (kind, bits)
    stereo = SoundReader(TranscriptionSettings(sample_rate=8000, channels=2, encoding="pcm"))
    assert list(stereo.feed(struct.pack("<6h", 0, 10, 20, 40, -2, -4) + b"\0\0")) == [5, 30, -3]


def test_what_is_no_recording_is_refused_in_plain_words() -> None:
    for data, said in ((b"", "empty"), (b"ID3" + bytes(20), "audio/mpeg"), (bytes(20), "raw 16-bit"), (b"RI", "this"),
        (write_header(16000)[:30], "cut off")):  # fmt: skip
        reader = SoundReader(TranscriptionSettings())
        with pytest.raises(ValidationError, match=said):
            reader.feed(data) + reader.finish()
    head = chunk(b"fmt ", struct.pack("<HHIIHH", 2, 1, 8000, 4000, 1, 4))
    with pytest.raises(ValidationError, match="kind 2 and 4 bits"):
        SoundReader(TranscriptionSettings()).feed(chunk(b"RIFF", b"WAVE" + head + chunk(b"data", b"")))


async def test_a_recording_without_speech_has_no_text() -> None:
    need("pocketsphinx")
    transcript = await betterai.transcribe("local/pocketsphinx", beep(seconds=0.0))
    assert (transcript.text, transcript.words, transcript.seconds) == ("", (), 0.0)
    with pytest.raises(UnsupportedParam, match="English"):
        await betterai.transcribe("local/pocketsphinx", beep(), language="de")
    with pytest.raises(UnsupportedParam, match="not fetched"):
        await betterai.transcribe("local/pocketsphinx", "https://example.com/a.wav")
