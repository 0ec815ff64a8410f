"""A class of one's own as a realtime provider: a bare channel, and the session around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

import betterai
from betterai.core.exceptions import ProviderError, UnsupportedParam
from betterai.core.message import MediaPart, ToolCall
from betterai.core.model import ModelConfig
from betterai.core.price import Price, Rates
from betterai.core.realtime import (
    InputTranscript,
    Interrupted,
    OutputAudio,
    RealtimeOutput,
    ResponseDone,
    ResponseStarted,
    SessionError,
    ToolCalled,
    ToolRan,
    ToolsCancelled,
    UsageStated,
)
from betterai.core.realtime_input import (
    AddMessages,
    AddToolResults,
    RealtimeInput,
    Respond,
    TruncateItem,
    UpdateSession,
)
from betterai.core.realtime_session import RealtimeSession
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.usage import Usage
from betterai.runtime.realtime.opening import wrap_channel

MODEL = ModelConfig(id="m", provider="p", category="realtime")
PIXEL = betterai.Media(kind="image", mime_type="image/png", data=b"\x89PNG")


class Channel:
    """Answers each `Respond` with what is scripted; takes no media in results of tools."""

    def __init__(self, *script: list[RealtimeOutput]) -> None:
        self.sent: list[RealtimeInput] = []
        self.closed = False
        self._script = list(script)
        self._out: asyncio.Queue[RealtimeOutput] = asyncio.Queue()

    async def send(self, event: RealtimeInput) -> None:
        results = event.results if isinstance(event, AddToolResults) else ()
        if any(isinstance(part, MediaPart) for result in results for part in result.parts):
            raise UnsupportedParam("no media", param="media")
        self.sent.append(event)
        if isinstance(event, Respond) and self._script:
            self.say(*self._script.pop(0))

    def say(self, *events: RealtimeOutput) -> None:
        for event in events:
            self._out.put_nowait(event)

    async def __aiter__(self) -> AsyncIterator[RealtimeOutput]:
        while True:
            yield await self._out.get()

    async def aclose(self) -> None:
        self.closed = True


class OwnProvider(betterai.BaseRealtimeProvider):
    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    async def connect(self, model: str, settings: RealtimeSettings) -> RealtimeSession:
        return wrap_channel(self.channel, settings, MODEL)


def call(name: str, id: str = "c1") -> list[RealtimeOutput]:
    called = ToolCalled(call=ToolCall(id=id, name=name, arguments="{}"), response_id="r1")
    return [ResponseStarted(response_id="r1"), called, ResponseDone(response_id="r1", finish_reason="tool_calls")]


async def read(session: RealtimeSession, kind: type[Any]) -> Any:
    async with asyncio.timeout(5):
        async for event in session:
            if isinstance(event, kind):
                return event
    raise AssertionError("the session ended")


async def test_a_provider_object_stands_in_the_place_of_a_name_and_tools_may_give_pictures() -> None:
    @betterai.tool
    def look() -> betterai.Media:
        """A picture."""
        return PIXEL

    channel = Channel(call("look"), [ResponseStarted(response_id="r2"), ResponseDone(response_id="r2")])
    async with betterai.realtime(OwnProvider(channel), tools=[look]) as session:
        await session.respond()
        await read(session, ToolRan)
        assert (await read(session, ResponseDone)).finish_reason == "stop"
    assert channel.closed
    _, picture, result, again = channel.sent
    assert isinstance(picture, AddMessages)
    assert picture.messages[0].parts[-1] == MediaPart(media=PIXEL)
    assert isinstance(result, AddToolResults)
    assert isinstance(again, Respond)


async def test_a_tool_whose_result_is_not_wanted_any_more_is_stopped() -> None:
    stopped = asyncio.Event()

    @betterai.tool
    async def wait() -> str:
        """Waits."""
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return ""

    channel = Channel(call("wait"))
    async with betterai.realtime(OwnProvider(channel), tools=[wait]) as session:
        await session.respond()
        await read(session, ResponseDone)
        channel.say(ToolsCancelled(ids=("c1",)))
        await read(session, ToolsCancelled)
        async with asyncio.timeout(5):
            await stopped.wait()
    assert not any(isinstance(event, AddToolResults) for event in channel.sent)


async def test_where_the_provider_goes_on_by_itself_no_answer_is_asked_for_after_tools() -> None:
    @betterai.tool
    def add(a: int = 1) -> int:
        """Adds."""
        return a + 1

    channel = Channel(call("add"))
    session = wrap_channel(channel, RealtimeSettings(tools=[add]), MODEL, answers_tools=True)
    async with session:
        await session.respond()
        await read(session, ToolRan)
        channel.say(ResponseDone(response_id="r1"))
        await read(session, ResponseDone)
    assert [type(event) for event in channel.sent] == [Respond, AddToolResults]
    assert channel.sent[-1].respond  # type: ignore[union-attr]


async def test_c1_each_part_is_billed_as_the_model_whose_it_is_and_what_has_no_price_makes_it_unknown() -> None:
    from decimal import Decimal

    def find(name: str) -> ModelConfig:
        price = Price(rates=Rates(units={"second": Decimal("0.5")})) if name == "ears" else None
        return ModelConfig(id=name, provider="p", price=price)

    priced = ModelConfig(
        id="m", provider="p", price=Price(rates=Rates(tokens={"text_in": Decimal(1), "text_out": Decimal(2)}))
    )
    channel = Channel()
    session = wrap_channel(channel, RealtimeSettings(), priced, find=find)
    async with session:
        channel.say(
            ResponseDone(usage=Usage(text_in=1_000_000, text_out=500_000)),
            InputTranscript(final=True, text="Hi", usage=Usage(units={"second": 4.0}), model="ears"),
        )
        await read(session, InputTranscript)
        assert session.cost is not None
        assert (session.cost.amount, session.cost.status) == (Decimal("4.0"), "exact")
        channel.say(UsageStated(usage=Usage(units={"character": 9.0}), model="mouth"), OutputAudio(audio=b"ab"))
        await read(session, OutputAudio)
        assert session.cost.status == "unknown"
        assert session.usage is not None
        assert session.usage.units == {"second": 4.0, "character": 9.0}


async def test_what_a_channel_raises_is_raised_behind_what_it_said() -> None:
    class Broken(Channel):
        async def __aiter__(self) -> AsyncIterator[RealtimeOutput]:
            yield OutputAudio(audio=b"ab")
            raise ProviderError("it broke")

    said: list[RealtimeOutput] = []
    caught = ""
    async with wrap_channel(Broken(), RealtimeSettings(), MODEL) as session:
        try:
            async for event in session:
                said.append(event)  # noqa: PERF401 - what came before the error is kept
        except ProviderError as error:
            caught = error.message
    assert (len(said), caught) == (1, "it broke")


def test_events_have_a_json_form_for_logs_without_keys() -> None:
    settings = RealtimeSettings(voice="v", extra_headers={"X-Key": "canary"}, tools=[betterai.Tool(name="f")])
    update = UpdateSession(settings=settings).to_json()
    assert b"canary" not in update
    assert msgspec.json.decode(update)["settings"]["voice"] == "v"
    failed = SessionError(error=ProviderError("it broke", code="c"), about="e1").to_json()
    assert msgspec.json.decode(failed) == {
        "type": "session_error", "about": "e1", "error": {"type": "ProviderError", "message": "it broke", "code": "c"},
    }  # fmt: skip
    assert msgspec.json.decode(OutputAudio(audio=b"ab", item_id="i").to_json()) == {
        "type": "output_audio", "audio": "YWI=", "item_id": "i",
    }  # fmt: skip


async def test_an_interruption_that_the_provider_tells_of_is_told_once_and_throws_sound_away() -> None:
    channel = Channel(
        [ResponseStarted(response_id="r1"), OutputAudio(audio=bytes(4800), response_id="r1", item_id="i1")]
    )
    async with wrap_channel(channel, RealtimeSettings(), MODEL) as session:
        await session.respond()
        await read(session, OutputAudio)
        session.played(30)
        late = OutputAudio(audio=bytes(48), response_id="r1", item_id="i1")
        channel.say(Interrupted(response_id="r1"), late, Interrupted(response_id="r1"))
        channel.say(ResponseDone(response_id="r1", finish_reason="interrupted"))
        events = []
        async with asyncio.timeout(5):
            async for event in session:
                events.append(event)
                if isinstance(event, ResponseDone):
                    break
    assert [event.type for event in events] == ["interrupted", "response_done"]
    assert events[0] == Interrupted(response_id="r1", item_id="i1", heard_ms=30)
    assert not any(isinstance(event, TruncateItem) for event in channel.sent)
