"""Answers that take more than one request, over a made-up protocol that pauses: whole and streamed, on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
import pytest
from aiohttp import web
from msgspec import Raw

from betterai.core.codec import TextCall, continue_turn
from betterai.core.config import CoreConfig, Retries
from betterai.core.exceptions import OverloadedError, ProviderError, StreamInterrupted, ValidationError
from betterai.core.message import AnyPart, Message, Opaque, Text, ToolCall
from betterai.core.model import ModelConfig
from betterai.core.price import Price, Rates, Tier
from betterai.core.provider import NoAuth, Provider
from betterai.core.response import CallWarning, ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireRequest, WireResponse
from betterai.runtime.text import CodecTextProvider
from shapes.server import serve

Reply = Mapping[str, Any]
"""`{"parts": ["text" or {"call": name}], "finish": word, "usage": [in, out], "token": …}`"""


def read_part(written: Any, index: int) -> AnyPart:
    if isinstance(written, str):
        return Text(text=written)
    return ToolCall(id=f"id-{written['call']}", name=written["call"], arguments="{}", index=index)


def read_parts(reply: Reply) -> tuple[AnyPart, ...]:
    parts: list[AnyPart] = []
    calls = 0
    for written in reply["parts"]:
        parts.append(read_part(written, calls))
        calls += isinstance(written, dict)
    return tuple(parts)


def read_usage(reply: Reply) -> Usage | None:
    counts = reply.get("usage")
    return None if counts is None else Usage(text_in=counts[0], text_out=counts[1])


def read_opaque(reply: Reply) -> Opaque | None:
    fields = {name: reply[name] for name in ("token", "container") if name in reply}
    return Opaque(protocol="pausing", data=Raw(json.dumps(fields).encode())) if fields else None


class PausingState:
    """One NDJSON line a field of the reply; usage comes before the finish reason where the test says so."""

    def __init__(self) -> None:
        self.done = self.ending = False
        self.parts: list[AnyPart] = []
        self.calls = 0

    def parse_event(self, event: Event) -> list[TextChunk]:
        line = msgspec.json.decode(event.data)
        if "part" in line:
            part = read_part(line["part"], self.calls)
            if isinstance(part, ToolCall):
                self.calls += 1
                delta = ToolCallDelta(index=part.index, id=part.id, name=part.name)
                return [TextChunk(tool_call=delta), TextChunk(part=part)]
            assert isinstance(part, Text)
            return [TextChunk(content=part.text), TextChunk(part=part)]
        if "usage" in line:
            return [TextChunk(usage=read_usage(line))]
        self.done = True
        word = line["finish"]
        return [TextChunk(finish_reason=word, raw_finish_reason=f"{word}_raw", opaque=read_opaque(line), model="p-1")]

    def finish(self) -> list[TextChunk]:
        if not self.done:
            raise StreamInterrupted("no finish")
        return []


class PausingCodec:
    """Sends the texts of all messages and the last token; goes on by history, or by the token where there is one."""

    protocol = "pausing"
    accepts: ClassVar[dict[str, frozenset[str]]] = {}

    def answers(self, path: str) -> bool:
        return path == "/ask"

    def build_request(self, call: TextCall) -> WireRequest:
        said = [[message.role, message.text, len(message.tool_calls)] for message in call.input]
        warnings = [CallWarning(code="dropped", field="seed", message="no seed")]
        if len(call.input) > 1:
            warnings.append(CallWarning(code="translated", field="messages", message="an unfinished turn"))
        return WireRequest(
            url="/ask", body={"said": said}, reply="ndjson" if call.stream else "json", warnings=tuple(warnings)
        )

    def parse_response(self, call: TextCall, reply: WireResponse) -> ProviderResponse | WireRequest:
        body = msgspec.json.decode(reply.content)
        if body == "later":
            return WireRequest(url="/later", body={}, reply="ndjson" if call.stream else "json")
        message = Message(role="assistant", parts=read_parts(body), opaque=read_opaque(body))
        return ProviderResponse(
            content=message.text,
            message=message,
            usage=read_usage(body),
            finish_reason=body["finish"],
            raw_finish_reason=f"{body['finish']}_raw",
            model="p-1",
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return OverloadedError("busy", status=reply.status, provider_message="no time")

    def open_stream(self, call: TextCall) -> PausingState:
        return PausingState()

    def continue_request(self, call: TextCall, response: ProviderResponse) -> TextCall | WireRequest | None:
        assert response.message is not None
        opaque = response.message.opaque
        if opaque is None or "token" not in opaque.value:
            return continue_turn(call, response)
        if opaque.value["token"] == "spent":
            return None
        again = self.build_request(call)
        return msgspec.structs.replace(again, body={**again.body, "token": opaque.value["token"]})  # type: ignore[dict-item]


class PlainCodec(PausingCodec):
    """Knows no way to go on."""

    continue_request = None  # type: ignore[assignment]


class Service:
    """Answers with its script, request by request; a number is an error's status, "cut" tears a stream."""

    def __init__(self, *script: Reply | int | str, usage_first: bool = False, whole: bool = False) -> None:
        self.script = script
        self.usage_first = usage_first
        self.whole = whole
        self.bodies: list[Any] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        reply = self.script[min(len(self.bodies), len(self.script)) - 1]
        if isinstance(reply, int):
            return web.Response(status=reply)
        if self.whole or isinstance(reply, str):
            return web.json_response(reply)
        lines: list[Any] = [{"part": part} for part in reply["parts"]]
        if "finish" in reply:
            ending = [{key: value for key, value in reply.items() if key not in ("parts", "usage")}]
            usage = [{"usage": reply["usage"]}] if "usage" in reply else []
            lines += usage + ending if self.usage_first else ending
        text = "".join(json.dumps(line) + "\n" for line in lines)
        return web.Response(text=text, content_type="application/x-ndjson")


