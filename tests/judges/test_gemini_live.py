"""The official client speaks with our server half, and what it sends is what our client half sends."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

import betterai
from betterai import CoreConfig
from betterai.core.realtime import (
    InputTranscript,
    OutputText,
    ResponseDone,
    SessionEnding,
    SpeechStarted,
    ToolsCancelled,
    UsageStated,
)
from betterai.core.realtime_input import AppendAudio, ShowImage
from betterai.core.usage import Usage
from doubles.certificates import Certificate, make_certificate
from doubles.live_voices import HEARD, TOKEN, WORD_BYTES, LiveService, serve_live

pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The SDK's ephemeral token"),
]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
SPEECH, SILENCE = b"\x10\x10" * 1600, bytes(3200)
PIXEL = betterai.Media(kind="image", mime_type="image/jpeg", data=b"\xff\xd8")
CONFIG: Any = {
    "response_modalities": ["AUDIO"], "temperature": 0.5, "top_p": 0.9, "top_k": 20, "max_output_tokens": 100, "seed": 7,
    "speech_config": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}, "language_code": "de-DE"},
    "thinking_config": {"thinking_budget": 128, "include_thoughts": True},
    "system_instruction": "Be brief.", "input_audio_transcription": {"language_codes": ["de", "en"]},
    "output_audio_transcription": {}, "proactivity": {"proactive_audio": True}, "enable_affective_dialog": True,
    "tools": [{"function_declarations": [
        {"name": "weather", "description": "The weather.", "parameters_json_schema": SCHEMA},
    ]}, {"google_search": {}}],
    "realtime_input_config": {
        "automatic_activity_detection": {
            "start_of_speech_sensitivity": "START_SENSITIVITY_LOW", "end_of_speech_sensitivity": "END_SENSITIVITY_HIGH",
            "prefix_padding_ms": 20, "silence_duration_ms": 100,
        },
        "activity_handling": "NO_INTERRUPTION",
    },
    "session_resumption": {"handle": "handle-1"}, "context_window_compression": {"sliding_window": {}},
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "modalities": ["audio"], "temperature": 0.5, "top_p": 0.9, "top_k": 20, "max_tokens": 100, "seed": 7, "voice": "Kore",
    "language": "de-DE", "reasoning": betterai.ReasoningControl(budget=128, include=True), "instructions": "Be brief.",
    "transcription": betterai.Transcription(languages=("de", "en")),
    "options": {"google": {"proactivity": {"proactiveAudio": True}, "enableAffectiveDialog": True}},
    "tools": [
        betterai.Tool(name="weather", description="The weather.", parameters=SCHEMA),
        betterai.ServerTool(type="web_search"),
    ],
    "turn_detection": betterai.TurnDetection(
        start_sensitivity="low", end_sensitivity="high", prefix_ms=20, silence_ms=100, interrupt=False
    ),
    "resumption": "handle-1", "truncation": "auto",
}  # fmt: skip


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def make_client(url: str, certificate: Certificate, key: str = "test-key", version: str = "v1beta") -> genai.Client:
    """It speaks TLS only."""
    trusting = ssl.create_default_context(cafile=certificate.path)
    return genai.Client(
        api_key=key,
        http_options=types.HttpOptions(base_url=url, api_version=version, async_client_args={"ssl": trusting}),
    )


async def gather(session: Any) -> list[types.LiveServerMessage]:
    """The messages of one turn."""
    return [message async for message in session.receive()]


def sound_of(messages: list[types.LiveServerMessage]) -> bytes:
    return b"".join(message.data or b"" for message in messages)


def said_in(messages: list[types.LiveServerMessage], name: str = "output_transcription") -> str:
    found = [getattr(message.server_content, name) for message in messages if message.server_content]
    return "".join(words.text or "" for words in found if words)


def parts_of(messages: list[types.LiveServerMessage]) -> list[types.Part]:
    turns = [message.server_content.model_turn for message in messages if message.server_content]
    return [part for turn in turns if turn for part in turn.parts or ()]


async def test_the_official_client_speaks_with_our_server_half(certificate: Certificate) -> None:
    service = LiveService()
    config = {**CONFIG, "session_resumption": {}, "realtime_input_config": {}}
    async with serve_live(service, certificate.context) as url:
        client = make_client(url, certificate)
        async with client.aio.live.connect(model="gemini-3.8-live", config=config) as session:
            assert session.session_id == "session-1"
            turns: Any = [{"role": "user", "parts": [{"text": "good morning"}]}]
            await session.send_client_content(turns=turns)
            messages = await gather(session)
            assert said_in(messages) == "You said good morning"
            assert len(sound_of(messages)) == 4 * WORD_BYTES
            usage = messages[-1].usage_metadata
            assert usage is not None
            assert (usage.prompt_token_count, usage.response_token_count, usage.thoughts_token_count) == (30, 20, 2)
            assert [part.text for part in parts_of(messages) if part.thought] == ["Hm."]
            handles = [message.session_resumption_update for message in messages if message.session_resumption_update]
            assert [one.new_handle for one in handles if one.resumable] == ["handle-1"]

            await session.send_realtime_input(text="the weather?")
            messages = []
            async for message in session.receive():
                messages.append(message)
                if message.tool_call:
                    [call] = message.tool_call.function_calls or ()
                    assert (call.name, call.args) == ("weather", {"city": "London"})
                    result = types.FunctionResponse(id=call.id, name=call.name, response={"output": "foggy"})
                    await session.send_tool_response(function_responses=[result])
            assert said_in(messages) == "LetYou said foggy"

            service.hold.clear()
            await session.send_client_content(turns=turns)
            await session.send_realtime_input(audio=types.Blob(data=SPEECH, mime_type="audio/pcm;rate=16000"))
            messages = await gather(session)
            assert any(message.server_content and message.server_content.interrupted for message in messages)
            spoken = [message.voice_activity for message in messages if message.voice_activity]
            assert [one.voice_activity_type for one in spoken] == [types.VoiceActivityType.ACTIVITY_START]
            service.hold.set()
            await session.send_realtime_input(video=types.Blob(data=b"\xff\xd8", mime_type="image/jpeg"))
            await session.send_realtime_input(audio=types.Blob(data=SILENCE, mime_type="audio/pcm;rate=16000"))
            messages = await gather(session)
            assert said_in(messages, "input_transcription") == HEARD
            peer = service.sessions[0]
            await peer.say(
                ToolsCancelled(ids=("c",)), SessionEnding(seconds_left=9.5), SpeechStarted(at_ms=1500),
                UsageStated(usage=Usage(text_in=3, cached={"text": 1}, audio_out=4)), InputTranscript(delta="x", final=True),
                OutputText(delta="y"), ResponseDone(finish_reason="content_filter"),
            )  # fmt: skip
            messages = await gather(session)
            assert messages[0].tool_call_cancellation is not None
            assert messages[1].go_away is not None
            assert messages[1].go_away.time_left == "9.5s"
            assert messages[3].usage_metadata is not None
            assert messages[3].usage_metadata.cached_content_token_count == 1
            ended = messages[-1].server_content
            assert ended is not None
            assert ended.turn_complete_reason is types.TurnCompleteReason.GENERATED_CONTENT_SAFETY
            peer.state.closing = (1007, "the frame must be an object")
            await session.send_client_content(turns=turns)
            with pytest.raises(errors.APIError, match="must be an object"):
                await gather(session)
    assert ShowImage(image=PIXEL) in peer.inputs
    assert peer.settings.voice == "Kore"
    assert peer.settings.transcription == betterai.Transcription(languages=("de", "en"))


async def test_a_token_for_browsers_opens_a_session_for_the_official_client(certificate: Certificate) -> None:
    service = LiveService()
    async with serve_live(service, certificate.context) as url:
        client = make_client(url, certificate, TOKEN, "v1alpha")
        async with client.aio.live.connect(model="gemini-3.8-live") as session:
            await session.send_client_content(turns={"role": "user", "parts": [{"text": "hi"}]})
            assert (await gather(session))[-1].server_content is not None
    assert service.requests[0].path.endswith("v1alpha.GenerativeService.BidiGenerateContentConstrained")


def respell(value: Any, name: str = "") -> Any:
    """Names as the protocol spells them, base64 in its usual alphabet, tools in the order of ours: the official client
    writes underscores inside of objects, the alphabet of URLs, and its own order.
    """
    if isinstance(value, dict):
        return {camel(key): respell(item, camel(key)) for key, item in value.items()}
    if isinstance(value, list):
        items = [respell(item) for item in value]
        return sorted(items, key=str) if name == "tools" else items
    return value.replace("-", "+").replace("_", "/") if name == "data" else value


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


async def test_our_client_sends_what_the_official_one_sends(certificate: Certificate) -> None:
    official, ours = LiveService(), LiveService()
    handle_one = {"session_resumption": {}}
    blob = types.Blob(data=SPEECH, mime_type="audio/pcm;rate=16000")
    async with serve_live(official, certificate.context) as url:
        client = make_client(url, certificate)
        async with client.aio.live.connect(model="gemini-3.8-live", config=CONFIG | handle_one):
            pass
        caller = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}
        async with client.aio.live.connect(model="gemini-3.8-live", config=CONFIG | handle_one | caller) as session:
            await session.send_client_content(
                turns=[
                    types.Content(role="user", parts=[types.Part(text="a")]),
                    types.Content(role="model", parts=[types.Part(text="b")]),
                ],
                turn_complete=False,
            )
            await session.send_realtime_input(activity_start=types.ActivityStart())
            await session.send_realtime_input(audio=blob)
            await session.send_realtime_input(activity_end=types.ActivityEnd())
            await session.send_realtime_input(video=types.Blob(data=b"\xff\xd8", mime_type="image/jpeg"))
            await session.send_tool_response(
                function_responses=[types.FunctionResponse(id="c", name="weather", response={"output": "foggy"})]
            )
            await session.send_client_content(turns=[types.Content(role="user", parts=[types.Part(text="c")])])
            while len(official.frames) < 9:  # noqa: ASYNC110 - the other side of the connection
                await asyncio.sleep(0.001)
    async with serve_live(ours) as url:
        config = CoreConfig(base_url=url, api_key="test-key")
        settings = SETTINGS | {"resumption": True}
        async with betterai.realtime("google/gemini-3.8-live", config=config, **settings) as session:
            assert not session.warnings
            await session.send(AppendAudio(audio=b""))
        settings["turn_detection"] = "none"
        said = [betterai.Message.user("a"), betterai.Message.assistant("b")]
        async with betterai.realtime("google/gemini-3.8-live", config=config, **settings) as session:
            await session.send_messages(*said)
            await session.send_audio(SPEECH)
            await session.commit()
            await session.show(PIXEL)
            await session.send_tool_result("c", "foggy", name="weather")
            await session.send_text("c")
            while len(ours.frames) < 9:  # noqa: ASYNC110 - the other side of the connection
                await asyncio.sleep(0.001)
    theirs = [respell(json.loads(frame)) for frame in official.frames]
    assert [json.loads(frame) for frame in ours.frames] == theirs
    for frame in [one for one in ours.frames if "setup" not in one]:
        types.LiveClientMessage.model_validate_json(frame)
