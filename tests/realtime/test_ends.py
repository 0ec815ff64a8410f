"""How sessions end: whoever ends them and wherever they are, nothing hangs and nothing is left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import pytest

import betterai
from betterai import CoreConfig
from betterai.core.exceptions import APIConnectionError, BetterAIError, ProviderError, StreamInterrupted
from betterai.core.message import ToolCall
from betterai.core.realtime import OutputAudio, ResponseDone, ResponseStarted, SessionError, ToolCalled
from betterai.core.realtime_input import CancelResponse
from betterai.core.realtime_settings import RealtimeSettings
from betterai.runtime.realtime import inbox
from betterai.runtime.realtime.opening import wrap_channel
from doubles.voices import VoiceService, VoiceSession, serve_voice
from realtime.test_channels import MODEL, Channel


def connect(url: str, **options: Any) -> Any:
    config = CoreConfig(base_url=url, api_key="test-key", retries=0)
    return betterai.realtime("openai/gpt-realtime-2.1", config=config, **options)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.002)


def is_gone(session: VoiceSession) -> bool:
    """Whether the connection is closed, as the service sees it."""
    request = session.socket._req
    return session.socket.closed or request is None or request.transport is None or request.transport.is_closing()


def ours() -> list[str]:
    """The tasks of the library that run now."""
    names = [str(task.get_coro()) for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    return [name for name in names if "Session" in name and "VoiceSession" not in name]


async def read_to(session: betterai.RealtimeSession, kind: type[Any]) -> Any:
    async with asyncio.timeout(5):
        async for event in session:
            if isinstance(event, kind):
                return event
    raise AssertionError("the session ended")


async def test_s3_cancelled_anywhere_nothing_is_left() -> None:
    """Opened, spoken to, read and closed, and cancelled after so many steps of the loop."""
    service = VoiceService()

    async def talk(url: str) -> None:
        async with connect(url, history=[betterai.Message.user("hello")]) as session:
            await session.send_text("one two three")
            await read_to(session, betterai.ResponseDone)
            await session.send_audio(b"\x01\x01" * 100)

    async with serve_voice(service) as url:
        await talk(url)
        for steps in range(0, 90, 3):
            talking = asyncio.create_task(talk(url))
            for _ in range(steps):
                await asyncio.sleep(0)
            talking.cancel()
            with suppress(asyncio.CancelledError):
                await talking
            assert not ours()
        await until(lambda: all(map(is_gone, service.sessions)))


async def test_the_provider_hears_goodbye() -> None:
    service = VoiceService()
    async with serve_voice(service) as url:
        async with connect(url) as session:
            await read_to(session, betterai.SessionUpdated)
        await until(lambda: service.sessions[0].socket.closed)
        assert service.sessions[0].socket.close_code == 1000


async def test_what_was_cut_off_or_closed_takes_its_connection_with_it() -> None:
    """A session that goes on elsewhere leaves neither the old connection nor its pings behind."""
    service = VoiceService()
    async with serve_voice(service) as url, connect(url, resumption=True) as session:
        await read_to(session, betterai.SessionUpdated)
        over = ProviderError("over", code="session_expired", provider_message="over")
        await service.sessions[0].say(SessionError(error=over))
        await read_to(session, betterai.Reconnected)
        await until(lambda: is_gone(service.sessions[0]))
        service.sessions[1].abort()
        await read_to(session, betterai.Reconnected)
        scheduled: Any = asyncio.get_running_loop()
        timers = [timer for timer in scheduled._scheduled if "Pulse" in repr(timer) and not timer.cancelled()]
        assert len(timers) == 1


async def test_a_wait_that_is_given_up_is_no_end_of_the_session() -> None:
    service = VoiceService()
    async with serve_voice(service) as url, connect(url) as session:
        events = aiter(session)
        await read_to(session, betterai.SessionUpdated)
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(events), 0.01)
        await session.send_text("hello")
        both = [asyncio.create_task(read_to(session, betterai.ResponseDone)) for _ in range(2)]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        await session.aclose()
        await asyncio.gather(*both, return_exceptions=True)
        assert any(not task.exception() for task in both)


async def test_a_session_that_is_over_says_so_each_time_and_takes_nothing() -> None:
    service = VoiceService()
    async with serve_voice(service) as url:
        for options in ({}, {"resumption": True}):
            session = await connect(url, **options)
            await asyncio.gather(session.aclose(), session.aclose())
            await session.aclose()
            calls: list[Awaitable[None]] = [
                session.send_audio(b"\0\0"), session.send_text("x"), session.respond(), session.commit(),
                session.update(voice="x"),
            ]  # fmt: skip
            for call in calls:
                with pytest.raises(APIConnectionError):
                    async with asyncio.timeout(2):
                        await call
            await session.interrupt()
            async with asyncio.timeout(2):
                assert not [event async for event in session if not isinstance(event, betterai.SessionOpened)]
        session = await connect(url)
        await read_to(session, betterai.SessionUpdated)
        service.sessions[-1].abort()
        for _ in range(2):
            with pytest.raises(StreamInterrupted):
                await read_to(session, betterai.ResponseDone)
        await session.aclose()


async def test_a_tool_may_close_its_session_and_closing_stops_a_tool() -> None:
    service, opened, stopped = VoiceService(), list[Any](), list[str]()

    @betterai.tool
    async def weather(city: str) -> str:
        """The weather."""
        await opened[-1].aclose()
        return "gone"

    @betterai.tool(name="weather")
    async def slow_weather(city: str) -> str:
        """The weather."""
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(city)
        return ""

    async with serve_voice(service) as url:
        for tool in (weather, slow_weather):
            opened.append(await connect(url, tools=[tool]))
            await opened[-1].send_text("the weather?")
            await read_to(opened[-1], ToolCalled)
            if tool is slow_weather:
                await asyncio.sleep(0)
                await opened[-1].aclose()
            async with asyncio.timeout(2):
                assert not [event async for event in opened[-1] if isinstance(event, SessionError)]
            await until(lambda: not ours())
        await until(lambda: all(map(is_gone, service.sessions)))
    assert stopped == ["London"]


async def test_sound_that_waited_for_room_is_not_given_out_behind_an_interruption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox.Inbox.__init__, "__defaults__", (1000,))
    piece = OutputAudio(response_id="r1", item_id="i1", audio=bytes(4800))
    channel = Channel([ResponseStarted(response_id="r1"), *[piece] * 4, ResponseDone(response_id="r1")])
    session = wrap_channel(channel, RealtimeSettings(), MODEL)
    await session.send_text("x")
    await until(session._inbox.holds_sound)
    await session.interrupt()
    events = []
    async with asyncio.timeout(5):
        async for event in session:
            events.append(event)
            if isinstance(event, ResponseDone):
                break
    assert not [event for event in events if isinstance(event, OutputAudio)]
    await session.aclose()


async def test_an_answer_that_is_not_wanted_any_more_before_it_begins_is_stopped_when_it_does() -> None:
    channel = Channel()
    session = wrap_channel(channel, RealtimeSettings(), MODEL)
    await session.send_text("x")
    await session.interrupt()
    sound = OutputAudio(response_id="r1", audio=bytes(480))
    channel.say(ResponseStarted(response_id="r1"), sound, ResponseDone(response_id="r1", finish_reason="interrupted"))
    await read_to(session, ResponseDone)
    await until(lambda: CancelResponse(response_id="r1") in channel.sent)
    assert not session._inbox.holds_sound()
    await session.send_text("y")
    channel.say(ResponseStarted(response_id="r2"), OutputAudio(response_id="r2", audio=bytes(480)))
    assert (await read_to(session, OutputAudio)).response_id == "r2"
    assert sum(isinstance(event, CancelResponse) for event in channel.sent) == 1
    await session.aclose()


async def test_results_stand_behind_their_calls_in_the_history_of_the_next_connection() -> None:
    """A tool may be done before the answer that calls it is; one that was not finished leaves no call behind."""

    @betterai.tool
    def quick() -> str:
        """Quick."""
        return "done"

    service = VoiceService()
    async with serve_voice(service) as url, connect(url, tools=[quick], resumption=True) as session:
        await read_to(session, betterai.SessionUpdated)
        first = service.sessions[0]
        calls = ToolCall(id="c1", name="quick", arguments="{}"), ToolCall(id="c2", name="elsewhere", arguments="{}")
        await first.say(ResponseStarted(response_id="r1"), *(ToolCalled(call=call) for call in calls))
        await read_to(session, betterai.ToolRan)
        await first.say(ResponseDone(response_id="r1", finish_reason="tool_calls"))
        await read_to(session, ResponseDone)
        first.abort()
        await read_to(session, betterai.Reconnected)
        await until(lambda: len(service.sessions[1].turns) == 2)
    [call], [result] = (turn.parts for turn in service.sessions[1].turns)
    assert (call.id, result.id, result.text) == ("c1", "c1", "done")


def test_threads_share_a_session_and_its_end_is_raised_in_each() -> None:
    service, ready, over = VoiceService(), threading.Event(), threading.Event()
    address: list[str] = []

    async def serve() -> None:
        async with serve_voice(service) as url:
            address.append(url)
            ready.set()
            while not over.is_set():  # noqa: ASYNC110 - another thread says so
                await asyncio.sleep(0.01)

    serving = threading.Thread(target=asyncio.run, args=(serve(),))
    serving.start()
    assert ready.wait(5)
    config = CoreConfig(base_url=address[0], api_key="test-key", retries=0)
    ends: list[str] = []
    try:
        with betterai.sync.realtime("openai/gpt-realtime-2.1", config=config) as session:

            def read() -> None:
                try:
                    for _ in session:
                        pass
                    ends.append("end")
                except BetterAIError as error:
                    ends.append(type(error).__name__)

            readers = [threading.Thread(target=read) for _ in range(3)]
            for reader in readers:
                reader.start()
            for _ in range(3):
                session.send_text("hello")
            began = monotonic()
            while not service.sessions or not service.sessions[0].answering:
                assert monotonic() - began < 5
            service.sessions[0].abort()
            for reader in readers:
                reader.join(5)
            with pytest.raises(StreamInterrupted):
                next(session)
    finally:
        over.set()
        serving.join(5)
    assert ends == ["StreamInterrupted"] * 3
