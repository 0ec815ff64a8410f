"""Google's SDK at the double of its models of speech and transcription: it reads it, and asks in the same words as we do."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai.core.media import Media
from doubles.gemini_sound import SAMPLES, SoundHouse
from shapes.server import serve

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
SOUND = b"ID3 and some sound"
RECORDING = Media(kind="audio", mime_type="audio/mpeg", data=SOUND)
SPEAKS, HEARS = "gemini-3.8-flash-tts", "gemini-3.5-transcribe"


@pytest.mark.parametrize("vendor", ["google", "vertex"])
async def test_googles_sdk_speaks_and_transcribes_as_we_do(vendor: str) -> None:
    genai = pytest.importorskip("google.genai", reason="needs betterai[dev]")
    from google.oauth2.credentials import Credentials

    types, theirs, ours = genai.types, SoundHouse(), SoundHouse()

    def voice(name: str) -> Any:
        return types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name=name))

    def speakers() -> Any:
        pairs = [
            types.SpeakerVoiceConfig(speaker=who, voice_config=voice(by)) for who, by in (("A", "Kore"), ("B", "Puck"))
        ]
        return types.MultiSpeakerVoiceConfig(speaker_voice_configs=pairs)

    spoken = [
        types.SpeechConfig(voice_config=voice("Kore"), language_code="de"),
        types.SpeechConfig(multi_speaker_voice_config=speakers()),
    ]
    hearing = types.AudioTranscriptionConfig(
        language_codes=["de"], custom_vocabulary=["Ruby"], word_timestamp=True, diarization=True, mode="VERBATIM"
    )
    recording = types.UserContent(types.Part.from_bytes(data=SOUND, mime_type="audio/mpeg"))
    async with serve(theirs) as url:
        options = types.HttpOptions(base_url=url)
        client = genai.Client(api_key="k", http_options=options) if vendor == "google" else genai.Client(
            vertexai=True, project="p", location="l", http_options=options,
            credentials=Credentials(token="t"),  # type: ignore[no-untyped-call]
        )  # fmt: skip
        ask = client.aio.models
        for speech in spoken:
            config = types.GenerateContentConfig(response_modalities=["AUDIO"], speech_config=speech, seed=7)
            reply = await ask.generate_content(model=SPEAKS, contents="Hello", config=config)
            assert b"".join(part.inline_data.data for part in reply.parts) == b"".join(SAMPLES)
        config = types.GenerateContentConfig(audio_transcription_config=hearing, temperature=0)
        reply = await ask.generate_content(model=HEARS, contents=recording, config=config)
        told = [part.audio_transcription for part in reply.candidates[0].content.parts]
        assert [(one.text, one.speaker_label, one.words[0].end_offset) for one in told] == [
            ("Good morning.", "spk_1", "0.75s"), ("Who is it?", "spk_2", "2.0s"),
        ]  # fmt: skip
        stream = await ask.generate_content_stream(model=HEARS, contents=recording, config=config)
        assert len([event async for event in stream]) == 2
        await client.aio.aclose()
    async with serve(ours) as url:
        own = {vendor: {"speechConfig": spoken[1].model_dump(mode="json", by_alias=True, exclude_none=True)}}
        keys: Any = {"api_key": "k"} if vendor == "google" else {"settings": {"access_token": "t", "project": "p"}}
        config = betterai.CoreConfig(base_url=url, retries=0, **keys)
        more: dict[str, Any] = {"config": config, "seed": 7}
        await betterai.speak(f"{vendor}/{SPEAKS}", "Hello", voice="Kore", language="de", **more)
        await betterai.speak(f"{vendor}/{SPEAKS}", "Hello", options=own, **more)
        asked: dict[str, Any] = {
            "config": config, "language": "de", "keywords": ["Ruby"], "timestamps": ["word"], "diarize": True,
            "temperature": 0, "options": {vendor: {"audioTranscriptionConfig": {"mode": "VERBATIM"}}},
        }  # fmt: skip
        await betterai.transcribe(f"{vendor}/{HEARS}", RECORDING, **asked)
        assert [piece async for piece in betterai.stream_transcription(f"{vendor}/{HEARS}", RECORDING, **asked)]
    assert ours.bodies == theirs.bodies
    assert ours.requests == theirs.requests
