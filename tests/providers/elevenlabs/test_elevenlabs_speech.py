"""ElevenLabs' speech: formats, times of words, streams whose first sound goes out at once, and errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest

import betterai
from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    ContextLengthError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    StreamInterrupted,
)
from betterai.core.model import ModelConfig
from betterai.core.results import Voice, Word
from betterai.core.settings import SpeechSettings
from betterai.core.wire import Call, Event, WireRequest, WireResponse
from betterai.providers.elevenlabs import PROVIDER
from betterai.providers.elevenlabs.errors import make_elevenlabs_error
from betterai.providers.elevenlabs.speech import ElevenLabsSpeech
from betterai.runtime.factory import find_provider
from doubles.elevenlabs import KEY, PIECES, TEXT, VOICE, ElevenLabs
from runtime.upstream import Upstream, reply
from together import each

SOUND = b"".join(PIECES)
WORDS = (
    Word(text="Hello,", start=0.0, end=0.6),
    Word(text="dear", start=0.7, end=1.1),
    Word(text="world.", start=1.2, end=1.8),
)
MODEL = ModelConfig(id="eleven_v3", provider="elevenlabs", category="tts")


@pytest.fixture
def double() -> ElevenLabs:
    return ElevenLabs()


@pytest.fixture
def upstream(double: ElevenLabs) -> Iterator[Upstream]:
    with Upstream(double) as running:
        yield running


def connect(upstream: Upstream, key: str = KEY, **fields: Any) -> Any:
    config = betterai.CoreConfig(
        model="elevenlabs/eleven_v3", base_url=f"http://127.0.0.1:{upstream.port}", api_key=key, retries=0, **fields
    )
    return find_provider("tts", config)[0]


def build(**settings: Any) -> WireRequest:
    call: Any = Call(model=MODEL, input=TEXT, settings=SpeechSettings(**settings))
    return ElevenLabsSpeech().build_request(call)


def test_the_declaration() -> None:
    assert {model: PROVIDER.models()[model].category for model in PROVIDER.defaults.values()} == {
        model: category for category, model in PROVIDER.defaults.items()
    }


async def test_a_whole_speech_is_read_with_its_format_and_its_price(upstream: Upstream) -> None:
    settings = SpeechSettings(voice=VOICE, speed=1.1, language="de", seed=7)
    speech = await connect(upstream).synthesize(TEXT, "", settings)
    [request] = upstream.requests
    assert (request.path, dict(request.query)) == (f"/v1/text-to-speech/{VOICE}", {})
    assert request.body == {
        "text": TEXT, "model_id": "eleven_v3", "voice_settings": {"speed": 1.1}, "language_code": "de", "seed": 7,
    }  # fmt: skip
    assert (speech.audio.to_bytes(), speech.audio.mime_type, speech.sample_rate) == (SOUND, "audio/mpeg", 44100)
    assert speech.usage.units == {"character": len(TEXT)}
    assert speech.cost.amount == Decimal("0.00008") * len(TEXT)
    assert (speech.request_id, speech.words) == ("r-1", None)


async def test_s10_the_first_sound_goes_out_while_the_rest_is_made(upstream: Upstream, double: ElevenLabs) -> None:
    double.go_on.clear()
    stream = connect(upstream).synthesize_stream(TEXT, "", SpeechSettings(voice=VOICE, format="pcm"))
    first = await anext(stream)
    assert first.audio == PIECES[0]
    double.go_on.set()
    rest = [chunk async for chunk in stream]
    assert first.audio + b"".join(chunk.audio for chunk in rest) == SOUND
    whole = rest[-1].response
    assert (whole.audio.to_bytes(), whole.audio.mime_type, whole.sample_rate) == (SOUND, "audio/pcm", 24000)
    [request] = upstream.requests
    assert (request.path, request.query) == (f"/v1/text-to-speech/{VOICE}/stream", {"output_format": "pcm_24000"})


async def test_a_whole_speech_has_the_times_of_its_words(upstream: Upstream) -> None:
    speech = await connect(upstream).synthesize(TEXT, "", SpeechSettings(voice=VOICE, alignment=True))
    assert speech.words == WORDS
    assert speech.audio.to_bytes() == SOUND
    assert upstream.requests[0].path.endswith(f"{VOICE}/with-timestamps")


@pytest.mark.parametrize("relative", [False, True])
async def test_s10_words_come_with_the_sound_that_ends_them(
    upstream: Upstream, double: ElevenLabs, relative: bool
) -> None:
    double.relative = relative
    double.go_on.clear()
    stream = connect(upstream).synthesize_stream(TEXT, "", SpeechSettings(voice=VOICE, alignment=True))
    first = await anext(stream)
    assert (first.audio, first.words) == (PIECES[0], WORDS[:1])
    double.go_on.set()
    rest = [chunk async for chunk in stream]
    words = [word for chunk in (first, *rest) for word in chunk.words or ()]
    assert [(word.text, round(word.start, 3), round(word.end, 3)) for word in words] == [
        (word.text, word.start, word.end) for word in WORDS
    ]
    assert first.audio + b"".join(chunk.audio for chunk in rest) == SOUND
    assert (rest[-1].response.words, rest[-1].response.audio.to_bytes()) == (tuple(words), SOUND)


@pytest.mark.parametrize("timed", [False, True])
async def test_a_stream_that_breaks_says_so(upstream: Upstream, double: ElevenLabs, timed: bool) -> None:
    double.breaks = True
    stream = connect(upstream).synthesize_stream(TEXT, "", SpeechSettings(voice=VOICE, alignment=timed))
    assert (await anext(stream)).audio == PIECES[0]
    with pytest.raises(StreamInterrupted):
        await anext(stream)


async def test_a_text_that_comes_in_pieces_is_spoken_sentence_by_sentence_over_http(upstream: Upstream) -> None:
    async def say() -> AsyncIterator[str]:
        for piece in ("One fine sentence", " ends here. And then", " comes a second one."):
            yield piece

    over_http = connect(upstream, protocol="elevenlabs_tts")
    chunks = [chunk async for chunk in over_http.synthesize_stream(say(), "", SpeechSettings(voice=VOICE))]
    assert chunks[-1].response.audio.to_bytes() == SOUND * 2
    assert [request.body["text"].strip() for request in upstream.requests] == [
        "One fine sentence ends here.", "And then comes a second one.",
    ]  # fmt: skip


FORMATS: list[tuple[dict[str, Any], str | None, list[str]]] = [
    ({}, None, []),
    ({"format": "mp3"}, "mp3_44100_128", []),
    ({"format": "mp3", "sample_rate": 22050}, "mp3_22050_32", []),
    ({"sample_rate": 24000}, "mp3_24000_48", []),
    ({"format": "opus"}, "opus_48000_128", []),
    ({"format": "pcm", "sample_rate": 16000}, "pcm_16000", []),
    ({"format": "ulaw"}, "ulaw_8000", []),
    ({"format": "mp3_44100_192"}, "mp3_44100_192", []),
    ({"format": "mp3_44100_192", "sample_rate": 22050}, "mp3_44100_192", ["sample_rate"]),
    ({"format": "ulaw", "sample_rate": 16000}, "ulaw_8000", ["sample_rate"]),
    ({"format": "flac", "sample_rate": 16000}, None, ["format", "sample_rate"]),
]


@each(("settings", "name", "reported"), FORMATS)
def test_formats_by_their_names(settings: dict[str, Any], name: str | None, reported: list[str]) -> None:
    request = build(**settings)
    assert request.query.get("output_format") == name
    assert [warning.field for warning in request.warnings] == reported


def test_raw_sound_is_not_taken_for_what_it_looks_like() -> None:
    call: Any = Call(model=MODEL, input=TEXT, settings=SpeechSettings(format="pcm", sample_rate=16000))
    speech = ElevenLabsSpeech().parse_response(call, WireResponse(status=200, body=b"\xff\xfb like MP3"))
    assert (speech.audio.mime_type, speech.sample_rate) == ("audio/pcm", 16000)


def test_options_of_the_vendor_are_put_where_they_belong() -> None:
    own = {"voice_settings": {"stability": 0.25}, "enable_logging": False, "previous_text": "Well."}
    request = build(speed=0.9, options={"elevenlabs": own})
    assert isinstance(request.body, dict)
    assert request.query == {"enable_logging": "false"}
    assert request.body["voice_settings"] == {"speed": 0.9, "stability": 0.25}
    assert request.body["previous_text"] == "Well."


def test_a_voice_stays_within_its_place_in_the_address() -> None:
    assert build(voice="../v2/voices?x=1#").url == "/v1/text-to-speech/..%2Fv2%2Fvoices%3Fx%3D1%23"


def test_regions_of_languages_are_reported() -> None:
    request = build(language="pt-BR", instructions="softly")
    assert [(warning.code, warning.field) for warning in request.warnings] == [
        ("translated", "language"), ("dropped", "instructions"),
    ]  # fmt: skip


ERRORS: list[tuple[int, bytes, type[ProviderError], bool]] = [
    (401, b'{"detail":{"status":"invalid_api_key","message":"no"}}', AuthenticationError, False),
    (401, b'{"detail":{"status":"quota_exceeded","message":"no"}}', QuotaExceededError, False),
    (400, b'{"detail":{"status":"max_character_limit_exceeded","message":"no"}}', ContextLengthError, False),
    (404, b'{"detail":{"status":"voice_not_found","message":"no"}}', BadRequestError, False),
    (429, b'{"detail":{"status":"too_many_concurrent_requests","message":"no"}}', RateLimitError, True),
    (429, b'{"detail":{"status":"system_busy","message":"no"}}', OverloadedError, True),
    (422, b'{"detail":[{"loc":["body","text"],"msg":"no","type":"missing"}]}', BadRequestError, False),
    (404, b'{"detail":"no"}', BadRequestError, False),
    (425, b'{"detail":{"status":"too_early","message":"no"}}', ProviderError, True),
    (500, b"\xff", ProviderError, True),
]


@each(("status", "body", "kind", "retryable"), ERRORS)
def test_errors_by_their_word(status: int, body: bytes, kind: type[ProviderError], retryable: bool) -> None:
    error = make_elevenlabs_error(WireResponse(status=status, body=body))
    assert (type(error), error.retryable, error.status) == (kind, retryable, status)
    assert "no" in error.provider_message or body == b"\xff"


async def test_a_refusal_names_its_word(upstream: Upstream) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await connect(upstream, "wrong-key").synthesize(TEXT)
    assert (caught.value.code, caught.value.provider) == ("invalid_api_key", "elevenlabs")
    with pytest.raises(BadRequestError, match="was not found"):
        await connect(upstream).synthesize(TEXT, "", SpeechSettings(voice="nobody"))


def test_an_error_among_the_lines_of_a_stream_is_raised() -> None:
    call: Any = Call(model=MODEL, input=TEXT, settings=SpeechSettings(alignment=True), stream=True)
    state = ElevenLabsSpeech().open_stream(call)
    with pytest.raises(ProviderError, match="it broke"):
        state.parse_event(Event(data=b'{"detail":{"status":"internal","message":"it broke"}}\n'))
    with pytest.raises(ProviderError, match="not readable"):
        state.parse_event(Event(data=b'{"audio_base64":"*"}\n'))


async def test_all_pages_of_the_voices_are_read(upstream: Upstream) -> None:
    found = await connect(upstream).voices()
    assert [voice.id for voice in found] == [f"id-{number}" for number in range(250)]
    assert found[7] == Voice(id="id-7", name="Voice 7", labels={"gender": "female"})
    assert [request.query.get("next_page_token") for request in upstream.requests] == [None, "100", "200"]
    with pytest.raises(AuthenticationError) as caught:
        await connect(upstream, "wrong-key").voices()
    assert "wrong-key" not in str(caught.value)


async def test_a_list_of_voices_that_cannot_be_read() -> None:
    with Upstream(reply(200, {"voices": [{"name": "no id"}]})) as upstream, pytest.raises(ProviderError) as caught:
        await connect(upstream).voices()
    assert caught.value.code == "unreadable_reply"
