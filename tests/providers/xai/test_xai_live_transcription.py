"""xAI's session of transcription: guesses, utterances said once, the sound held back until it is up, how it ends."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

import betterai
from betterai.core.exceptions import ProviderError, StreamInterrupted, UnsupportedParam
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.results import TranscriptChunk
from betterai.core.settings import TranscriptionSettings
from betterai.core.wire import Call
from betterai.providers.xai.live_transcription import XAILive
from betterai.runtime.factory import find_provider
from doubles.xai_sockets import XAISocket
from shapes.server import serve

RAW = {"encoding": "linear16", "sample_rate": 16000}
SAID = (b"One", b"two,", b"three.", b"Four,", b"five")


def connect(url: str, **more: Any) -> Any:
    return find_provider(
        "audio",
        betterai.CoreConfig(model="xai/grok-voice-transcribe-2.0", base_url=url, api_key="k", retries=0, **more),
    )[0]


async def coming(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def hear(double: XAISocket, *pieces: bytes, **settings: Any) -> list[TranscriptChunk]:
    async with serve(double) as url:
        stream = connect(url).transcribe_stream(coming(*pieces), "", TranscriptionSettings(**{**RAW, **settings}))
        return [piece async for piece in stream]


@pytest.mark.parametrize("stitches", [True, False], ids=["utterances are whole", "utterances end with a stretch"])
async def test_utterances_are_final_and_said_once(stitches: bool) -> None:
    double = XAISocket()
    double.stitches = stitches
    own = {"xai": {"endpointing": 300, "smart_turn": 0.5}}
    *pieces, last = await hear(double, *SAID, language="en", keywords=["Ruby", "Rails"], diarize=True, options=own)
    assert [(piece.text, piece.final) for piece in pieces] == [("One two, three.", True), (" Four, five", True)]
    whole = last.response
    assert whole is not None
    assert (whole.text, whole.seconds, whole.segments) == ("One two, three. Four, five", 2.5, None)
    assert whole.words is not None
    words = [(word.text, word.start, word.end, word.speaker, word.confidence) for word in whole.words]
    assert words[:2] == [("One", 0.0, 0.5, "0", 0.9), ("two,", 0.5, 1.0, "0", 0.9)]
    assert [word.text for word in whole.words] == ["One", "two,", "three.", "Four,", "five"]
    assert whole.usage is not None
    assert whole.cost is not None
    assert (whole.usage.units, whole.cost.status) == ({"second_live": 2.5}, "unknown")
    assert whole.warnings == ()
    assert double.messages == [*SAID, {"type": "audio.done"}]
    assert sorted(double.query) == [
        ("diarize", "true"), ("encoding", "pcm"), ("endpointing", "300"), ("keyterm", "Rails"), ("keyterm", "Ruby"),
        ("language", "en"), ("sample_rate", "16000"), ("smart_turn", "0.5"),
    ]  # fmt: skip
    double = XAISocket()
    double.stitches = stitches
    guessed = await hear(double, *SAID[:3], interim=True, encoding="ulaw", sample_rate=None)
    assert [(piece.text, piece.final) for piece in guessed if piece.text] == [
        ("One", False), ("One two,", False), ("One two, three.", True),
    ]  # fmt: skip
    assert dict(double.query) == {"encoding": "mulaw", "sample_rate": "8000", "interim_results": "true"}


async def test_texts_come_while_sound_is_still_coming_and_a_broken_session_keeps_them() -> None:
    double, more = XAISocket(), asyncio.Event()

    async def speak() -> AsyncIterator[bytes]:
        yield b"One."
        await more.wait()
        yield b"Two."

    async with serve(double) as url:
        stream = connect(url).transcribe_stream(speak(), "", TranscriptionSettings(**RAW))
        assert (await anext(stream)).text == "One."
        more.set()
        assert [piece.text async for piece in stream] == [" Two.", ""]
    double = XAISocket()
    double.closes = True
    with pytest.raises(StreamInterrupted) as broken:
        await hear(double, b"One.", b"Two.")
    assert broken.value.partial is not None
    assert broken.value.partial.text == "One."
    double = XAISocket()
    double.says = {"type": "error", "message": "the sound is too loud"}
    with pytest.raises(ProviderError, match="too loud") as failed:
        await hear(double, b"One.", b"Two.")
    assert (failed.value.code, failed.value.status, failed.value.provider) == ("", None, "xai")


async def test_recordings_go_out_in_a_form_unless_the_session_is_asked_for() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(b"One.")
    recording = Media(kind="audio", mime_type="audio/wav", data=file.getvalue())
    double = XAISocket()
    async with serve(double) as url:
        transcript = await connect(url, protocol="xai_live_stt").transcribe(recording)
        with pytest.raises(UnsupportedParam, match="translate"):
            await connect(url, protocol="xai_live_stt").transcribe(recording, "", TranscriptionSettings(translate=True))
    assert (transcript.text, double.messages[0]) == ("One.", b"One.")
    assert dict(double.query) == {"encoding": "pcm", "sample_rate": "8000"}
    codec = XAILive()
    carried = ({}, {"sample_rate": 8000}, {"encoding": "pcm"}, {"encoding": "opus"})
    assert [codec.carries(TranscriptionSettings(**given)) for given in carried] == [False, True, True, False]


def test_channels_without_times_and_words_and_what_is_said_in_the_whole_text_alone() -> None:
    settings = TranscriptionSettings(options={"xai": {"multichannel": True}}, channels=2)
    model = ModelConfig(id="stt", provider="xai", category="audio")
    call: Any = Call(model=model, input=Media(kind="audio"), settings=settings)

    def receive(state: Any, kind: str, **fields: Any) -> Any:
        return state.receive(msgspec.json.encode({"type": f"transcript.{kind}", **fields}).decode())[0]

    state = XAILive().open(call)
    assert not state.send(b"held")
    assert state.receive('{"type":"transcript.created"}')[1] == [b"held"]
    final = {"is_final": True, "words": [{"text": "a", "start": 0.5, "end": 1.0}]}
    assert receive(state, "partial", text="Good morning", channel_index=0, **final) == ()
    [other] = receive(state, "partial", text="Yes.", channel_index=1, speech_final=True, **final)
    [first] = receive(state, "partial", text="good morning, all.", channel_index=0, speech_final=True, **final)
    assert (other.text, first.text) == ("Yes.", " good morning, all.")
    assert receive(state, "partial", text="", speech_final=True, is_final=True) == ()
    [last] = receive(state, "done", text="", duration=2)
    assert last.response.text == "Yes. good morning, all."
    assert [word.speaker for word in last.response.words] == ["channel_1", "channel_0"]
    assert state.done
    state = XAILive().open(call)
    [piece, last] = receive(state, "done", text="All of it.", duration=2)
    assert (piece.text, last.response.text, last.response.words) == ("All of it.", "All of it.", None)
    for whole, rest in (("Yes, all of it.", " all of it."), ("Yes!", None), ("No.", None)):
        state = XAILive().open(call)
        receive(state, "partial", text="Yes.", speech_final=True, **final)
        *pieces, last = receive(state, "done", text=whole, duration=2)
        assert [piece.text for piece in pieces] == ([rest] if rest else [])
        assert (last.response.text, last.response.words is None) == (whole, rest is not None)
