"""OpenAI's Live API: a session against a service on loopback, and the official client's types as judges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai.types.live import ServerEvent

import betterai
from betterai import CoreConfig
from betterai.core.exceptions import ContentFilterError, StreamInterrupted, UnsupportedParam
from betterai.core.message import Message
from betterai.core.model import ModelConfig
from betterai.core.realtime import VendorEvent
from betterai.core.realtime_input import RealtimeEvent, UpdateSession
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.wire import Call
from betterai.runtime.registry import get_provider
from doubles.openai_live import RESOURCE, OpenAILiveService
from doubles.servers import web_server
from judges.samples import members, samples

SOUND = b"\x01\x02" * 240


@betterai.tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"foggy in {city}"


@asynccontextmanager
async def talk(service: OpenAILiveService, **options: Any) -> AsyncIterator[betterai.RealtimeSession]:
    async with web_server(service.answer) as url:
        config = CoreConfig(base_url=f"{url}/v1", api_key="test-key", retries=0)
        async with asyncio.timeout(10), betterai.realtime("openai/gpt-live-1", config=config, **options) as session:
            yield session


async def until_words(session: betterai.RealtimeSession, words: str) -> list[Any]:
    events = []
    async for event in session:
        events.append(event)
        if isinstance(event, betterai.OutputTranscript) and event.delta == words:
            return events
    raise AssertionError("the session ended")


async def test_functions_run_for_who_works_in_the_models_name_and_seconds_are_billed() -> None:
    service = OpenAILiveService()
    history = [Message.user("My name is Alice."), Message.assistant("Hello, Alice!")]
    async with talk(service, instructions="Be brief.", voice="marin", tools=[weather], history=history) as session:
        await session.send_audio(SOUND)
        events = await until_words(session, "It is foggy.")
        async for _ in session:
            if session.usage is not None and session.usage.units.get("second") == 5:
                break
        assert session.info.id == "sess_1"
        assert session.usage is not None
        assert session.usage.total_tokens == 15
        assert session.cost is not None
        assert (session.cost.status, session.cost.amount is not None) == ("exact", True)
        [warning] = session.warnings
        assert "gpt-6-luna" in warning.message
    start, heard, *rest = service.frames
    assert start["session"] == {
        "model": "gpt-live-1", "instructions": "Be brief.",
        "audio": {"format": {"type": "audio/pcm", "rate": 24000}, "output": {"voice": "marin"}},
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "My name is Alice."}]},
                  {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello, Alice!"}]}],
        "delegation": {"type": "responses", "responses": {
            "model": "gpt-6-luna", "tools": start["session"]["delegation"]["responses"]["tools"]}},
    }  # fmt: skip
    assert heard["type"] == "session.input_audio.append"
    assert [frame["type"] for frame in rest] == ["response.item.create"] * 2 + ["response.create", "session.close"]
    assert [frame["item"]["output"] for frame in rest[:2]] == ["foggy in London"] * 2
    assert sum(isinstance(event, betterai.ToolRan) for event in events) == 2
    assert b"".join(event.audio for event in events if isinstance(event, betterai.OutputAudio)) == b"\x01\x02\x03\x04"


async def test_what_is_delegated_to_the_caller_is_answered_by_its_id() -> None:
    service = OpenAILiveService()
    service.client_delegation = True
    async with talk(service, input_format="g711_ulaw") as session:
        await session.send_audio(bytes(80))
        async for event in session:
            if isinstance(event, VendorEvent) and event.name == "session.delegation.created":
                await session.send_tool_result(event.frame.value["delegation"]["id"], "It is foggy.")
                break
        await until_words(session, "It is foggy.")
        await session.send_messages(Message.system("Be kind."))
        with pytest.raises(UnsupportedParam, match="take no such message"):
            await session.send_text("hello")
        with pytest.raises(UnsupportedParam, match="nothing was asked"):
            await session.send_tool_result("nobody", "x")
    assert service.frames[0]["session"]["audio"]["format"] == {"type": "audio/pcmu", "rate": 8000}
    said = [(frame["type"], frame["delegation_id"], frame["content"]) for frame in service.frames[2:4]]
    assert said == [
        ("session.commentary.append", "del_1", "It is foggy."),
        ("session.instructions.append", None, "Be kind."),
    ]
    with pytest.raises(UnsupportedParam, match="the model itself hears when to speak"):
        async with talk(service, turn_detection="none"):
            pass


@pytest.mark.parametrize(
    ("reason", "error"), [("content", ContentFilterError), ("expired", StreamInterrupted), ("", StreamInterrupted)]
)
async def test_s4_why_it_ended_is_raised_and_what_it_took_comes_before(reason: str, error: type[Exception]) -> None:
    service = OpenAILiveService()
    async with talk(service) as session:
        async for event in session:
            if isinstance(event, betterai.SessionOpened):
                break
        if reason:
            await service.say("session.closed", reason=reason, session=RESOURCE, usage={"seconds": 7.0})
        await service.socket.close()
        with pytest.raises(error):
            async for _ in session:
                pass
        assert (session.usage and session.usage.units) == ({"second": 7.0} if reason else None)


def test_every_server_event_of_the_official_client_is_read_or_kept() -> None:
    codec: Any = get_provider("openai").protocols["realtime"]["openai_live"]
    model = ModelConfig(id="gpt-live-1", provider="openai")
    for kind in members(ServerEvent):
        for value in samples(kind, seeds=4):
            call: Any = Call(model=model, input=None, settings=RealtimeSettings())
            state = codec.open(call)
            state.send(UpdateSession(settings=call.settings))
            events, _ = state.receive(json.dumps(value))
            assert events, value
            assert all(isinstance(event, RealtimeEvent) for event in events)
