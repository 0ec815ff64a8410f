"""Deepgram's WebSockets: speech of a text that is still coming, and Flux, which hears turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import betterai
from betterai.core.exceptions import AuthenticationError, BadRequestError, ProviderError, StreamInterrupted
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.results import TranscriptChunk, Word
from betterai.core.settings import SpeechSettings, TranscriptionSettings
from betterai.core.wire import Call
from betterai.providers.deepgram.flux import DeepgramFlux
from betterai.providers.deepgram.live_speak import DeepgramLiveSpeak
from betterai.runtime.attempts import Clock
from betterai.runtime.factory import find_provider
from doubles.deepgram import KEY, PIECES, Deepgram
from runtime.upstream import Upstream

AURA, FLUX = "aura-2-thalia-en", "flux-general-en"


@pytest.fixture
def double() -> Deepgram:
    return Deepgram()


@pytest.fixture
def upstream(double: Deepgram) -> Iterator[Upstream]:
    with Upstream(double) as running:
        yield running


def connect(upstream: Upstream, model: str = AURA, key: str = KEY, **fields: Any) -> Any:
    category: Any = "tts" if model.startswith("aura") else "audio"
    url = f"http://127.0.0.1:{upstream.port}"
    config = betterai.CoreConfig(model=f"deepgram/{model}", base_url=url, api_key=key, retries=0, **fields)
    return find_provider(category, config)[0]


async def coming(*pieces: Any) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


async def read(pieces: Any) -> list[Any]:
    return [piece async for piece in pieces]


def make_call(settings: Any, model: str = FLUX) -> Any:
    category: Any = "tts" if model.startswith("aura") else "audio"
    return Call(model=ModelConfig(id=model, provider="deepgram", category=category), input="", settings=settings)


# ── speech ──


async def test_s10_speech_begins_with_the_first_sentence_while_the_text_is_still_coming(
    upstream: Upstream, double: Deepgram
) -> None:
    more = asyncio.Event()

    async def say() -> AsyncIterator[str]:
        for piece in ("Hel", "lo. How", " are"):
            yield piece
        await more.wait()
        yield " you?"

    double.go_on.clear()
    settings = SpeechSettings(voice="zeus", speed=1.1, alignment=True, extra_body={"a": 1})
    stream = connect(upstream).synthesize_stream(say(), "", settings)
    first = await anext(stream)
    assert first.audio == b"<Hello.>"
    more.set()
    double.go_on.set()
    rest = await read(stream)
    whole = rest[-1].response
    assert whole.audio.to_bytes() == b"<Hello.><How are you?>"
    assert (whole.audio.mime_type, whole.sample_rate, whole.model) == ("audio/pcm", 24000, "aura-2-zeus-en")
    assert (whole.usage.units, whole.cost.status, whole.request_id) == ({"character": 19.0}, "estimated", "req-4")
    assert [warning.field for warning in whole.warnings] == ["extra_body", "alignment"]
    assert dict(double.sockets.query) == {"model": "aura-2-zeus-en", "encoding": "linear16", "speed": "1.1"}
    said = [message.get("text", message["type"]) for message in double.sockets.messages]
    assert said[:5] == ["Hello. ", "Flush", "How ", "are ", "you? "]
    assert said[5:] in (["Flush"], ["Flush", "Close"])


async def test_what_a_session_cannot_carry_goes_over_http(upstream: Upstream, double: Deepgram) -> None:
    sound = b"".join(PIECES)
    mp3 = await read(connect(upstream).synthesize_stream(coming("One. ", "Two."), "", SpeechSettings(format="mp3")))
    assert mp3[-1].response.audio.to_bytes() == sound * 2
    whole = await read(connect(upstream).synthesize_stream("One. Two.", "", SpeechSettings()))
    assert whole[-1].response.audio.to_bytes() == sound
    live = connect(upstream, protocol="deepgram_live_tts")
    speech = await live.synthesize("One. Two.", "", SpeechSettings(format="ulaw", sample_rate=16000))
    assert (speech.audio.to_bytes(), speech.audio.mime_type) == (b"<One.><Two.>", "audio/pcmu")
    assert dict(double.sockets.query) == {"model": AURA, "encoding": "mulaw", "sample_rate": "16000"}
    for silence in (coming(), coming(" ", "\n")):
        assert [chunk.response.audio.to_bytes() for chunk in await read(live.synthesize_stream(silence))] == [b""]
    assert (await live.voices())[0].id == AURA


async def test_j4_warnings_and_errors_of_a_session_are_told(upstream: Upstream, double: Deepgram) -> None:
    double.sockets.says = {"type": "Warning", "code": "SLOW", "description": "it is slow"}
    [*_, last] = await read(connect(upstream).synthesize_stream(coming("One.")))
    assert [(warning.code, warning.field) for warning in last.response.warnings] == [("provider", "SLOW")]
    double.sockets.says = {"type": "Error", "code": "NET-0001", "description": "it broke"}
    with pytest.raises(ProviderError, match="it broke") as caught:
        await read(connect(upstream).synthesize_stream(coming("One.")))
    assert (caught.value.code, caught.value.provider) == ("NET-0001", "deepgram")
    with pytest.raises(AuthenticationError):
        await read(connect(upstream, key="wrong").synthesize_stream(coming("One.")))
    state = DeepgramLiveSpeak().open(make_call(SpeechSettings(), AURA))
    with pytest.raises(ProviderError, match="not readable"):
        state.receive("{")
    state.send("One. ")
    state.send(None)
    with pytest.raises(StreamInterrupted, match="before any sound"):
        state.receive('{"type":"Flushed"}')


def test_all_that_was_said_is_asked_for_once() -> None:
    state = DeepgramLiveSpeak().open(make_call(SpeechSettings(), AURA))
    assert list(state.send("One. "))[1:] == ['{"type":"Flush"}']
    state.receive(b"sound")
    assert state.receive('{"type":"Flushed"}') == ((), ())
    assert state.send(None) == ['{"type":"Close"}']
    *_, last = state.finish(1000, "")
    assert last.response.audio.to_bytes() == b"sound"
    early = DeepgramLiveSpeak().open(make_call(SpeechSettings(), AURA))
    early.send("One. ")
    assert early.send(None) == []
    with pytest.raises(StreamInterrupted):
        early.finish(1000, "")


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [(1011, b"NET-0000", StreamInterrupted), (1000, b"", StreamInterrupted), (1008, b"DATA-0000", BadRequestError)],
)
async def test_s4_a_session_that_is_closed_too_early_says_why_and_gives_what_came(
    upstream: Upstream, double: Deepgram, code: int, reason: bytes, kind: type[ProviderError]
) -> None:
    double.sockets.closes = (code, reason)
    with pytest.raises(kind) as caught:
        await read(connect(upstream).synthesize_stream(coming("One. ", "Two."), "", SpeechSettings()))
    assert reason.decode() in str(caught.value)
    if isinstance(caught.value, StreamInterrupted):
        assert caught.value.partial.audio.to_bytes() == b"<One.>"


# ── Flux ──


async def test_turns_are_heard_and_their_ends_foreseen(upstream: Upstream, double: Deepgram) -> None:
    own = {"deepgram": {"eager_eot_threshold": 0.5, "tag": ["a", "b"]}}
    settings = TranscriptionSettings(
        interim=True, keywords=["Düse"], encoding="linear16", sample_rate=16000, options=own, language="en-GB"
    )
    sound = coming(b"Well,", b"yes?", b"", b"no.", b"And", b"then")
    chunks: list[TranscriptChunk] = await read(connect(upstream, FLUX).transcribe_stream(sound, "", settings))
    assert [(chunk.text, chunk.final, chunk.turn, chunk.event) for chunk in chunks[:-1]] == [
        ("Well,", False, 0, "turn_started"),
        ("Well, yes?", False, 0, ""),
        ("Well, yes?", False, 0, "turn_ending"),
        ("Well, yes? no.", False, 0, "turn_resumed"),
        ("Well, yes? no.", True, 0, "turn_ended"),
        (" And", False, 1, "turn_started"),
        (" And then", False, 1, ""),
        (" And then", True, 1, "turn_ended"),
    ]
    whole = chunks[-1].response
    assert whole is not None
    assert (whole.text, whole.seconds, whole.request_id) == ("Well, yes? no. And then", 2.5, "req-4")
    assert whole.words is not None
    assert whole.words[0] == Word(text="Well,", start=0.0, end=0.5, confidence=0.9)
    assert len(whole.words) == 5
    assert whole.usage is not None
    assert whole.usage.units == {"second_live": 2.5}
    assert whole.warnings == ()
    assert sorted(double.sockets.query) == [
        ("eager_eot_threshold", "0.5"), ("encoding", "linear16"), ("keyterm", "Düse"), ("model", FLUX),
        ("sample_rate", "16000"), ("tag", "a"), ("tag", "b"),
    ]  # fmt: skip


async def test_a_recording_is_heard_by_flux_as_well(upstream: Upstream) -> None:
    media = Media(kind="audio", data=b"Hello there.")
    whole = await connect(upstream, FLUX).transcribe(media)
    assert (whole.text, whole.seconds) == ("Hello there.", 0.5)
    pieces = await read(connect(upstream, FLUX).transcribe_stream(media))
    assert [(piece.text, piece.event) for piece in pieces] == [
        ("Hello there.", "turn_started"), ("Hello there.", "turn_ended"), ("", ""),
    ]  # fmt: skip


async def test_s4_flux_that_breaks_gives_the_turns_that_ended(upstream: Upstream, double: Deepgram) -> None:
    double.sockets.closes = (1011, b"NET-0001")
    with pytest.raises(StreamInterrupted, match="NET-0001") as caught:
        await read(connect(upstream, FLUX).transcribe_stream(coming(b"Yes.", b"No.")))
    assert (caught.value.partial.text, caught.value.partial.provider) == ("Yes.", "deepgram")
    double.sockets.closes, double.sockets.says = None, {"type": "Error", "code": "E", "description": "it broke"}
    with pytest.raises(ProviderError, match="it broke"):
        await read(connect(upstream, FLUX).transcribe_stream(coming(b"Yes.")))


def test_what_flux_does_not_take_is_reported() -> None:
    settings = {"diarize": True, "channels": 2, "language": "de", "timestamps": ["segment"], "extra_body": {"a": 1}}
    request = DeepgramFlux().connect(make_call(TranscriptionSettings(**settings)))
    assert [warning.field for warning in request.warnings] == [
        "extra_body", "diarize", "channels", "language", "timestamps",
    ]  # fmt: skip
    multi = DeepgramFlux().connect(make_call(TranscriptionSettings(language="de"), "flux-general-multi"))
    assert (multi.url, multi.warnings) == ("/v2/listen?language_hint=de", ())
    state = DeepgramFlux().open(make_call(TranscriptionSettings()))
    assert state.receive('{"type":"Warning","code":"W","description":"odd"}') == ((), ())
    assert [warning.field for warning in state.so_far().warnings] == ["W"]
    chunk = state.receive('{"type":"TurnInfo","event":"EndOfTurn","transcript":"a","words":[{"word":"a"}]}')[0][0]
    assert (chunk.words, state.so_far().words) == (None, None)
    with pytest.raises(ProviderError, match="not readable"):
        state.receive(b"\xff")


async def test_a_session_of_listening_is_kept_open_while_there_is_no_sound(
    upstream: Upstream, double: Deepgram
) -> None:
    provider, ticks = connect(upstream, "nova-3"), asyncio.Queue[float]()

    async def tick(seconds: float) -> None:
        assert seconds < 10
        await ticks.get()

    async def sound() -> AsyncIterator[bytes]:
        ticks.put_nowait(1)
        assert await asyncio.to_thread(double.kept_alive.wait, 5)
        for word in (b"one", b"two", b"three"):
            yield word

    provider._clock = Clock(sleep=tick)
    [*_, last] = await read(provider.transcribe_stream(sound()))
    assert last.response.text == "Hello, world. Yes."
