"""Scribe: the form, words with their times and speakers, channels, and what is billed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import betterai
from betterai.core.exceptions import BadRequestError, ProviderError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.price import price_usage
from betterai.core.results import Transcript
from betterai.core.settings import TranscriptionSettings
from betterai.core.wire import Call, Multipart, WireRequest, WireResponse
from betterai.providers.elevenlabs import PROVIDER
from betterai.providers.elevenlabs.transcriptions import Scribe
from betterai.runtime.factory import find_provider
from doubles.elevenlabs import KEY, ElevenLabs
from runtime.upstream import Upstream

SOUND = Media(kind="audio", mime_type="audio/mpeg", data=b"ID3", filename="talk.mp3")
MODEL = PROVIDER.models()["scribe_v2"]


def make_call(audio: Media = SOUND, **settings: Any) -> Any:
    return Call(model=MODEL, input=audio, settings=TranscriptionSettings(**settings))


def form_of(request: WireRequest) -> list[tuple[str, Any]]:
    assert isinstance(request.body, Multipart)
    return [(field.name, field.value) for field in request.body.fields]


def read(body: dict[str, Any], **settings: Any) -> Transcript:
    reply = WireResponse(status=200, body=msgspec.json.encode(body))
    found = Scribe().parse_response(make_call(**settings), reply)
    assert isinstance(found, Transcript)
    return found


def word(text: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    return {"text": text, "start": start, "end": end, "type": "word", "logprob": 0.0, **more}


def test_a_form_with_the_file_last() -> None:
    request = Scribe().build_request(
        make_call(
            language="de-AT", diarize=True, speakers=2, temperature=0.0, keywords=["Ruby", "Rust"], timestamps=["word"]
        )
    )
    assert form_of(request) == [
        ("model_id", "scribe_v2"), ("language_code", "de"), ("diarize", "true"), ("num_speakers", "2"),
        ("temperature", "0.0"), ("timestamps_granularity", "word"), ("keyterms", "Ruby"), ("keyterms", "Rust"),
        ("file", SOUND),
    ]  # fmt: skip
    assert [(warning.code, warning.field) for warning in request.warnings] == [("translated", "language")]


def test_an_address_is_fetched_by_the_vendor() -> None:
    request = Scribe().build_request(make_call(Media(kind="audio", url="https://a.example/b.mp3")))
    assert form_of(request) == [("model_id", "scribe_v2"), ("source_url", "https://a.example/b.mp3")]


def test_options_of_the_vendor_are_written_as_its_sdk_writes_them() -> None:
    own = {
        "enable_logging": False, "secondary_language_codes": ["fr", "it"], "entity_detection": "all",
        "additional_formats": [{"format": "srt"}], "tag_audio_events": False,
    }  # fmt: skip
    request = Scribe().build_request(make_call(options={"elevenlabs": own}))
    assert request.query == {"enable_logging": "false"}
    assert form_of(request)[1:-1] == [
        ("entity_detection", '"all"'), ("additional_formats", '[{"format":"srt"}]'), ("tag_audio_events", "false"),
        ("secondary_language_codes", "fr"), ("secondary_language_codes", "it"),
    ]  # fmt: skip
    assert request.warnings == ()


def test_raw_sound_of_the_one_form_that_is_taken() -> None:
    request = Scribe().build_request(make_call(encoding="linear16", sample_rate=16000))
    assert ("file_format", "pcm_s16le_16") in form_of(request)
    assert request.warnings == ()
    for settings in ({"encoding": "mulaw"}, {"encoding": "pcm", "sample_rate": 8000}, {"translate": True}):
        with pytest.raises(UnsupportedParam):
            Scribe().build_request(make_call(**settings))


@pytest.mark.parametrize("name", ["prompt", "channels", "interim", "sample_rate"])
def test_what_is_not_taken_is_reported(name: str) -> None:
    value = {"prompt": "x", "channels": 2, "interim": True, "sample_rate": 8000}[name]
    assert [warning.field for warning in Scribe().build_request(make_call(**{name: value})).warnings] == [name]


def test_no_times_and_segments() -> None:
    assert ("timestamps_granularity", "none") in form_of(Scribe().build_request(make_call(timestamps=[])))
    request = Scribe().build_request(make_call(timestamps=["segment"]))
    assert [warning.field for warning in request.warnings] == ["timestamps"]


def test_j4_words_have_times_speakers_and_confidence() -> None:
    body = {
        "language_code": "eng", "text": "Hi. (laughter) Yes.", "audio_duration_secs": 2.5,
        "words": [
            word("Hi.", 0.1, 0.4, speaker_id="speaker_0", logprob=-0.6931471805599453),
            {"text": " ", "start": 0.4, "end": 0.5, "type": "spacing", "speaker_id": "speaker_0", "logprob": 0.0},
            {"text": "(laughter)", "start": 0.5, "end": 1.0, "type": "audio_event", "speaker_id": "speaker_1"},
            word("Yes.", 1.0, 1.5, speaker_id="speaker_1", logprob=0.25),
            {"text": "lost", "type": "word", "logprob": 0.0},
        ],
    }  # fmt: skip
    found = read(body, diarize=True)
    assert (found.text, found.language, found.seconds, found.segments) == ("Hi. (laughter) Yes.", "eng", 2.5, None)
    assert found.words is not None
    said = [(word.text, word.start, word.end, word.speaker, word.confidence) for word in found.words]
    assert said == [
        ("Hi.", 0.1, 0.4, "speaker_0", 0.5), ("(laughter)", 0.5, 1.0, "speaker_1", None),
        ("Yes.", 1.0, 1.5, "speaker_1", 1.0),
    ]  # fmt: skip
    assert "speaker_1: (laughter) Yes." in found.to_srt()


def test_channels_speak_under_their_numbers_in_the_order_of_time() -> None:
    channels = [
        {"language_code": "eng", "text": "One three", "channel_index": 0, "words": [word("One", 0, 1), word("three", 2, 3)]},
        {"language_code": "eng", "text": "two", "channel_index": 1, "words": [word("two", 1, 2)]},
    ]  # fmt: skip
    found = read({"transcripts": channels, "transcription_id": "t", "audio_duration_secs": 6.0})
    assert found.text == "One three\ntwo"
    assert [(word.text, word.speaker) for word in found.words or ()] == [
        ("One", "channel_0"), ("two", "channel_1"), ("three", "channel_0"),
    ]  # fmt: skip
    assert found.usage is not None
    assert found.usage.units == {"second": 6.0}


def test_channels_that_are_put_together_keep_their_numbers() -> None:
    words = [
        word("One", 0, 1, channel_index=0),
        word("two", 1, 2, channel_index=1, speaker_id="A"),
        word("three", 2, 3),
    ]
    found = read({"text": "One two three", "words": words})
    assert [said.speaker for said in found.words or ()] == ["channel_0", "A", None]


def test_what_is_not_wanted_is_not_reported() -> None:
    assert Scribe().build_request(make_call(translate=False, interim=False)).warnings == ()


def test_what_is_billed_on_top_makes_the_cost_an_estimate() -> None:
    body = {"text": "Hi", "words": None, "audio_duration_secs": 100.0}
    plain = price_usage(read(body).usage, MODEL.price)
    assert (plain.amount, plain.status) == (Decimal("0.00611"), "exact")
    more = price_usage(read(body, keywords=["Ruby"]).usage, MODEL.price)
    assert (more.amount, more.status, more.reason) == (
        plain.amount,
        "estimated",
        "no price is known for second_keyterms",
    )
    found = read({"text": "Hi"})
    assert (found.words, found.usage) == (None, None)


def test_a_receipt_is_no_transcript() -> None:
    with pytest.raises(ProviderError):
        read({"message": "accepted", "request_id": "r", "transcription_id": "t"})


async def test_over_the_wire_a_file_goes_from_where_it_is(tmp_path: Path) -> None:
    file = tmp_path / "talk.mp3"
    file.write_bytes(b"ID3 and some sound")
    double = ElevenLabs()
    with Upstream(double) as upstream:
        config = betterai.CoreConfig(
            model="elevenlabs/scribe_v2", base_url=f"http://127.0.0.1:{upstream.port}", api_key=KEY, retries=0
        )
        provider = find_provider("audio", config)[0]
        settings = TranscriptionSettings(diarize=True, keywords=["a", "b c"])
        found = await provider.transcribe(Media(kind="audio", path=str(file)), "", settings)
        assert double.heard == [
            ("model_id", "scribe_v2"), ("diarize", "true"), ("keyterms", "a"), ("keyterms", "b c"), ("file", "talk.mp3"),
        ]  # fmt: skip
        assert b"ID3 and some sound" in upstream.requests[0].raw
        assert [(word.text, word.speaker) for word in found.words] == [
            ("Hello", "speaker_0"), ("(laughter)", "speaker_1"),
        ]  # fmt: skip
        with pytest.raises(BadRequestError, match="Exactly one"):
            await provider.transcribe(Media(kind="audio", path=str(file)), "scribe_v9")