PRICE = Price(
    rates=Rates(tokens={"text_in": Decimal(1), "text_out": Decimal(2)}),
    tiers=(Tier(above=100, rates=Rates(tokens={"text_in": Decimal(10)})),),
)


def make_provider(url: str, codec: type[PausingCodec] = PausingCodec, **config: Any) -> CodecTextProvider:
    model = ModelConfig(id="p", provider="fake", price=PRICE)
    config = {"retries": Retries(attempts=2, base=0.001), **config}
    provider = Provider(name="fake", base_url=url, auth=NoAuth())
    return CodecTextProvider(provider, codec(), CoreConfig(base_url=url, **config), model)


Ask = Callable[..., Any]


async def ask_whole(service: Service, codec: type[PausingCodec] = PausingCodec, **config: Any) -> ProviderResponse:
    service.whole = True
    async with serve(service) as url:
        return await make_provider(url, codec, **config).generate("go", "p", GenerationSettings())


async def ask_stream(service: Service, codec: type[PausingCodec] = PausingCodec, **config: Any) -> ProviderResponse:
    chunks = await read_chunks(service, codec, **config)
    assert chunks[-1].response is not None
    assert [chunk.response for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    return chunks[-1].response


async def read_chunks(service: Service, codec: type[PausingCodec] = PausingCodec, **config: Any) -> list[TextChunk]:
    async with serve(service) as url:
        provider = make_provider(url, codec, **config)
        return [chunk async for chunk in provider.generate_stream("go", "p", GenerationSettings())]


BOTH = pytest.mark.parametrize("ask", [ask_whole, ask_stream])
PAUSED: Reply = {"parts": ["one ", {"call": "a"}, {"call": "b"}], "finish": "pause", "usage": [60, 5], "container": 1}
PAUSED_AGAIN: Reply = {"parts": [{"call": "c"}, "two "], "finish": "pause", "usage": [70, 6]}
ENDED: Reply = {"parts": ["three", {"call": "d"}], "finish": "stop", "usage": [80, 7], "container": 2}


@BOTH
@pytest.mark.parametrize("usage_first", [False, True])
async def test_pauses_are_joined(ask: Ask, usage_first: bool) -> None:
    service = Service(PAUSED, PAUSED_AGAIN, ENDED, usage_first=True)
    response = await ask(service)
    assert response.content == "one two three"
    assert [part.index for part in response.tool_calls] == [0, 1, 2, 3]
    assert [part.name for part in response.tool_calls] == ["a", "b", "c", "d"]
    assert (response.finish_reason, response.raw_finish_reason) == ("stop", "stop_raw")
    assert response.usage == Usage(text_in=210, text_out=18)
    assert response.tokens_used == 228
    assert response.message.opaque.value == {"container": 2}
    assert [attempt.status for attempt in response.timing.attempts] == [200, 200, 200]
    assert [warning.field for warning in response.warnings] == ["seed", "messages"]


@BOTH
async def test_what_was_said_goes_back_as_one_turn(ask: Ask) -> None:
    service = Service(PAUSED, PAUSED_AGAIN, ENDED, usage_first=True)
    await ask(service)
    user = ["user", "go", 0]
    assert [body["said"] for body in service.bodies] == [
        [user],
        [user, ["assistant", "one ", 2]],
        [user, ["assistant", "one two ", 3]],
    ]


@BOTH
async def test_each_request_is_priced_by_itself(ask: Ask) -> None:
    """Together they would reach the rates of long inputs, which none of them did."""
    response = await ask(Service(PAUSED, PAUSED_AGAIN, ENDED, usage_first=True))
    assert response.cost.status == "exact"
    assert response.cost.amount == Decimal(210 + 2 * 18) / 1_000_000


@BOTH
async def test_a_token_goes_with_the_same_request(ask: Ask) -> None:
    service = Service({"parts": ["Hel"], "finish": "pause", "token": "t1"}, {"parts": ["lo"], "finish": "stop"})
    response = await ask(service)
    assert response.content == "Hello"
    assert service.bodies[1] == {**service.bodies[0], "token": "t1"}


@BOTH
@pytest.mark.parametrize("case", ["switched off", "no method", "the codec says no", "too many"])
async def test_what_is_not_gone_on_with_stays_a_pause(ask: Ask, case: str) -> None:
    paused = {**PAUSED, "token": "spent"} if case == "the codec says no" else PAUSED
    most = {"switched off": 1, "too many": 3}.get(case, 16)
    service = Service(paused, usage_first=True)
    response = await ask(service, PlainCodec if case == "no method" else PausingCodec, hops=most)
    assert (response.finish_reason, response.raw_finish_reason) == ("pause", "pause_raw")
    made = most if case == "too many" else 1
    assert len(service.bodies) == made
    assert response.usage == Usage(text_in=60 * made, text_out=5 * made)
    assert response.content == "one " * made


async def test_streams_show_neither_pauses_nor_usages_between() -> None:
    for usage_first in (True, False):
        chunks = await read_chunks(Service(PAUSED, PAUSED_AGAIN, ENDED, usage_first=usage_first))
        assert [chunk.content for chunk in chunks if chunk.content] == ["one ", "two ", "three"]
        assert [chunk.tool_call.index for chunk in chunks if chunk.tool_call] == [0, 1, 2, 3]
        assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]
        assert [chunk.usage for chunk in chunks if chunk.usage] == ([Usage(text_in=210, text_out=18)] * usage_first)
        parts = tuple(chunk.part for chunk in chunks if chunk.part is not None)
        assert chunks[-1].response is not None
        assert chunks[-1].response.message is not None
        assert parts == chunks[-1].response.message.parts


