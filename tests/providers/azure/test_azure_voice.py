"""Where Azure's sessions are opened, and how Voice Live is spoken with."""

from __future__ import annotations

from typing import Any

import msgspec

from betterai.core.model import ModelConfig
from betterai.core.realtime_input import UpdateSession
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.wire import Call
from betterai.providers.azure.realtime import AzureRealtime, AzureVoiceLive

MODEL = ModelConfig(id="voice", provider="azure", category="realtime")


def call(version: str = "", **given: Any) -> Any:
    known = {"base_url": "https://r.openai.azure.com", "api_version": version}
    return Call(model=MODEL, input=None, settings=RealtimeSettings(**given), provider_settings=known)


def test_sessions_are_opened_under_v1_whatever_version_is_set() -> None:
    for version in ("", "2024-10-21"):
        request = AzureRealtime().connect(call(version))
        assert (request.url, request.query) == ("/openai/v1/realtime", {"model": "voice"})
        assert AzureRealtime().secrets_address(call(version)) == "/openai/v1/realtime/client_secrets"


def test_voice_live_takes_the_settings_of_the_beta() -> None:
    codec = AzureVoiceLive()
    assert codec.connect(call("2026-01-01")).query == {"api-version": "2026-01-01", "model": "voice"}
    asked = call(
        modalities=("text", "audio"), input_format="audio/pcm;rate=24000", output_format="g711_ulaw", max_tokens=5
    )
    [frame] = codec.open(asked).send(UpdateSession(settings=asked.settings))
    assert msgspec.json.decode(frame)["session"] == {
        "modalities": ["text", "audio"], "input_audio_format": "pcm16", "input_audio_sampling_rate": 24000,
        "output_audio_format": "g711_ulaw", "max_response_output_tokens": 5,
    }  # fmt: skip
    assert codec.tokens is None
