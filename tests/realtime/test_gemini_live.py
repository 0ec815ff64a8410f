"""Sessions of Gemini Live against a voice service on loopback: speech, tools, limits, connections that break."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import betterai
from betterai import CoreConfig, RealtimeSession
from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    StreamInterrupted,
    UnsupportedParam,
)
from betterai.core.realtime_input import AddMessages, AddToolResults, AppendAudio, CommitAudio, StartSpeech
from doubles.live_voices import HEARD, TOKEN, WORD_BYTES, LiveService, serve_live
from realtime.test_sessions import of, until

SPEECH, SILENCE = b"\x10\x10" * 1600, bytes(3200)


@asynccontextmanager
async def talk(service: LiveService, **options: Any) -> AsyncIterator[RealtimeSession]:
    key = options.pop("api_key", "test-key")
    async with serve_live(service) as url:
        config = CoreConfig(base_url=url, api_key=key, retries=0, unsupported=options.pop("unsupported", None))
        async with asyncio.timeout(20):
            async with betterai.realtime("google/gemini-3.8-live", config=config, **options) as session:
                yield session


async def test_a_question_in_writing_is_answered_with_sound_its_words_and_what_it_took() -> None:
    service = LiveService()
    history = [betterai.Message.user("I am Alice."), betterai.Message.assistant("Hello, Alice!")]
    async with talk(service, instructions="Be brief.", voice="Kore", history=history) as session:
        await session.send_text("good morning")
        events = await until(session, betterai.ResponseDone)
        assert "".join(event.delta for event in of(events, betterai.OutputTranscript)) == "You said good morning"
        assert len(b"".join(event.audio for event in of(events, betterai.OutputAudio))) == 4 * WORD_BYTES
        assert of(events, betterai.OutputAudio)[-1].final
        assert of(events, betterai.OutputReasoning)[-1].text == "Hm."
        assert session.info.id == "session-1"
        assert session.warnings == ()
        assert session.usage is not None
        assert (session.usage.total_tokens, session.usage.reasoning) == (52, 2)
        assert session.cost is not None
        assert (session.cost.status, session.cost.amount is not None) == ("exact", True)
    peer = service.sessions[0]
    assert (peer.settings.instructions, peer.settings.voice) == ("Be brief.", "Kore")
    assert peer.state.call.model.id == "gemini-3.8-live"
    assert [turn.text for turn in peer.turns] == ["I am Alice.", "Hello, Alice!", "good morning"]
    assert service.requests[0].path.endswith(".v1beta.GenerativeService.BidiGenerateContent")


async def test_speech_into_an_answer_stops_it_and_its_words_are_written_down() -> None:
    service = LiveService()
    service.hold.clear()
    async with talk(service, transcription=True, input_format="audio/pcm;rate=24000") as session:
        await session.send_text("one two three four five")
        await until(session, betterai.OutputAudio)
        session.played(40)
        await session.send_audio(SPEECH)
        events = await until(session, betterai.ResponseDone)
        ours = (betterai.SpeechStarted, betterai.Interrupted, betterai.ResponseDone)
        kinds = [event.type for event in events if isinstance(event, ours)]
        assert kinds == ["speech_started", "interrupted", "response_done"]
        [told] = of(events, betterai.Interrupted)
        assert (told.item_id, told.heard_ms) == ("answer_1", 40)
        assert of(events, betterai.ResponseDone)[0].finish_reason == "interrupted"
        service.hold.set()
        await session.send_audio(SILENCE)
        events = await until(session, betterai.ResponseDone)
        assert [event.text for event in of(events, betterai.InputTranscript) if event.final] == [HEARD]
        assert of(events, betterai.OutputTranscript)[-1].text == f"You said {HEARD}"
        assert {warning.field for warning in session.warnings} == {"truncate"}
    sent = [event for event in service.sessions[0].inputs if isinstance(event, AppendAudio)]
    assert sum(len(event.audio) for event in sent) == len(SPEECH + SILENCE)
    assert b"audio/pcm;rate=24000" in service.frames[-1].encode()


async def test_the_caller_finds_the_turns() -> None:
    service = LiveService()
    async with talk(service, turn_detection="none", modalities=["text"]) as session:
        for _ in range(2):
            await session.send_audio(SPEECH)
            await session.send_audio(SPEECH)
            await session.commit()
            events = await until(session, betterai.ResponseDone)
            assert of(events, betterai.OutputText)[-1].text == f"You said {HEARD}"
            assert events[-1].message.text == f"You said {HEARD}"
    kinds = [type(event) for event in service.sessions[0].inputs[1:]]
    assert kinds == [StartSpeech, AppendAudio, AppendAudio, CommitAudio] * 2


@betterai.tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"foggy in {city}"


async def test_tools_run_inside_the_session_and_the_answer_goes_on_by_itself() -> None:
    service = LiveService()
    async with talk(service, tools=[weather]) as session:
        await session.send_text("the weather?")
        events = await until(session, betterai.ResponseDone)
        assert [event.handled for event in of(events, betterai.ToolCalled)] == [True]
        assert [event.result.text for event in of(events, betterai.ToolRan)] == ["foggy in London"]
        assert events[-1].finish_reason == "stop"
        assert events[-1].message.tool_calls[0].name == "weather"
        assert "You said foggy in London" in of(events, betterai.OutputTranscript)[-1].text
    [setup, *rest] = [json.loads(frame) for frame in service.frames]
    assert setup["setup"]["tools"][0]["functionDeclarations"][0]["name"] == "weather"
    assert [list(frame) for frame in rest] == [["clientContent"], ["toolResponse"]]
    [answer] = rest[1]["toolResponse"]["functionResponses"]
    assert (answer["name"], answer["response"]) == ("weather", {"output": "foggy in London"})


async def test_a_tool_that_is_called_in_mid_speech_is_cancelled_when_the_user_speaks() -> None:
    service = LiveService()
    ended: list[str] = []
    begun = asyncio.Event()

    async def slow(city: str) -> str:
        """Never ends."""
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append(city)
            raise
        return ""

    async with talk(service, tools=[betterai.tool(slow)]) as session:
        await session.send_text("the weather?")
        await until(session, betterai.ToolCalled)
        await begun.wait()
        await session.send_audio(SPEECH)
        events = await until(session, betterai.ResponseDone)
        assert [event.ids for event in of(events, betterai.ToolsCancelled)] == [("call-1",)]
        await session.send_audio(SILENCE)
        events = await until(session, betterai.ResponseDone)
        assert of(events, betterai.OutputTranscript)[-1].text == f"You said {HEARD}"
        assert not of(events, betterai.ToolRan)
    assert ended == ["London"]
    assert not [event for event in service.sessions[0].inputs if isinstance(event, AddToolResults)]


async def test_a_session_that_reached_its_limit_goes_on_by_its_handle_in_another_connection() -> None:
    service = LiveService()
    async with talk(service, resumption=True, instructions="Be brief.") as session:
        await session.send_text("my name is Alice")
        events = await until(session, betterai.ResponseDone)
        assert [event.resumable for event in of(events, betterai.ResumptionOffered)] == [False, True]
        leaving = asyncio.create_task(service.sessions[0].go_away(0.05))
        events = await until(session, betterai.Reconnected)
        await leaving
        assert of(events, betterai.SessionEnding)[0].seconds_left == 0.05
        assert events[-1].resumed
        await session.send_text("who am I?")
        events = await until(session, betterai.ResponseDone)
        assert of(events, betterai.SessionOpened)[0].resumed
        assert of(events, betterai.OutputTranscript)[-1].text == "You said who am I?"
        service.sessions[1].abort()
        assert (await until(session, betterai.Reconnected))[-1].resumed
    assert [one.settings.resumption for one in service.sessions[:3]] == [True, "handle-1", "handle-2"]
    assert service.sessions[2].settings.instructions == "Be brief."
    assert [turn.text for turn in service.sessions[1].turns] == ["my name is Alice", "who am I?"]


async def test_s4_a_connection_that_breaks_raises_and_a_refusal_says_why() -> None:
    service = LiveService()
    async with talk(service) as session:
        await until(session, betterai.SessionOpened)
        service.sessions[0].abort()
        with pytest.raises(StreamInterrupted):
            await until(session, betterai.ResponseDone)
    for code, reason, kind in (
        (1007, b"Invalid voice name", BadRequestError),
        (1008, b"models/x is not found for API version v1beta", betterai.ProviderError),
        (1011, b"You exceeded your current quota, please check your plan", betterai.RateLimitError),
        (1011, b"Internal error encountered.", StreamInterrupted),
    ):
        async with talk(service) as session:
            await until(session, betterai.SessionOpened)
            await service.sessions[-1].socket.close(code=code, message=reason)
            with pytest.raises(kind, match=reason.decode()) as raised:
                await until(session, betterai.ResponseDone)
            assert raised.value.provider == "google"
    with pytest.raises(AuthenticationError, match="not valid"):
        async with talk(service, api_key="other"):
            pass


async def test_a_slow_reader_slows_the_provider_and_nothing_is_lost() -> None:
    service = LiveService()
    service.word_bytes = 1024 * 1024
    async with talk(service) as session:
        await session.send_text(" ".join(map(str, range(30))))
        await until(session, betterai.ResponseStarted)
        inbox: Any = session._inbox  # type: ignore[attr-defined]
        while inbox._bytes < inbox._most:  # noqa: ASYNC110 - nobody reads the session meanwhile
            await asyncio.sleep(0.001)
        answering = service.sessions[0].answering
        assert answering is not None
        assert not answering.done()
        assert inbox._bytes < inbox._most + 2 * service.word_bytes
        events = await until(session, betterai.ResponseDone)
        assert sum(len(event.audio) for event in of(events, betterai.OutputAudio)) == 32 * service.word_bytes


async def test_j3_what_a_session_cannot_have_is_reported_or_raised_and_settings_hold_for_all_of_it() -> None:
    service = LiveService()
    async with talk(service, speed=1.2, noise_reduction="near_field") as session:
        assert {warning.field for warning in session.warnings} == {"speed", "noise_reduction"}
        await session.update(voice="Puck")
        assert session.warnings[-1].field == "voice"
        with pytest.raises(UnsupportedParam, match="outside of the conversation"):
            await session.respond(keep=False)
        with pytest.raises(UnsupportedParam, match="tools"):
            await session.update(tools=[])
    with pytest.raises(UnsupportedParam, match="which tools"):
        async with talk(service, tool_choice="required"):
            pass
    assert len(service.sessions) == 1


async def test_a_browser_gets_a_token_for_one_session_and_the_key_stays() -> None:
    service = LiveService()
    async with serve_live(service) as url:
        config = CoreConfig(base_url=url, api_key="test-key")
        token = await betterai.realtime_token("google/gemini-3.8-live", seconds=90, config=config, voice="Kore")
    assert token.value == TOKEN
    assert TOKEN not in repr(token)
    [asked] = service.asked
    assert service.requests[0].path == "/v1alpha/auth_tokens"
    assert asked["uses"] == 1
    assert asked["newSessionExpireTime"].endswith("Z")
    assert asked["bidiGenerateContentSetup"]["model"] == "models/gemini-3.8-live"
    assert token.expires_at is not None


async def test_a_session_of_the_cloud_is_opened_beside_its_base_url_under_the_models_long_name() -> None:
    service = LiveService("cloud-token")
    async with serve_live(service) as url, asyncio.timeout(20):
        base = f"{url}/v1beta1/projects/p1/locations/europe-west4"
        config = CoreConfig(base_url=base, retries=0, settings={"access_token": "cloud-token", "project": "p1"})
        async with betterai.realtime("vertex/gemini-3.8-live", config=config) as session:
            await session.send_text("hi")
            await until(session, betterai.ResponseDone)
            await session.commit(respond=False)
            assert [warning.field for warning in session.warnings] == ["commit"]
        with pytest.raises(ConfigurationError, match="no tokens for browsers"):
            await betterai.realtime_token("vertex/gemini-3.8-live", config=config)
    assert service.requests[0].path == "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
    setup = json.loads(service.frames[0])["setup"]
    assert setup["model"] == "projects/p1/locations/europe-west4/publishers/google/models/gemini-3.8-live"
    assert setup["generationConfig"] == {"responseModalities": ["AUDIO"]}
    assert service.sessions[0].state.call.model.id == "gemini-3.8-live"
    assert isinstance(service.sessions[0].inputs[-1], AddMessages)
