"""Transcription in OpenAI's protocol and its vendors' deviations: forms, every way of answering, streams."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

import betterai
from betterai import CoreConfig
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.price import price_usage
from betterai.core.results import Segment, Transcript
from betterai.core.settings import TranscriptionSettings
from betterai.core.wire import Call, Event, Multipart, WireRequest, WireResponse
from betterai.runtime.registry import get_provider
from runtime.upstream import Upstream, reply
from together import each

TALK = Media(kind="audio", mime_type="audio/mpeg", data=b"ID3", filename="talk.mp3")
WHISPER, DIARIZE, VOXTRAL = "openai/whisper-1", "openai/gpt-4o-transcribe-diarize", "mistral/voxtral-mini-transcribe-3"


def call_of(model: str, *, stream: bool = False, **settings: Any) -> Any:
    provider, _, id = model.partition("/")
    known = get_provider(provider).models().get(id)
    found = known or ModelConfig(id=id, provider=provider, category="audio")
    return Call(model=found, input=TALK, settings=TranscriptionSettings(**settings), stream=stream)


def codec_of(call: Any) -> Any:
    return next(iter(get_provider(call.model.provider).protocols["audio"].values()))


def build(model: str, **settings: Any) -> WireRequest:
    call = call_of(model, **settings)
    request: WireRequest = codec_of(call).build_request(call)
    return request


def fields_of(request: WireRequest) -> list[tuple[str, str]]:
    assert isinstance(request.body, Multipart)
    return [(field.name, field.value) for field in request.body.fields if isinstance(field.value, str)]


def warned(request: WireRequest) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in request.warnings]


@each(
    ("model", "settings", "fields", "said"),
    [
        (
            VOXTRAL,
            {"keywords": ["Ann", "Bob"], "timestamps": ["word", "segment"]},
            [("context_bias", "Ann"), ("context_bias", "Bob"), ("timestamp_granularities", "word"),
             ("timestamp_granularities", "segment")],
            [],
        ),
        (VOXTRAL, {"diarize": True}, [("diarize", "true"), ("timestamp_granularities", "segment")], []),
        (
            VOXTRAL,
            {"diarize": True, "timestamps": ["word"]},
            [("diarize", "true"), ("timestamp_granularities", "word")],
            [],
        ),
        (
            DIARIZE,
            {"diarize": True, "prompt": "Ann speaks", "options": {"openai": {"known_speaker_names": ["Ann"]}}},
            [("response_format", "diarized_json"), ("chunking_strategy", "auto"), ("known_speaker_names[]", "Ann")],
            [("dropped", "prompt")],
        ),
        (
            WHISPER,
            {"translate": True, "language": "de", "keywords": ["Ann"], "prompt": "Hm.", "timestamps": ["word"]},
            [("prompt", "Hm."), ("response_format", "verbose_json")],
            [("dropped", "language"), ("dropped", "keywords"), ("dropped", "timestamps")],
        ),
        (
            "openai/gpt-transcribe",
            {"keywords": ["Ann"], "options": {"openai": {"languages": ["de", "en"]}}},
            [("keywords[]", "Ann"), ("languages[]", "de"), ("languages[]", "en")],
            [],
        ),
    ],
)  # fmt: skip
def test_t1_forms_in_the_words_of_the_vendor(model: str, settings: Any, fields: Any, said: Any) -> None:
    request = build(model, **settings)
    assert fields_of(request)[1:] == fields
    assert warned(request) == said


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "text/vtt", "application/x-subrip"])
async def test_a_transcript_may_come_as_a_text_alone(kind: str) -> None:
    with Upstream(reply(200, b" Guten Tag.\n", {"Content-Type": kind})) as upstream:
        config = CoreConfig(base_url=upstream.url, api_key="k", retries=0)
        own = {"openai": {"response_format": "text"}}
        heard = await betterai.transcribe(WHISPER, TALK, config=config, options=own)
    assert (heard.text, heard.segments, heard.usage, heard.raw) == ("Guten Tag.", None, None, None)


def read(model: str, **body: Any) -> Transcript:
    call = call_of(model)
    heard = codec_of(call).parse_response(call, WireResponse(status=200, body=json.dumps(body).encode()))
    assert isinstance(heard, Transcript)
    return heard


def test_languages_scores_and_segments_without_times() -> None:
    assert read("openai/gpt-transcribe", text="Hi", languages=[{"code": "de"}, {"code": "en"}]).language == "de"
    assert read("openai/gpt-transcribe", text="Hi", languages=[]).language is None
    bare = {"text": "Hi", "start": None, "end": None, "score": None, "speaker_id": None}
    timed = {"text": "you", "start": 1, "end": 2.5, "score": 0.75, "speaker_id": "s"}
    assert read(VOXTRAL, text="Hi", segments=[bare]).segments is None
    assert read(VOXTRAL, text="Hi", segments=[]).segments == ()
    assert read(VOXTRAL, text="Hi you", segments=[bare, timed]).segments == (
        Segment(text="you", start=1, end=2.5, speaker="s", confidence=0.75),
    )


@each(
    ("model", "cost"),
    [("xai/grok-voice-transcribe-2.0", "0.00005556"), ("groq/whisper-large-v3", "0.00006166")],
)
def test_c1_seconds_are_what_is_billed_where_nothing_else_is_counted(model: str, cost: str) -> None:
    heard = read(model, text="Hi", duration=2.0)
    price = price_usage(heard.usage, call_of(model).model.price)
    assert (price.amount, price.status) == (Decimal(cost), "exact")


def test_a_stream_says_its_language_its_model_and_its_segments() -> None:
    call = call_of(VOXTRAL, stream=True)
    stream = codec_of(call).open_stream(call)
    pieces: list[Any] = []
    for event in (
        {"type": "transcription.language", "audio_language": "de"},
        {"type": "transcription.text.delta", "text": "Hallo"},
        {"type": "transcription.segment", "text": "Hallo", "start": None, "end": None},
        {"type": "transcription.segment", "text": "Hallo", "start": 0, "end": 1.5, "speaker_id": "s"},
        {"type": "transcription.done", "text": "Hallo", "model": "voxtral-3", "language": None, "usage": {}},
    ):
        pieces.extend(stream.parse_event(Event(data=json.dumps(event).encode())))
    [*_, last] = [*pieces, *stream.finish()]
    heard = last.response
    assert (heard.text, heard.language, heard.model) == ("Hallo", "de", "voxtral-3")
    assert heard.segments == (Segment(text="Hallo", start=0, end=1.5, speaker="s"),)
