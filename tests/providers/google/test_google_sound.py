"""Speech and transcription by Gemini: what comes of each setting, streams, and answers that are none."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

import betterai
from betterai.core.exceptions import ContentFilterError, ProviderError, StreamInterrupted, UnsupportedParam
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.results import Transcript
from betterai.core.settings import TranscriptionSettings
from betterai.core.wire import Call, Event, WireResponse
from betterai.providers.google import PROVIDER
from betterai.runtime.factory import find_provider
from betterai.wire.gemini.heard import read_offset
from betterai.wire.gemini.speech import read_rate
from betterai.wire.gemini.transcriptions import PROMPT, TRANSLATE
from doubles.gemini_sound import SAMPLES, SoundHouse, heard
from shapes.server import serve

SPEAKS, HEARS, READS = "google/gemini-3.8-flash-tts", "google/gemini-3.5-transcribe", "google/gemini-3.8-flash"
SOUND = b"".join(SAMPLES)
RECORDING = Media(kind="audio", mime_type="audio/mpeg", data=b"ID3", filename="talk.mp3")


@asynccontextmanager
async def house() -> AsyncIterator[tuple[SoundHouse, dict[str, Any]]]:
    double = SoundHouse()
    async with serve(double) as url:
        yield double, {"config": betterai.CoreConfig(api_key="k", base_url=url, retries=0)}


def fields(result: Any) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in result.warnings]


async def test_speech_is_raw_samples_or_a_wav_file_and_the_rest_is_reported() -> None:
    async with house() as (double, at):
        plain = await betterai.speak(SPEAKS, "Hello", sample_rate=24000, **at)
        whole = await betterai.speak(SPEAKS, "Hello", format="wav", **at)
        speakers = {"google": {"speechConfig": {"multiSpeakerVoiceConfig": {"speakerVoiceConfigs": []}}}}
        odd = await betterai.speak(
            SPEAKS, "Hello", format="mp3", sample_rate=8000, speed=1.5, alignment=True, voice="Kore",
            instructions="Whisper", options=speakers, **at,
        )  # fmt: skip
        double.finish = "MAX_TOKENS"
        cut = await betterai.speak(SPEAKS, "Hello", **at)
    assert (plain.audio.to_bytes(), plain.audio.mime_type, plain.sample_rate) == (SOUND, "audio/pcm", 24000)
    assert (plain.model, plain.usage and plain.usage.output_tokens, plain.warnings) == ("m-1", 5, ())
    with wave.open(io.BytesIO(whole.audio.to_bytes())) as file:
        assert (file.getframerate(), file.getnchannels(), file.readframes(9)) == (24000, 1, SOUND)
    assert whole.audio.mime_type == "audio/wav"
    assert double.bodies[0]["generationConfig"] == {"responseModalities": ["AUDIO"]}
    assert double.bodies[2]["contents"][0]["parts"] == [{"text": "Whisper:\nHello"}]
    assert double.bodies[2]["generationConfig"]["speechConfig"] == speakers["google"]["speechConfig"]
    dropped = {("dropped", name) for name in ("format", "sample_rate", "speed", "alignment", "voice")}
    assert set(fields(odd)) == {*dropped, ("translated", "instructions")}
    assert fields(cut) == [("provider", "MAX_TOKENS")]
    named = {
        "audio/L16;codec=pcm;rate=16000": 16000,
        "audio/pcm": 24000,
        "audio/L16; rate=x": 24000,
        "audio/mpeg": None,
    }
    assert {kind: read_rate(kind) for kind in named} == named


async def test_s10_speech_is_streamed_as_it_comes() -> None:
    async with house() as (double, at):
        double.go_on.clear()
        stream = betterai.stream_speech(SPEAKS, "Hello", format="wav", **at)
        first = await anext(stream)
        assert (first.audio[:4], first.audio[44:]) == (b"RIFF", SAMPLES[0])
        double.go_on.set()
        *rest, last = [piece async for piece in stream]
        assert [piece.audio for piece in rest] == list(SAMPLES[1:])
        assert last.response is not None
        with wave.open(io.BytesIO(last.response.audio.to_bytes())) as file:
            assert file.readframes(9) == SOUND
        assert last.response.usage is not None
        assert last.response.usage.output_tokens == 5
        assert double.requests == ["gemini-3.8-flash-tts:streamGenerateContent"]
        config = betterai.CoreConfig(model=SPEAKS, api_key="k", base_url=at["config"].base_url)
        tts: Any = find_provider("tts", config)[0]
        voices = await tts.voices()
    assert len(voices) == 30
    assert {"Kore", "Puck", "Zephyr", "Charon", "Fenrir", "Leda", "Orus", "Aoede"} < {voice.id for voice in voices}


async def test_s4_an_answer_without_what_was_asked_for_is_no_success() -> None:
    async with house() as (double, at):
        double.empty, double.finish = True, "SAFETY"
        with pytest.raises(ContentFilterError, match="no sound came: SAFETY"):
            await betterai.speak(SPEAKS, "Hello", **at)
        with pytest.raises(ContentFilterError, match="no transcript came: SAFETY"):
            await betterai.transcribe(HEARS, RECORDING, **at)
        for ask in (
            betterai.stream_speech(SPEAKS, "Hello", **at),
            betterai.stream_transcription(READS, RECORDING, **at),
        ):
            with pytest.raises(StreamInterrupted):
                [piece async for piece in ask]
        double.finish = "STOP"
        assert (await betterai.transcribe(READS, RECORDING, **at)).text == ""
        with pytest.raises(ProviderError, match="no sound came: STOP"):
            await betterai.speak(SPEAKS, "Hello", **at)


async def test_a_model_that_answers_is_asked_for_the_text_and_tells_no_times() -> None:
    async with house() as (double, at):
        plain = await betterai.transcribe(READS, RECORDING, **at)
        stored = Media(kind="audio", mime_type="audio/mpeg", file_id="https://g.example/v1beta/files/a")
        more = await betterai.transcribe(
            READS, stored, language="de", keywords=["Ruby", "Rails"], prompt="A talk", translate=True, diarize=True,
            timestamps=["word"], interim=True, **at,
        )  # fmt: skip
        *pieces, last = [piece async for piece in betterai.stream_transcription(READS, RECORDING, **at)]
        with pytest.raises(UnsupportedParam, match="WAV"):
            await betterai.transcribe(READS, RECORDING, encoding="pcm", **at)
    assert (plain.text, plain.words, plain.segments, plain.warnings) == ("Good morning. Who is it?", None, None, ())
    assert plain.usage is not None
    assert (plain.usage.audio_in, plain.usage.text_out) == (9, 5)
    inline = {"inlineData": {"mimeType": "audio/mpeg", "data": "SUQz"}}
    assert double.bodies[0]["contents"] == [{"role": "user", "parts": [inline, {"text": PROMPT}]}]
    kept, asked = double.bodies[1]["contents"][0]["parts"]
    assert kept["fileData"]["fileUri"] == stored.file_id
    assert asked["text"].splitlines() == [
        TRANSLATE, "The language that is spoken: de.", "Words that may be said: Ruby, Rails.",
        "About the recording: A talk",
    ]  # fmt: skip
    assert set(fields(more)) == {("dropped", name) for name in ("diarize", "timestamps", "interim")}
    assert [(piece.text, piece.final) for piece in pieces] == [("Good morning. ", True), ("Who is it?\n", True)]
    assert last.response is not None
    assert last.response.text == plain.text


async def test_j4_a_model_that_transcribes_tells_who_said_what_and_when() -> None:
    async with house() as (double, at):
        timed = await betterai.transcribe(HEARS, RECORDING, timestamps=["word"], diarize=True, **at)
        plain = await betterai.transcribe(HEARS, RECORDING, **at)
        double.go_on.clear()
        stream = betterai.stream_transcription(HEARS, RECORDING, timestamps=["word"], **at)
        first = await anext(stream)
        assert (first.text, first.final, len(first.words or ())) == ("Good morning.", True, 2)
        double.go_on.set()
        *rest, last = [piece async for piece in stream]
    assert double.bodies[0]["contents"][0]["parts"] == [{"inlineData": {"mimeType": "audio/mpeg", "data": "SUQz"}}]
    asked = {"audioTranscriptionConfig": {"wordTimestamp": True, "diarization": True}}
    assert double.bodies[0]["generationConfig"] == asked
    assert (timed.text, timed.language, timed.model) == ("Good morning. Who is it?", "en-US", "m-1")
    assert timed.words is not None
    assert [(word.text, word.start, word.end, word.speaker) for word in timed.words[1:3]] == [
        ("morning.", 0.75, 1.25, "spk_1"), ("Who", 1.5, 2.0, "spk_2"),
    ]  # fmt: skip
    assert timed.segments is not None
    assert [(one.text, one.start, one.end, one.speaker) for one in timed.segments] == [
        ("Good morning.", 0.25, 1.25, "spk_1"), ("Who is it?", 1.5, 3.0, "spk_2"),
    ]  # fmt: skip
    assert "00:00:01,500 --> 00:00:03,000" in timed.to_srt()
    assert (plain.text, plain.words, plain.segments) == (timed.text, None, None)
    assert [piece.text for piece in rest] == [" Who is it?"]
    assert last.response == msgspec.structs.replace(
        timed, body=b"", timing=last.response.timing, headers=last.response.headers, warnings=last.response.warnings
    )  # fmt: skip


MODEL = ModelConfig(id="gemini-3.5-transcribe", provider="google", category="audio")
CALL: Any = Call(model=MODEL, input=RECORDING, settings=TranscriptionSettings())


def read(*parts: dict[str, Any], finish: str = "STOP") -> Transcript:
    codec: Any = PROVIDER.protocols["audio"]["gemini_transcribe"]
    candidate = {"content": {"parts": parts}, "finishReason": finish}
    reply = WireResponse(status=200, body=msgspec.json.encode({"candidates": [candidate]}))
    result: Transcript = codec.parse_response(CALL, reply)
    return result


def test_j4_times_that_are_told_of_some_only_are_none_and_odd_ones_are_errors() -> None:
    timed, untimed = heard("One two", "a", 0.5), heard("three", "a", 0.0, timed=False)
    mixed = read(timed, untimed)
    assert (mixed.text, mixed.words, mixed.segments) == ("One two three", None, None)
    by_words = {name: value for name, value in timed["audioTranscription"].items() if not name.endswith("Offset")}
    assert [(one.start, one.end) for one in read({"audioTranscription": by_words}).segments or ()] == [(0.5, 1.5)]
    assert fields(read(timed, finish="MAX_TOKENS")) == [("provider", "MAX_TOKENS")]
    assert (read_offset("1.25s"), read_offset(2), read_offset(None)) == (1.25, 2.0, 0.0)
    for odd in ({"text": 7}, {"text": "a", "endOffset": "soon"}):
        with pytest.raises(ProviderError):
            read({"audioTranscription": odd})
    codec: Any = PROVIDER.protocols["audio"]["gemini_transcribe"]
    word = {"word": "a", "endOffset": "soon"}
    for odd in ({"text": 7}, {"text": "a", "words": [word]}, {"text": "a", "endOffset": "soon"}):
        state = codec.open_stream(CALL)
        event = {"candidates": [{"content": {"parts": [{"audioTranscription": odd}]}, "finishReason": "STOP"}]}
        with pytest.raises(ProviderError):
            _ = [*state.parse_event(Event(data=msgspec.json.encode(event))), *state.finish()]
