"""The official client speaks with our server half, and its types judge every frame that either of our halves writes."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import openai
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import TypeAdapter

import betterai
from betterai import CoreConfig
from betterai.core.realtime_input import CancelResponse, ClearAudio, DeleteItem, Respond, TruncateItem
from doubles.voices import HEARD, VoiceService, serve_voice

SERVER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
CLIENT: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)
TOOL = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
PIXEL = betterai.Media(kind="image", mime_type="image/png", data=b"\x89PNG")


async def gather(connection: Any, answers: int) -> list[Any]:
    """The events of so many answers, each of them of a type that the client knows, whole."""
    events: list[Any] = []
    async for event in connection:
        SERVER.validate_python(event.to_dict())
        events.append(event)
        answers -= event.type == "response.done"
        if not answers:
            return events
    raise AssertionError("the session ended")


async def test_the_official_client_speaks_with_our_server_half() -> None:
    service = VoiceService()
    async with serve_voice(service) as url:
        client = openai.AsyncOpenAI(api_key="test-key", base_url=url)
        async with client.realtime.connect(model="gpt-realtime") as connection:
            await connection.session.update(
                session={
                    "type": "realtime", "instructions": "Be brief.", "output_modalities": ["audio"], "tools": [TOOL],
                    "audio": {
                        "input": {
                            "format": {"type": "audio/pcm", "rate": 24000}, "noise_reduction": {"type": "near_field"},
                            "transcription": {"model": "gpt-realtime-whisper", "language": "en"},
                            "turn_detection": {"type": "semantic_vad", "eagerness": "high"},
                        },
                        "output": {"voice": "marin", "speed": 1.1},
                    },
                }
            )  # fmt: skip
            say = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "the weather?"}]}
            await connection.conversation.item.create(item=say)  # type: ignore[arg-type]
            await connection.response.create()
            events = await gather(connection, 1)
            [called] = [event for event in events if event.type == "response.function_call_arguments.done"]
            assert (called.name, json.loads(called.arguments)) == ("weather", {"city": "London"})
            result = {"type": "function_call_output", "call_id": called.call_id, "output": "foggy"}
            await connection.conversation.item.create(item=result)  # type: ignore[arg-type]
            await connection.response.create()
            events = await gather(connection, 1)
            said = "".join(event.delta for event in events if event.type == "response.output_audio_transcript.delta")
            assert said == "You said foggy"
            assert events[-1].response.output[0].content[0].transcript == "You said foggy"
            assert events[-1].response.usage.total_tokens == 52
            for sound in (b"\x10\x10" * 2400, bytes(4800)):
                await connection.input_audio_buffer.append(audio=b64encode(sound).decode())
            events = await gather(connection, 1)
            heard = [event for event in events if event.type.endswith("transcription.completed")]
            assert [event.transcript for event in heard] == [HEARD]
            await connection.send({"type": "response.cancel", "event_id": "e9", "response_id": 7})  # type: ignore[arg-type]
            await connection.send({"type": "input_audio_buffer.append", "event_id": "e9"})  # type: ignore[typeddict-item]
            async for event in connection:
                if event.type == "error":
                    assert event.error.event_id == "e9"
                    assert "audio" in event.error.message
                    break
    settings = service.sessions[0].settings
    assert settings.turn_detection == betterai.TurnDetection(mode="semantic", eagerness="high")
    assert (settings.voice, settings.speed, settings.noise_reduction) == ("marin", 1.1, "near_field")


async def test_the_official_types_know_every_frame_that_our_client_half_sends() -> None:
    service = VoiceService()
    frames: list[Any] = []
    service.on_frame = frames.append
    settings: dict[str, Any] = {
        "instructions": "Be brief.", "voice": "marin", "speed": 1.1, "modalities": ["audio"], "input_format": "pcm16",
        "output_format": "g711_ulaw", "tool_choice": "weather", "parallel_tool_calls": False, "max_tokens": 100,
        "tools": [betterai.Tool(name="weather", description="The weather.", parameters=TOOL["parameters"])],
        "turn_detection": betterai.TurnDetection(threshold=0.6, prefix_ms=200, silence_ms=400, idle_timeout_ms=5000, respond=True, interrupt=True),
        "transcription": betterai.Transcription(model="gpt-realtime-whisper", language="de", prompt="names"),
        "noise_reduction": "far_field", "reasoning": "low", "truncation": 0.8,
        "history": [betterai.Message.user("Hi"), betterai.Message.assistant("Hello")],
    }  # fmt: skip
    async with serve_voice(service) as url:
        config = CoreConfig(base_url=url, api_key="test-key")
        async with betterai.realtime("openai/gpt-realtime-2.1", config=config, **settings) as session:
            assert not session.warnings
            await session.send_audio(bytes(4800))
            await session.send(ClearAudio())
            await session.commit(respond=False)
            await session.show(PIXEL)
            await session.send_messages(betterai.Message.user("this?", PIXEL))
            await session.send(DeleteItem(item_id="i"))
            await session.send(CancelResponse(response_id="r"))
            await session.send(TruncateItem(item_id="i", audio_end_ms=5))
            await session.send(Respond(messages=(betterai.Message.user("Hi"),), keep=False, metadata={"a": "b"}))
            await session.update(turn_detection="none", transcription=False, noise_reduction=None)
            async for event in session:
                if isinstance(event, betterai.SessionUpdated) and event.session.settings.transcription is False:
                    break
    assert len(frames) == 13
    for frame in frames:
        CLIENT.validate_json(frame)
