"""Real traffic of the categories other than text: what is read equals what an independent reading of the body says."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from betterai.core.model import ModelConfig
from betterai.core.settings import SpeechSettings
from betterai.core.wire import Call
from betterai.runtime.registry import get_provider
from betterai.runtime.replay.exchanges import replay_exchange
from recordings.exceptions import NOT_READ
from recordings.modalities.readings import READINGS, base64_size
from recordings.modalities.store import kind_of, modality_files
from recordings.store import ROOT, load, name_of, needs_recordings
from together import each

pytestmark = [pytest.mark.recordings, needs_recordings]

FILES = modality_files()


def test_there_are_about_as_many_as_we_were_told() -> None:
    assert len(FILES) > 160


@each("file", FILES, ids=map(name_of, FILES))
def test_is_read_as_the_body_says(file: Path) -> None:
    exchange: dict[str, Any] = load(file)
    response = exchange["response"]
    report = replay_exchange(exchange, name_of(file))
    if name_of(file) in NOT_READ:
        assert report.verdict != "read"
        return
    assert report.verdict == "read", report.detail
    if response["status"] >= 400:
        assert report.error is not None
        assert report.error["status"] == response["status"]
        assert report.error["message"]
        return
    if "body_base64" in response:
        sound = b64decode(response["body_base64"])
        [media] = report.media
        assert media["bytes"] == len(sound)
        assert media["mime_type"].startswith("audio/")
        return
    expected = READINGS[kind_of(file)](response["body"])
    tokens = expected.pop("input")
    assert {name: getattr(report, name) for name in expected} == expected
    assert (report.usage.input if report.usage is not None else None) == tokens


SPOKEN = (
    ROOT
    / "google/gemini"
    / ("ruby-llm--vcr-cassettes-speech-basic-functionality-gemini-gemini-2-5-flash-preview-tts-can-speak--00.json")
)


def test_speech_among_the_answers_of_a_chat_protocol_is_read_and_asked_for_in_the_same_words() -> None:
    exchange = load(SPOKEN)
    report = replay_exchange({**exchange, "kind": "speech", "base_kind": "speech"}, name_of(SPOKEN))
    body, asked = exchange["response"]["body"], dict(exchange["request"]["body"])
    [part] = body["candidates"][0]["content"]["parts"]
    sound = {"mime_type": "audio/pcm", "bytes": base64_size(part["inlineData"]["data"])}
    assert (report.verdict, report.media) == ("read", (sound,)), report.detail
    used = body["usageMetadata"]
    assert report.usage is not None
    assert (report.usage.input, report.usage.output) == (used["promptTokenCount"], used["candidatesTokenCount"])
    codec: Any = get_provider("google").protocols["tts"]["gemini"]
    model = ModelConfig(id=asked.pop("model"), provider="google", category="tts")
    text = asked["contents"][0]["parts"][0]["text"]
    call: Any = Call(model=model, input=text, settings=SpeechSettings(voice="Kore"))
    request = codec.build_request(call)
    assert (request.body, exchange["request"]["url"].endswith(request.url)) == (asked, True)
