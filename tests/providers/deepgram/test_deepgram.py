"""Deepgram: parameters in the address, words and segments, channels, voices by name, and errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import betterai
from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    StreamInterrupted,
    UnsupportedParam,
)
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.results import Segment, Speech, Transcript, Voice, Word
from betterai.core.settings import SpeechSettings, TranscriptionSettings
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.providers.deepgram import PROVIDER
from betterai.providers.deepgram.errors import make_deepgram_error
from betterai.providers.deepgram.listen import DeepgramListen
from betterai.providers.deepgram.live import DeepgramLive
from betterai.providers.deepgram.speak import DeepgramSpeak
from betterai.runtime.factory import find_provider
from doubles.deepgram import KEY, PIECES, SAID, SECONDS, Deepgram, listened
from runtime.upstream import Upstream
from together import each

SOUND = Media(kind="audio", mime_type="audio/wav", data=b"RIFF....WAVE", filename="talk.wav")
TEXT = "Hello, dear world."


@pytest.fixture
def double() -> Deepgram:
    return Deepgram()


@pytest.fixture
def upstream(double: Deepgram) -> Iterator[Upstream]:
    with Upstream(double) as running:
        yield running


def connect(upstream: Upstream, category: Any, model: str, key: str = KEY) -> Any:
    url = f"http://127.0.0.1:{upstream.port}"
    config = betterai.CoreConfig(model=f"deepgram/{model}", base_url=url, api_key=key, retries=0)
    return find_provider(category, config)[0]


def listen(audio: Media = SOUND, model: str = "nova-3", **settings: Any) -> WireRequest:
    return DeepgramListen().build_request(listening(audio, model, **settings))


def listening(audio: Media = SOUND, model: str = "nova-3", **settings: Any) -> Any:
    of = ModelConfig(id=model, provider="deepgram", category="audio")
    return Call(model=of, input=audio, settings=TranscriptionSettings(**settings))


def read(body: Any, **settings: Any) -> Transcript:
    reply = WireResponse(status=200, body=msgspec.json.encode(body))
    found = DeepgramListen().parse_response(listening(**settings), reply)
    assert isinstance(found, Transcript)
    return found


def speaking(model: str = "aura-2", **settings: Any) -> Any:
    of = ModelConfig(id=model, provider="deepgram", category="tts")
    return Call(model=of, input=TEXT, settings=SpeechSettings(**settings))


def speak(model: str = "aura-2", **settings: Any) -> WireRequest:
    return DeepgramSpeak().build_request(speaking(model, **settings))


def test_the_declaration() -> None:
    assert {PROVIDER.models()[model].category for model in PROVIDER.defaults.values()} == {"audio", "tts"}


# ── listening ──


async def test_j4_a_file_is_streamed_and_its_words_and_speakers_are_read(upstream: Upstream, tmp_path: Path) -> None:
    file = tmp_path / "talk.wav"
    file.write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    provider = connect(upstream, "audio", "nova-3")
    found = await provider.transcribe(
        Media(kind="audio", path=str(file)), "", TranscriptionSettings(language="en", diarize=True)
    )
    [request] = upstream.requests
    assert (request.path, request.raw) == ("/v1/listen", file.read_bytes())
    assert request.headers["Content-Type"] in ("audio/wav", "audio/x-wav")
    assert request.query == {
        "model": "nova-3", "smart_format": "true", "language": "en", "diarize": "true", "utterances": "true",
    }  # fmt: skip
    assert (found.text, found.seconds) == ("Hello, world. Yes.", SECONDS)
    assert found.words == tuple(
        Word(text=smart, start=start, end=end, speaker=str(speaker), confidence=0.9)
        for _, smart, start, end, speaker in SAID
    )
    assert found.segments == (
        Segment(text="Hello, world.", start=0.1, end=1.0, speaker="0", confidence=0.85),
        Segment(text="Yes.", start=1.5, end=2.0, speaker="1", confidence=0.85),
    )
    assert (found.cost.status, found.cost.amount) == ("estimated", Decimal("0.00007167") * Decimal(str(SECONDS)))
    assert "second_diarize" in found.cost.reason


async def test_an_address_is_fetched_by_the_vendor(upstream: Upstream) -> None:
    provider = connect(upstream, "audio", "nova-3")
    own = {"deepgram": {"detect_language": True}}
    found = await provider.transcribe(
        Media(kind="audio", url="https://a.example/b.mp3"), "", TranscriptionSettings(options=own)
    )
    [request] = upstream.requests
    assert request.body == {"url": "https://a.example/b.mp3"}
    assert (found.language, found.cost.status, found.request_id) == ("en", "exact", "req-1")
    assert [segment.text for segment in found.segments] == ["Hello, world.", "Yes."]
    assert "Yes." in found.to_vtt()


async def test_lists_are_one_parameter_several_times(upstream: Upstream, double: Deepgram) -> None:
    provider = connect(upstream, "audio", "nova-3")
    own = {"deepgram": {"redact": ["pci", "ssn"], "tag": []}}
    await provider.transcribe(SOUND, "", TranscriptionSettings(keywords=["Ruby & Rust", "Düse"], options=own))
    assert double.asked == {
        "model": ["nova-3"], "smart_format": ["true"], "keyterm": ["Ruby & Rust", "Düse"], "redact": ["pci", "ssn"],
    }  # fmt: skip


def test_older_models_take_keywords_by_another_name() -> None:
    assert listen(model="nova-2-meeting", keywords=["a b"]).url == "/v1/listen?keywords=a+b"
    assert listen(model="nova-3-medical", keywords=["a b"]).url == "/v1/listen?keyterm=a+b"


def test_options_of_the_vendor_win() -> None:
    request = listen(options={"deepgram": {"smart_format": False, "summarize": "v2", "utt_split": 0.5}})
    assert request.query == {"model": "nova-3", "smart_format": "false", "summarize": "v2", "utt_split": "0.5"}


def test_raw_sound_is_described() -> None:
    request = listen(encoding="linear16", sample_rate=8000, channels=2)
    assert {name: request.query[name] for name in ("encoding", "sample_rate", "channels")} == {
        "encoding": "linear16", "sample_rate": "8000", "channels": "2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [("prompt", "x"), ("temperature", 0.0), ("speakers", 2), ("interim", True), ("extra_body", {"a": 1})],
)
def test_what_is_not_taken_is_reported(name: str, value: Any) -> None:
    assert [warning.field for warning in listen(**{name: value}).warnings] == [name]


def test_translation_is_refused_and_a_body_beside_an_address_is_sent() -> None:
    with pytest.raises(UnsupportedParam):
        listen(translate=True)
    assert listen(translate=False, interim=False).warnings == ()
    assert listen(Media(kind="audio", url="https://a.example/b"), extra_body={"a": 1}).warnings == ()


def test_channels_speak_under_their_numbers_and_are_billed_each() -> None:
    own = {"deepgram": {"multichannel": True}}
    found = read(listened({"multichannel": "true", "smart_format": "true"}), options=own)
    assert found.text == "Hello, world. Yes.\nHello, world. Yes."
    assert [word.speaker for word in found.words or ()] == ["channel_0", "channel_1"] * 3
    assert found.usage is not None
    assert found.usage.units == {"second": 2 * SECONDS}
    both = read(listened({"multichannel": "true", "diarize": "true", "utterances": "true"}), options=own)
    assert [segment.speaker for segment in both.segments or ()] == ["channel_0_0", "channel_0_1"]


def test_plain_words_where_nothing_smart_was_asked_for() -> None:
    found = read(listened({}))
    assert (found.text, found.segments) == ("Hello world yes", None)
    assert found.words is not None
    assert found.words[0].text == "Hello"
    silent = read({"results": {"channels": [{"alternatives": [{"transcript": ""}]}]}})
    assert (silent.text, silent.words, silent.usage) == ("", None, None)


def test_a_language_of_many_is_told_and_billed_as_such() -> None:
    body = listened({})
    body["results"]["channels"][0]["alternatives"][0]["languages"] = ["es", "en"]
    found = read(body, language="multi")
    assert found.language == "es"
    assert found.usage is not None
    assert found.usage.units == {"second": SECONDS, "second_multi": SECONDS}


# ── listening live ──


async def test_sound_that_is_still_coming_is_heard_as_it_comes(upstream: Upstream, double: Deepgram) -> None:
    more = asyncio.Event()

    async def sound() -> AsyncIterator[bytes]:
        yield b"one"
        await more.wait()
        yield b""
        yield b"two"
        yield b"three"

    settings = TranscriptionSettings(interim=True, encoding="linear16", sample_rate=16000, prompt="x")
    stream = connect(upstream, "audio", "nova-3").transcribe_stream(sound(), "", settings)
    first, second = await anext(stream), await anext(stream)
    assert [(piece.text, piece.final) for piece in (first, second)] == [("Hello", False), ("Hello,", True)]
    more.set()
    rest = [piece async for piece in stream]
    whole = rest[-1].response
    assert (whole.text, whole.seconds) == ("Hello, world. Yes.", SECONDS)
    assert [word.text for word in whole.words] == ["Hello,", "world.", "Yes."]
    assert (whole.usage.units, whole.cost.status) == ({"second_live": SECONDS}, "unknown")
    assert [warning.field for warning in whole.warnings] == ["prompt"]
    assert double.asked == {
        "model": ["nova-3"], "smart_format": ["true"], "interim_results": ["true"], "encoding": ["linear16"],
        "sample_rate": ["16000"],
    }  # fmt: skip


async def test_a_session_that_ends_too_early_and_one_that_is_refused(upstream: Upstream) -> None:
    async def sound() -> AsyncIterator[bytes]:
        yield b"one"

    with pytest.raises(StreamInterrupted):
        [piece async for piece in connect(upstream, "audio", "nova-3").transcribe_stream(sound())]
    with pytest.raises(AuthenticationError):
        [piece async for piece in connect(upstream, "audio", "nova-3", "wrong").transcribe_stream(sound())]


def test_a_session_takes_no_body_and_no_segments_and_says_so() -> None:
    given = {"extra_body": {"a": 1}, "timestamps": ["segment"], "diarize": True, "language": None}
    body, report = DeepgramLive().write(listening(**given))
    assert body == {"model": "nova-3", "smart_format": True, "diarize": True, "language": None}
    assert [warning.field for warning in report.warnings] == ["extra_body", "timestamps"]
    assert DeepgramLive().connect(listening(keywords=["a", "b"])).url == "/v1/listen?keyterm=a&keyterm=b"


def test_an_error_in_a_session_is_raised() -> None:
    state = DeepgramLive().open(listening())
    with pytest.raises(ProviderError, match="it broke"):
        state.receive('{"type":"Error","variant":"NET","description":"it broke"}')
    for frame in ("{", '{"type":"Results","channel":{"alternatives":[{}]}}', b"\xff"):
        with pytest.raises(ProviderError, match="not readable"):
            state.receive(frame)
    assert state.receive('{"type":"SpeechStarted"}') == ((), ())


# ── speaking ──


async def test_a_whole_speech_with_the_characters_that_the_vendor_counted(upstream: Upstream) -> None:
    provider = connect(upstream, "tts", "aura-2-thalia-en")
    speech = await provider.synthesize(TEXT, "", SpeechSettings(voice="zeus", format="mp3", speed=1.1))
    [request] = upstream.requests
    assert (request.path, request.body) == ("/v1/speak", {"text": TEXT})
    assert request.query == {"model": "aura-2-zeus-en", "encoding": "mp3", "speed": "1.1"}
    assert (speech.audio.to_bytes(), speech.audio.mime_type, speech.sample_rate) == (
        b"".join(PIECES), "audio/mpeg", 22050,
    )  # fmt: skip
    assert (speech.usage.units, speech.usage.source) == ({"character": len(TEXT)}, "provider")
    assert (speech.cost.status, speech.cost.amount) == ("exact", Decimal("0.00003") * len(TEXT))
    assert (speech.request_id, speech.model) == ("req-2", "aura-2-zeus-en")


async def test_s10_the_first_sound_goes_out_while_the_rest_is_made(upstream: Upstream, double: Deepgram) -> None:
    double.go_on.clear()
    stream = connect(upstream, "tts", "aura-2-thalia-en").synthesize_stream(TEXT, "", SpeechSettings(format="pcm"))
    first = await anext(stream)
    assert first.audio == PIECES[0]
    double.go_on.set()
    rest = [chunk async for chunk in stream]
    whole = rest[-1].response
    assert (whole.audio.to_bytes(), whole.audio.mime_type, whole.sample_rate) == (
        b"".join(PIECES), "audio/pcm", 24000,
    )  # fmt: skip
    assert (whole.cost.status, whole.cost.amount) == ("estimated", Decimal("0.00003") * len(TEXT))


VOICES: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("aura-2", {}, "aura-2-thalia-en", []),
    ("aura", {}, "aura-asteria-en", []),
    ("aura-2", {"voice": "Zeus"}, "aura-2-zeus-en", []),
    ("aura-2", {"voice": "celeste", "language": "es-CO"}, "aura-2-celeste-es", ["language"]),
    ("aura-2", {"voice": "aura-2-kara-de", "language": "de"}, "aura-2-kara-de", []),
    ("aura-2-thalia-en", {"voice": "thalia"}, "aura-2-thalia-en", []),
    ("aura-2-celeste-es", {"voice": "nestor"}, "aura-2-nestor-es", []),
    ("aura-2-thalia-en", {"language": "de"}, "aura-2-thalia-en", ["language"]),
    ("aura-2-thalia-en", {"voice": "aura-zeus-en"}, "aura-2-thalia-en", ["voice"]),
    ("aura-2", {"voice": "aura-2"}, "aura-2-thalia-en", ["voice"]),
    ("my-own", {"voice": "zeus"}, "my-own", ["voice"]),
]


@each(("model", "settings", "name", "reported"), VOICES)
def test_voices_by_their_names(model: str, settings: dict[str, Any], name: str, reported: list[str]) -> None:
    request = speak(model, **settings)
    assert request.query == {"model": name}
    assert [warning.field for warning in request.warnings] == reported


FORMATS: list[tuple[dict[str, Any], dict[str, str], list[str], int]] = [
    ({"format": "wav"}, {"encoding": "linear16", "container": "wav"}, [], 24000),
    ({"format": "pcm", "sample_rate": 8000},
     {"encoding": "linear16", "container": "none", "sample_rate": "8000"}, [], 8000),
    ({"format": "opus", "sample_rate": 24000}, {"encoding": "opus", "container": "ogg"}, ["sample_rate"], 48000),
    ({"format": "ulaw"}, {"encoding": "mulaw", "container": "none"}, [], 8000),
    ({"sample_rate": 22050}, {}, [], 22050),
    ({"format": "odd", "sample_rate": 8000}, {}, ["format", "sample_rate"], 22050),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "query", "reported", "rate"), FORMATS)
def test_formats_in_the_words_of_the_vendor(
    settings: dict[str, Any], query: dict[str, str], reported: list[str], rate: int
) -> None:
    request = speak(**settings)
    assert request.query == {"model": "aura-2-thalia-en", **query}
    assert [warning.field for warning in request.warnings] == reported
    speech = DeepgramSpeak().parse_response(speaking(**settings), WireResponse(status=200, body=b"\xff\xfb"))
    assert isinstance(speech, Speech)
    assert speech.sample_rate == rate


async def test_the_voices_that_there_are(upstream: Upstream) -> None:
    thalia, zeus = await connect(upstream, "tts", "aura-2").voices()
    assert (thalia.id, thalia.languages, thalia.description) == ("aura-2-thalia-en", ("en", "en-US"), "feminine, clear")
    assert (thalia.preview_url, thalia.labels) == (
        "https://a.example/t.wav", {"accent": "American", "age": "Adult"},
    )  # fmt: skip
    assert zeus == Voice(id="aura-2-zeus-en", name="zeus")
    with pytest.raises(AuthenticationError):
        await connect(upstream, "tts", "aura-2", "wrong").voices()


# ── errors ──


ERRORS: list[tuple[int, bytes, type[ProviderError], str]] = [
    (401, b'{"err_code":"INVALID_AUTH","err_msg":"no","request_id":"r"}', AuthenticationError, "INVALID_AUTH"),
    (402, b'{"err_code":"ASR_PAYMENT_REQUIRED","err_msg":"no","request_id":"r"}', QuotaExceededError,
     "ASR_PAYMENT_REQUIRED"),
    (403, b'{"category":"FORBIDDEN","message":"no","details":"why","request_id":"r"}', PermissionDeniedError,
     "FORBIDDEN"),
    (429, b'{"err_code":"TOO_MANY_REQUESTS","err_msg":"no","request_id":"r"}', RateLimitError, "TOO_MANY_REQUESTS"),
    (400, b'{"err_code":"Bad Request","err_msg":"Bad Request: No such model/language combination","request_id":"r"}',
     ModelNotFoundError, "Bad Request"),
    (400, b'{"err_code":"Bad Request","err_msg":"no","request_id":"r"}', BadRequestError, "Bad Request"),
    (504, b"no time was left", OverloadedError, ""),
    (400, b"<html>no</html>", BadRequestError, ""),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "code"), ERRORS)
def test_errors_in_all_their_forms(status: int, body: bytes, kind: type[ProviderError], code: str) -> None:
    error = make_deepgram_error(WireResponse(status=status, body=body))
    assert (type(error), error.code, error.status) == (kind, code, status)
    assert "no" in error.message.lower()
    assert error.request_id == ("r" if body.startswith(b"{") else "")


async def test_refusals_over_the_wire(upstream: Upstream) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await connect(upstream, "tts", "aura-2", "wrong").synthesize(TEXT)
    assert caught.value.request_id == "req-1"
    with pytest.raises(ModelNotFoundError):
        await connect(upstream, "audio", "unheard-of").transcribe(SOUND)