async def test_a_pause_that_is_not_gone_on_with_is_shown() -> None:
    chunks = await read_chunks(Service(PAUSED, usage_first=True), hops=1)
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["pause"]
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(text_in=60, text_out=5)]


async def test_a_stream_may_go_on_as_a_whole_reply() -> None:
    service = Service(PAUSED, "later", ENDED, usage_first=True)
    chunks = await read_chunks(service)
    assert chunks[-1].response is not None
    assert chunks[-1].response.content == "one three"
    assert [chunk.tool_call.index for chunk in chunks if chunk.tool_call] == [0, 1, 2]


@BOTH
async def test_failures_of_later_requests_are_tried_again(ask: Ask) -> None:
    response = await ask(Service(PAUSED, 503, ENDED, usage_first=True))
    assert response.content == "one three"
    assert [attempt.status for attempt in response.timing.attempts] == [200, 503, 200]


@BOTH
async def test_all_requests_share_one_budget_of_tries(ask: Ask) -> None:
    with pytest.raises(StreamInterrupted) as caught:
        await ask(Service(PAUSED, 503, PAUSED_AGAIN, 503, usage_first=True))
    error = caught.value
    assert [attempt.status for attempt in error.attempts] == [200, 503, 200, 503]
    assert isinstance(error.__cause__, OverloadedError)
    assert (error.status, error.provider, error.model, error.provider_message) == (503, "fake", "p", "no time")
    assert error.retryable
    assert error.partial is not None
    assert error.partial.content == "one two "
    assert error.partial.finish_reason is None
    assert error.partial.usage == Usage(text_in=130, text_out=11)
    assert error.partial.cost is not None


async def test_a_later_stream_that_breaks_off_is_not_begun_again() -> None:
    service = Service(PAUSED, {"parts": ["cut"]}, usage_first=True)
    with pytest.raises(StreamInterrupted) as caught:
        await read_chunks(service)
    assert len(service.bodies) == 2
    assert caught.value.partial is not None
    assert caught.value.partial.content == "one cut"


@BOTH
async def test_replies_without_an_answer_are_not_asked_after_for_ever(ask: Ask) -> None:
    service = Service("later")
    with pytest.raises(ProviderError, match="not complete after 4 requests"):
        await ask(service, hops=4)
    assert len(service.bodies) == 4


@pytest.mark.parametrize("streams", [False, True])
async def test_output_is_parsed_when_all_of_it_is_there(streams: bool) -> None:
    service = Service({"parts": ['{"a": [1,'], "finish": "pause"}, {"parts": [" 2]}"], "finish": "stop"})
    service.whole = not streams
    settings = GenerationSettings(response_format=dict[str, list[int]])
    async with serve(service) as url:
        provider = make_provider(url)
        if streams:
            *_, last = [chunk async for chunk in provider.generate_stream("go", "p", settings)]
            response = last.response
        else:
            response = await provider.generate("go", "p", settings)
    assert response is not None
    assert response.parsed == {"a": [1, 2]}


def test_a_begun_turn_is_gone_on_with() -> None:
    call: Any = make_call(Message.user("go"), Message.assistant("So"))
    following = continue_turn(call, ProviderResponse(content=" it", message=Message.assistant(" it")))
    assert [(message.role, message.text) for message in following.input] == [("user", "go"), ("assistant", "So it")]


def make_call(*messages: Message) -> TextCall:
    from betterai.core.wire import Call

    return Call(model=ModelConfig(id="p", provider="fake"), input=messages, settings=GenerationSettings())


def test_no_hops_at_all_are_no_setting() -> None:
    with pytest.raises(ValidationError, match="hops=0"):
        CoreConfig(hops=0)
