"""Sessions against a voice service on loopback: what goes on around the events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai import CoreConfig, RealtimeSession
from betterai.core.exceptions import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    ProviderError,
    StreamInterrupted,
    UnsupportedParam,
)
from betterai.core.realtime_input import AddMessages, AddToolResults, AppendAudio, CancelResponse, Respond, TruncateItem
from betterai.core.wire import WireRequest
from doubles.voices import HEARD, WORD_BYTES, WORD_MS, VoiceService, serve_voice

SPEECH, SILENCE = b"\x10\x10" * 2400, bytes(4800)


@betterai.tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"foggy in {city}"


@asynccontextmanager
async def talk(service: VoiceService, **options: Any) -> AsyncIterator[RealtimeSession]:
    key = options.pop("api_key", "test-key")
    async with serve_voice(service) as url:
        config = CoreConfig(base_url=url, api_key=key, retries=0, unsupported=options.pop("unsupported", None))
        async with asyncio.timeout(20):
            async with betterai.realtime("openai/gpt-realtime-2.1", config=config, **options) as session:
                yield session


async def until(session: RealtimeSession, *kinds: type[Any], times: int = 1) -> list[Any]:
    """The events up to the last of these."""
    events: list[Any] = []
    async for event in session:
        events.append(event)
        if isinstance(event, kinds) and sum(isinstance(one, kinds) for one in events) == times:
            return events
    raise AssertionError(f"the session ended after {[event.type for event in events]}")


def of(events: list[Any], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


async def test_a_question_in_writing_is_answered_with_sound_and_its_words() -> None:
    async with talk(VoiceService(), instructions="Be brief.") as session:
        await session.send_text("good morning")
        events = await until(session, betterai.ResponseDone)
        sound = b"".join(event.audio for event in of(events, betterai.OutputAudio))
        assert "".join(event.delta for event in of(events, betterai.OutputTranscript)) == "You said good morning"
        assert len(sound) == 4 * WORD_BYTES
        assert session.info.id == "sess_1"
        assert session.info.settings.instructions == "Be brief."
        assert session.usage is not None
        assert session.usage.total_tokens == 52
        assert session.cost is not None
        assert (session.cost.status, session.cost.amount is not None) == ("exact", True)


async def test_j3_what_writes_the_users_words_down_is_billed_by_itself() -> None:
    async with talk(VoiceService(), transcription=True) as session:
        await session.send_audio(SPEECH)
        await session.send_audio(SILENCE)
        events = await until(session, betterai.ResponseDone)
        heard = of(events, betterai.InputTranscript)
        assert heard[-1].text == HEARD
        assert "".join(event.delta for event in heard) == HEARD
        assert session.cost is not None
        assert session.cost.parts.keys() >= {"second", "audio_out"}


async def test_tools_run_inside_the_session_and_the_answer_goes_on_when_all_have() -> None:
    service = VoiceService()
    async with talk(service, tools=[weather]) as session:
        await session.send_text("the weather?")
        events = await until(session, betterai.ResponseDone, times=2)
    called, [ran] = of(events, betterai.ToolCalled), of(events, betterai.ToolRan)
    assert [event.handled for event in called] == [True]
    assert ran.result.text == "foggy in London"
    assert [event.finish_reason for event in of(events, betterai.ResponseDone)] == ["tool_calls", "stop"]
    assert of(events, betterai.OutputTranscript)[-1].text == "You said foggy in London"
    kinds = [type(event) for event in service.sessions[0].inputs[1:]]
    assert kinds == [AddMessages, Respond, AddToolResults, Respond]
    assert not of(events, betterai.SessionError)


async def test_calls_of_tools_that_are_no_functions_are_left_to_the_caller() -> None:
    service = VoiceService()
    tool = betterai.Tool(name="weather", parameters={"type": "object"})
    async with talk(service, tools=[tool]) as session:
        await session.send_text("the weather?")
        [called] = of(await until(session, betterai.ToolCalled), betterai.ToolCalled)
        assert not called.handled
        await session.send_tool_result(called.call.id, "sunny")
        events = await until(session, betterai.ResponseDone, times=2)
    assert of(events, betterai.OutputTranscript)[-1].text == "You said sunny"
    assert not of(events, betterai.SessionError)


async def test_a_tool_that_runs_in_mid_speech_does_not_hold_up_the_sound() -> None:
    began, gone_on = asyncio.Event(), asyncio.Event()

    @betterai.tool
    async def slow(city: str) -> str:
        """Waits for the test."""
        began.set()
        await gone_on.wait()
        return city

    async with talk(VoiceService(), tools=[slow]) as session:
        await session.send_text("the weather?")
        first = await until(session, betterai.ResponseDone)
        await began.wait()
        assert len(of(first, betterai.OutputAudio)) == 4
        await session.send_text("are you there?")
        second = await until(session, betterai.ResponseDone)
        assert of(second, betterai.OutputTranscript)[-1].text == "You said are you there?"
        gone_on.set()
        third = await until(session, betterai.ResponseDone)
        assert of(third, betterai.OutputTranscript)[-1].text == "You said London"


async def test_speech_into_an_answer_stops_it_and_truncates_what_was_not_heard() -> None:
    service = VoiceService()
    service.hold.clear()
    async with talk(service) as session:
        await session.send_text("one two three four five")
        events = await until(session, betterai.OutputAudio)
        item = events[-1].item_id
        session.played(40)
        await session.send_audio(SPEECH)
        events = await until(session, betterai.ResponseDone)
        kinds = [event.type for event in events if event.type not in ("output_transcript", "item_added")]
        assert kinds[:3] == ["speech_started", "interrupted", "response_done"]
        [told] = of(events, betterai.Interrupted)
        assert (told.item_id, told.heard_ms) == (item, 40)
        assert of(events, betterai.ResponseDone)[0].finish_reason == "interrupted"
        await until(session, betterai.ItemTruncated)
    assert [(one.item_id, one.audio_end_ms) for one in service.sessions[0].truncated] == [(item, 40)]


async def test_sound_that_nobody_read_is_thrown_away_when_the_user_speaks() -> None:
    """The answer is long made; it is still being played."""
    service = VoiceService()
    async with talk(service) as session:
        await session.send_text("one two three four five six")
        events = await until(session, betterai.OutputAudio, times=2)
        session.played(WORD_MS)
        answering = service.sessions[0].answering
        assert answering is not None
        await answering
        await session.send_audio(SPEECH)
        while not service.sessions[0].truncated:  # noqa: ASYNC110 - nobody reads the session meanwhile
            await asyncio.sleep(0.001)
        rest = await until(session, betterai.Interrupted)
        assert not of(rest, betterai.OutputAudio)
        assert rest[-1].heard_ms == WORD_MS
    [truncated] = service.sessions[0].truncated
    assert truncated == TruncateItem(item_id=events[-1].item_id, audio_end_ms=WORD_MS)


async def test_the_caller_interrupts_and_says_what_was_heard() -> None:
    service = VoiceService()
    service.hold.clear()
    async with talk(service, turn_detection="none") as session:
        await session.send_text("one two three")
        await until(session, betterai.OutputAudio)
        await session.interrupt(heard_ms=30)
        events = await until(session, betterai.ItemTruncated)
        assert of(events, betterai.ResponseDone)[0].raw_finish_reason == "client_cancelled"
        kinds = [type(event) for event in service.sessions[0].inputs]
        assert kinds[-2:] == [CancelResponse, TruncateItem]


async def test_the_caller_finds_the_turns() -> None:
    service = VoiceService()
    async with talk(service, turn_detection="none") as session:
        await session.send_audio(SPEECH)
        await session.commit()
        events = await until(session, betterai.ResponseDone)
        assert not of(events, betterai.SpeechStarted)
        assert of(events, betterai.OutputTranscript)[-1].text == f"You said {HEARD}"


async def test_sound_is_converted_both_ways_where_the_provider_has_one_rate() -> None:
    service = VoiceService()
    telephone = "audio/pcmu"
    async with talk(
        service, input_format="audio/pcm;rate=16000", output_format="audio/pcm;rate=8000", turn_detection="none"
    ) as session:
        await session.send_audio(bytes(32000))
        await session.commit()
        events = await until(session, betterai.ResponseDone)
        sound = b"".join(event.audio for event in of(events, betterai.OutputAudio))
        assert len(sound) == pytest.approx(4 * WORD_MS * 16, abs=64)
        sent = sum(len(event.audio) for event in service.sessions[0].inputs if isinstance(event, AppendAudio))
        assert sent == pytest.approx(48000, abs=64)
        await session.update(input_format=telephone)
        await session.send_audio(bytes(800))
        await until(session, betterai.SessionUpdated)
    assert service.sessions[0].inputs[-1] == AppendAudio(audio=bytes(800))


async def test_history_is_sent_when_the_session_is_opened() -> None:
    service = VoiceService()
    history = [betterai.Message.user("I am Alice."), betterai.Message.assistant("Hello, Alice!")]
    async with talk(service, history=history) as session:
        await session.respond()
        await until(session, betterai.ResponseDone)
    assert [turn.text for turn in service.sessions[0].turns] == ["I am Alice.", "Hello, Alice!"]


async def test_t1_what_a_session_cannot_have_is_reported_or_raised_and_never_dropped() -> None:
    async with talk(VoiceService(), seed=7, temperature=0.5) as session:
        assert {warning.field for warning in session.warnings} == {"seed", "temperature"}
        await session.update(top_k=3)
        assert session.warnings[-1].field == "top_k"
        [warned] = of(await until(session, betterai.SessionWarned), betterai.SessionWarned)
        assert [warning.field for warning in warned.warnings] == ["top_k"]
    with pytest.raises(UnsupportedParam, match="seed"):
        async with talk(VoiceService(), seed=7, unsupported="raise"):
            pass
    service = VoiceService()
    with pytest.raises(UnsupportedParam, match="takes free text") as raised:
        async with talk(service, tools=[betterai.CustomTool(name="grep")]):
            pass
    assert not service.requests
    assert raised.value.provider == "openai"


async def test_e1_a_refused_handshake_is_the_error_that_it_says() -> None:
    with pytest.raises(AuthenticationError, match="Incorrect API key") as raised:
        async with talk(VoiceService(), api_key="other-key"):
            pass
    assert (raised.value.provider, raised.value.status) == ("openai", 401)


async def test_an_error_in_the_session_is_told_with_the_providers_words_and_it_goes_on() -> None:
    service = VoiceService()
    service.hold.clear()
    async with talk(service) as session:
        await session.send_text("one two")
        await until(session, betterai.OutputAudio)
        await session.send(Respond(keep=False))
        [told] = of(await until(session, betterai.SessionError), betterai.SessionError)
        assert isinstance(told.error, ProviderError)
        assert told.error.code == "conversation_already_has_active_response"
        assert told.error.provider == "openai"
        service.hold.set()
        await until(session, betterai.ResponseDone)


async def test_an_answer_that_is_asked_for_while_another_is_under_way_waits_for_it() -> None:
    service = VoiceService()
    service.hold.clear()
    async with talk(service) as session:
        await session.send_text("one")
        await until(session, betterai.OutputAudio)
        await session.send_text("two")
        service.hold.set()
        events = await until(session, betterai.ResponseDone, times=2)
    assert not of(events, betterai.SessionError)
    assert of(events, betterai.OutputTranscript)[-1].text == "You said two"


async def test_an_answer_that_crosses_one_which_began_by_itself_is_asked_for_again() -> None:
    service = VoiceService()
    service.hold.clear()
    async with talk(service) as session:
        await session.send_audio(SPEECH)
        await session.send_audio(SILENCE)
        await session.send_text("me too")
        service.hold.set()
        events = await until(session, betterai.ResponseDone, times=2)
    assert not of(events, betterai.SessionError)
    assert len(of(events, betterai.ResponseStarted)) == 2


async def test_s4_a_connection_that_breaks_raises_and_is_no_end() -> None:
    service = VoiceService()
    async with talk(service) as session:
        await until(session, betterai.SessionUpdated)
        service.sessions[0].abort()
        with pytest.raises(StreamInterrupted) as raised:
            await until(session, betterai.ResponseDone)
        assert raised.value.provider == "openai"
        with pytest.raises(APIConnectionError):
            await session.send_audio(SPEECH)


async def test_the_sessions_end_is_told_before_and_raised_then() -> None:
    async with talk(VoiceService(limit_seconds=0.3)) as session:
        [ending] = of(await until(session, betterai.SessionEnding), betterai.SessionEnding)
        assert ending.seconds_left is not None
        assert 0 <= ending.seconds_left <= 1
        with pytest.raises(ProviderError, match="maximum duration") as raised:
            await until(session, betterai.ResponseDone)
        assert raised.value.code == "session_expired"
        assert raised.value.retryable


async def test_a_session_that_broke_goes_on_with_its_history_where_that_is_asked_for() -> None:
    service = VoiceService()
    async with talk(service, resumption=True, transcription=True, instructions="Be brief.") as session:
        await session.send_text("my name is Alice")
        await until(session, betterai.ResponseDone)
        await session.send_audio(SPEECH)
        await session.send_audio(SILENCE)
        await until(session, betterai.ResponseDone)
        service.sessions[0].abort()
        [again] = of(await until(session, betterai.Reconnected), betterai.Reconnected)
        assert not again.resumed
        await session.send_text("who am I?")
        events = await until(session, betterai.ResponseDone)
        assert of(events, betterai.OutputTranscript)[-1].text == "You said who am I?"
    turns = [(turn.role, turn.text) for turn in service.sessions[1].turns]
    assert turns == [
        ("user", "my name is Alice"), ("assistant", "You said my name is Alice"), ("user", HEARD),
        ("assistant", f"You said {HEARD}"), ("user", "who am I?"),
    ]  # fmt: skip
    assert service.sessions[1].settings.instructions == "Be brief."


async def abort_each(service: VoiceService, session: RealtimeSession) -> None:
    async for event in session:
        if isinstance(event, betterai.SessionUpdated):
            service.sessions[-1].abort()


async def test_connections_that_do_not_last_are_not_made_for_ever() -> None:
    service = VoiceService()
    async with talk(service, resumption=True) as session:
        with pytest.raises(StreamInterrupted):
            await abort_each(service, session)
    assert len(service.sessions) == 3


async def test_frames_out_of_order_and_unheard_of_are_told_as_they_are() -> None:
    service = VoiceService()
    async with talk(service) as session:
        await until(session, betterai.SessionUpdated)
        peer = service.sessions[0]
        for frame in (
            '{"type":"response.function_call_arguments.done","item_id":"i9","call_id":"c9","name":"f","arguments":"{}"}',
            '{"type":"response.output_item.added","item":{"id":"i9","type":"function_call","call_id":"c9","name":"f"}}',
            '{"type":"response.output_audio_transcript.done","response_id":"r9","item_id":"i8","transcript":"Hi"}',
            '{"type":"response.done","response":{"id":"r9","status":"completed","output":[]}}',
            '{"type":"something.new","event_id":"e1","more":[1,2]}',
        ):
            await peer.send_frame(frame)
        events = await until(session, betterai.VendorEvent)
        kinds = [event.type for event in events]
        assert kinds == ["tool_called", "output_transcript", "response_done", "vendor_event"]
        assert events[1].delta == "Hi"
        assert events[-1].frame.value["more"] == [1, 2]


async def test_a_frame_that_is_not_readable_ends_the_session_with_its_text() -> None:
    service = VoiceService()
    async with talk(service) as session:
        await until(session, betterai.SessionUpdated)
        await service.sessions[0].send_frame('{"type": "response.done", "response": 7}')
        with pytest.raises(ProviderError, match="not readable") as raised:
            await until(session, betterai.ResponseDone)
        assert raised.value.code == "unreadable_event"


async def test_a_browser_gets_a_token_and_the_key_stays() -> None:
    service = VoiceService()
    async with serve_voice(service) as url:
        config = CoreConfig(base_url=url, api_key="test-key")
        token = await betterai.realtime_token("openai/gpt-realtime-2.1", seconds=60, config=config, voice="marin")
    assert token.value == "ek_secret_1234"
    assert "ek_secret" not in repr(token)
    assert token.expires_at == 1900000000
    assert token.provider == "openai"


async def test_a_handshake_without_a_model_is_refused() -> None:
    with pytest.raises(BadRequestError):
        VoiceService().surface.accept(WireRequest(url="/v1/realtime"))


async def test_the_sync_face_has_all_of_it() -> None:
    def talk_without_async(url: str) -> tuple[str, Any]:
        config = CoreConfig(base_url=url, api_key="test-key", retries=0)
        with betterai.sync.realtime("openai/gpt-realtime-2.1", config=config, turn_detection="none") as session:
            session.send_audio(SPEECH)
            session.commit()
            events = []
            for event in session:
                events.append(event)
                if isinstance(event, betterai.ResponseDone):
                    break
            session.update(voice="cedar")
            return of(events, betterai.OutputTranscript)[-1].text, session.usage

    async with serve_voice(VoiceService()) as url:
        said, usage = await asyncio.to_thread(talk_without_async, url)
    assert said == f"You said {HEARD}"
    assert usage.total_tokens == 52


def test_the_sync_session_has_the_methods_of_the_other() -> None:
    names = {name for name in vars(RealtimeSession) if not name.startswith("_")} - {"aclose"}
    assert names <= set(dir(betterai.sync.SyncRealtimeSession))


async def test_j3_a_session_is_told_of_from_its_handshake_to_its_end_with_what_it_cost() -> None:
    told: list[Any] = []
    with betterai.observe(told.append):
        async with talk(VoiceService(), tools=[weather]) as session:
            await session.send_text("the weather?")
            await until(session, betterai.ResponseDone, times=2)
        service = VoiceService()
        async with talk(service) as session:
            await until(session, betterai.SessionUpdated)
            service.sessions[0].abort()
            with pytest.raises(StreamInterrupted):
                await until(session, betterai.ResponseDone)
        with pytest.raises(AuthenticationError):
            async with talk(VoiceService(), api_key="other-key"):
                pass
    kinds = [type(event).__name__ for event in told if not isinstance(event, betterai.TransportEvent)]
    assert kinds[:5] == ["CallStarted", "FirstContent", "ToolStarted", "ToolEnded", "CallEnded"]
    ended = of(told, betterai.CallEnded)
    assert [event.kind for event in ended] == ["answered", "failed", "failed"]
    assert [event.error for event in ended] == ["", "StreamInterrupted", "AuthenticationError"]
    assert ended[0].call.category == "realtime"
    assert (ended[0].usage.total_tokens, ended[0].cost.status) == (104, "exact")
    [ran] = of(told, betterai.ToolStarted)
    assert ran.tool.parent == ended[0].call.id


async def test_pictures_are_loaded_from_where_they_are_before_they_are_sent(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    picture = betterai.Media(kind="image", path=str(tmp_path / "a.png"))
    film = betterai.Media(kind="video", mime_type="video/mp4", data=b"ftyp")
    service = VoiceService()
    async with talk(service, history=[betterai.Message.user("before", picture)]) as session:
        await session.send_messages(betterai.Message.user("look", picture))
        await session.show(picture)
        with pytest.raises(UnsupportedParam, match="video"):
            await session.send_messages(betterai.Message.user("look", film))
        await session.respond()
        await until(session, betterai.ResponseDone)
    sent = [part.media for turn in service.sessions[0].turns for part in turn.parts if hasattr(part, "media")]
    assert [(media.mime_type, media.to_bytes()[:4]) for media in sent] == [("image/png", b"\x89PNG")] * 3


async def test_what_is_sent_while_the_connection_is_broken_goes_over_the_next_one() -> None:
    service = VoiceService()
    async with talk(service, resumption=True) as session:
        await until(session, betterai.SessionUpdated)
        service.sessions[0].abort()
        while len(service.sessions) == 1:
            await session.send_audio(SILENCE)
        await session.send_text("still there?")
        events = await until(session, betterai.ResponseDone)
    assert of(events, betterai.OutputTranscript)[-1].text == "You said still there?"
    assert [turn.text for turn in service.sessions[1].turns] == ["still there?"]


async def test_a_session_that_is_closed_elsewhere_ends_and_takes_nothing_more() -> None:
    async def read_all(session: RealtimeSession) -> list[str]:
        return [event.type async for event in session]

    async with serve_voice(VoiceService()) as url:
        config = CoreConfig(base_url=url, api_key="test-key", retries=0)
        session = await betterai.realtime("openai/gpt-realtime-2.1", config=config)
        await until(session, betterai.SessionUpdated)
        reading = asyncio.create_task(read_all(session))
        await session.aclose()
        async with asyncio.timeout(5):
            assert await reading == []
        with pytest.raises(APIConnectionError):
            await session.send_text("anybody?")
        await session.aclose()
        with pytest.raises(betterai.ValidationError, match="turn_detection"):
            await betterai.realtime("openai/gpt-realtime-2.1", config=config, turn_detection="sometimes")  # type: ignore[arg-type]
