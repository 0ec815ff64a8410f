"""The official SDK reads all that the server half of Responses says, with its strict validation on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from msgspec import Raw
from openai.types.responses import Response
from pydantic import BaseModel

from betterai.core.base import BaseTextProvider
from betterai.core.media import Media
from betterai.core.message import Citation, MediaPart, Message, Opaque, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, TokenLogprob, ToolCallDelta
from betterai.core.usage import Usage
from judges.app import serve
from judges.test_server_half import Canned

WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ENDS = {"response.completed", "response.incomplete", "response.failed"}


@asynccontextmanager
async def judge(provider: BaseTextProvider | None = None) -> AsyncIterator[openai.AsyncOpenAI]:
    async with (
        serve(provider) as (url, _),
        openai.AsyncOpenAI(
            base_url=f"{url}/v1", api_key="key", max_retries=0, _strict_response_validation=True
        ) as client,
    ):
        yield client


def asked(**local: Any) -> dict[str, Any]:
    return {"model": "echo", "input": "Hello there", "extra_body": {"local": local}}


async def collect(stream: Any) -> list[Any]:
    events = [event async for event in stream]
    check_order(events)
    return events


def check_order(events: list[Any]) -> None:
    """What the documentation says of the order: numbers count, each item opens, grows and closes, and ends the stream."""
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1].type in ENDS
    opened: dict[int, str] = {}
    closed: list[int] = []
    for event in events[2:-1]:
        if event.type == "error":
            continue
        index = event.output_index
        if event.type == "response.output_item.added":
            assert index == len(opened)
            opened[index] = event.item.id
        else:
            assert index in opened
            assert index not in closed
            if event.type == "response.output_item.done":
                closed.append(index)
                assert event.item.id == opened[index]
            else:
                assert event.item_id == opened[index]
    if events[-1].type != "response.failed":
        assert sorted(closed) == list(opened)
        assert [item.id for item in events[-1].response.output] == [opened[index] for index in sorted(opened)]


def texts(events: list[Any], type: str = "response.output_text.delta") -> str:
    return "".join(event.delta for event in events if event.type == type)


# ── text ──


async def test_text() -> None:
    async with judge() as client:
        raw = await client.responses.with_raw_response.create(**asked(text="Hello there"))
        reply = raw.parse()
    assert raw.request_id == "req-1"
    assert isinstance(reply, Response)
    assert (reply.output_text, reply.status, reply.model, reply.object) == (
        "Hello there",
        "completed",
        "echo",
        "response",
    )
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens > 0
    (message,) = reply.output
    assert (message.type, message.id.startswith("msg_")) == ("message", True)


async def test_a_text_stream() -> None:
    async with judge() as client:
        events = await collect(await client.responses.create(**asked(text="Hello there"), stream=True))
        async with client.responses.stream(**asked(text="Hello there")) as stream:
            final = await stream.get_final_response()
    assert texts(events) == "Hello there" == final.output_text
    kinds = [event.type for event in events if event.type != "response.output_text.delta"]
    assert kinds == [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
    ]  # fmt: skip
    assert events[-1].response.usage.output_tokens > 0


@pytest.mark.parametrize(
    ("word", "status", "why"),
    [
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("weird", "incomplete", None),
        ("pause", "incomplete", None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_how_it_ended(word: str, status: str, why: str | None, stream: bool) -> None:
    async with judge() as client:
        reply = await client.responses.create(**asked(finish_reason=word), stream=stream)
        response = (await collect(reply))[-1].response if stream else reply
    assert (response.status, response.incomplete_details.reason) == (status, why)


# ── thoughts and tools ──

CALLS = [{"name": "weather", "arguments": {"city": "Rome"}}, {"name": "weather", "arguments": {"city": "Oslo"}}]


async def test_thoughts_text_and_calls_all_at_once() -> None:
    ask = asked(reasoning="hm hm", text="So", tool_calls=CALLS)
    async with judge() as client:
        reply = await client.responses.create(**ask, tools=[WEATHER])
        events = await collect(await client.responses.create(**ask, tools=[WEATHER], stream=True))
    final = events[-1].response
    for response in (reply, final):
        assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
        assert response.output[0].summary[0].text == "hm hm"
        assert [json.loads(item.arguments)["city"] for item in response.output[2:]] == ["Rome", "Oslo"]
        assert response.output_text == "So"
        assert response.status == "completed"
    assert texts(events, "response.reasoning_summary_text.delta") == "hm hm"
    arguments = [event for event in events if event.type == "response.function_call_arguments.done"]
    assert [json.loads(event.arguments)["city"] for event in arguments] == ["Rome", "Oslo"]
    assert texts(events, "response.function_call_arguments.delta") == "".join(event.arguments for event in arguments)


async def test_a_custom_tool() -> None:
    tool: Any = {"type": "custom", "name": "note"}
    async with judge() as client:
        for stream in (False, True):
            reply = await client.responses.create(**asked(), tools=[tool], tool_choice="required", stream=stream)
            response = (await collect(reply))[-1].response if stream else reply
            (call,) = response.output
            assert (call.type, call.name, call.input) == ("custom_tool_call", "note", "Hello there")


class City(BaseModel):
    name: str
    people: int | None


async def test_structured_output_through_the_sdks_parser() -> None:
    async with judge() as client:
        reply = await client.responses.parse(model="echo", input="Hello", text_format=City)
        async with client.responses.stream(model="echo", input="Hello", text_format=City) as stream:
            final = await stream.get_final_response()
    assert isinstance(reply.output_parsed, City)
    assert final.output_parsed == reply.output_parsed


# ── what the embedded model does not say ──

PAGE = Citation(url="https://e.com", title="E", start=0, end=2)
SIGNED = Opaque(
    protocol="openai_responses",
    data=Raw(
        b'{"type":"reasoning","id":"rs_9","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"xyz"}'
    ),
)
SEARCH = Opaque(
    protocol="openai_responses",
    data=Raw(b'{"type":"web_search_call","id":"ws_9","status":"completed","action":{"type":"search","query":"q"}}'),
)


def canned(*parts: Any, chunks: list[TextChunk] | None = None, finish: Any = "stop", **fields: Any) -> Canned:
    text = "".join(part.text for part in parts if isinstance(part, Text))
    message = Message(role="assistant", parts=parts)
    given = chunks if chunks is not None else [TextChunk(part=part) for part in parts]
    given = [*given, TextChunk(finish_reason=finish)]
    return Canned(ProviderResponse(content=text, message=message, finish_reason=finish, **fields), given)


async def both(provider: Canned, **given: Any) -> tuple[Any, Any, list[Any]]:
    async with judge(provider) as client:
        reply = await client.responses.create(model="echo", input="Hi", **given)
        events = await collect(await client.responses.create(model="echo", input="Hi", **given, stream=True))
    return reply, events[-1].response, events


async def test_items_of_the_protocol_go_through_as_they_are() -> None:
    parts = (
        Reasoning(text="hm", opaque=SIGNED),
        ToolCall(id="ws_9", name="web_search", server=True, opaque=SEARCH),
        Text(text="Hi", citations=(PAGE,)),
    )
    whole, final, events = await both(canned(*parts))
    for response in (whole, final):
        thought, search, message = response.output
        assert (thought.id, thought.encrypted_content) == ("rs_9", "xyz")
        assert (search.id, search.action.query) == ("ws_9", "q")
        assert message.content[0].annotations[0].url == "https://e.com"
    done = [event.item for event in events if event.type == "response.output_item.done"]
    assert done[0].encrypted_content == "xyz"
    cited = [event.annotation for event in events if event.type == "response.output_text.annotation.added"]
    assert [annotation.url for annotation in cited] == ["https://e.com"]


async def test_a_search_of_another_provider_is_one_of_this_protocol() -> None:
    call = ToolCall(id="srv_1", name="web_search", arguments='{"query":"weather"}', server=True)
    for response in (await both(canned(call, Text(text="Sunny"))))[:2]:
        assert response.output[0].action.query == "weather"


async def test_refusals() -> None:
    whole, final, events = await both(canned(Refusal(text="I will not"), finish="refusal"))
    for response in (whole, final):
        assert response.output[0].content[0].refusal == "I will not"
        assert response.status == "completed"
    assert texts(events, "response.refusal.delta") == "I will not"


async def test_a_picture() -> None:
    drawn = MediaPart(media=Media(kind="image", mime_type="image/png", base64="QUJD"))
    for response in (await both(canned(drawn)))[:2]:
        assert (response.output[0].type, response.output[0].result) == ("image_generation_call", "QUJD")


async def test_log_probabilities() -> None:
    token = TokenLogprob(token="Hi", logprob=-0.5, top_logprobs=(TokenLogprob(token="Ho", logprob=-1.0),))
    chunks = [TextChunk(content="Hi", logprobs=(token,)), TextChunk(part=Text(text="Hi"))]
    for response in (await both(canned(Text(text="Hi"), chunks=chunks, logprobs=(token,))))[:2]:
        (found,) = response.output[0].content[0].logprobs
        assert (found.token, found.logprob, found.top_logprobs[0].token) == ("Hi", -0.5, "Ho")


async def test_parts_that_come_long_after_their_pieces() -> None:
    call = ToolCall(id="a", name="weather", arguments='{"city":"Rome"}')
    other = ToolCall(id="b", name="weather", arguments="{}", index=1)
    parts = (Reasoning(text="hm"), Text(text="So", citations=(PAGE,)), call, other)
    chunks = [
        TextChunk(reasoning="hm"),
        TextChunk(content="S"),
        TextChunk(content="o"),
        TextChunk(tool_call=ToolCallDelta(index=0, id="a", name="weather", arguments='{"city"')),
        TextChunk(tool_call=ToolCallDelta(index=1, id="b", name="weather", arguments="{}")),
        TextChunk(tool_call=ToolCallDelta(index=0, arguments=':"Rome"}')),
        *[TextChunk(part=part) for part in parts],
        TextChunk(usage=Usage(text_in=1, text_out=2, tier="flex")),
    ]
    whole, final, events = await both(canned(*parts, chunks=chunks, finish="tool_calls"), tools=[WEATHER])
    for response in (whole, final):
        assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
        assert [item.arguments for item in response.output[2:]] == ['{"city":"Rome"}', "{}"]
        assert response.output[1].content[0].annotations[0].title == "E"
    assert (final.usage.total_tokens, final.service_tier) == (3, "flex")
    assert texts(events) == "So"


async def test_speech_thought_and_speech_again() -> None:
    parts = (Text(text="One"), Reasoning(text="hm"), Text(text="Two"))
    chunks = [
        TextChunk(content="One"), TextChunk(part=parts[0]), TextChunk(reasoning="hm"), TextChunk(part=parts[1]),
        TextChunk(content="Two"), TextChunk(part=parts[2]),
    ]  # fmt: skip
    whole, final, _ = await both(canned(*parts, chunks=chunks))
    for response in (whole, final):
        assert [item.type for item in response.output] == ["message", "reasoning", "message"]
        assert response.output_text == "OneTwo"


async def test_a_provider_that_says_little_is_readable_too() -> None:
    whole = TextChunk(content="Hi", usage=Usage(text_in=1), response=ProviderResponse(content="Hi"))
    async with judge(Canned(ProviderResponse(content="Hi"), [whole])) as client:
        reply = await client.responses.create(model="echo", input="Hi")
        assert (reply.output_text, reply.status, reply.usage) == ("Hi", "completed", None)
        events = await collect(await client.responses.create(model="echo", input="Hi", stream=True))
    assert events[-1].response.output_text == "Hi"


async def test_the_settings_come_back() -> None:
    given: Any = {
        "instructions": "Be brief",
        "temperature": 0.5,
        "max_output_tokens": 99,
        "metadata": {"a": "b"},
        "tools": [WEATHER, {"type": "web_search"}],
        "tool_choice": {"type": "function", "name": "weather"},
        "parallel_tool_calls": False,
        "text": {"verbosity": "low", "format": {"type": "json_object"}},
        "truncation": "auto",
    }
    for reply in (await both(canned(Text(text="Hi")), **given))[:2]:
        assert (reply.temperature, reply.max_output_tokens, reply.metadata) == (0.5, 99, {"a": "b"})
        assert (reply.parallel_tool_calls, reply.truncation, reply.instructions) == (False, "auto", "Be brief")
        assert [tool.type for tool in reply.tools] == ["function", "web_search"]
        assert reply.tool_choice.name == "weather"
        assert (reply.text.verbosity, reply.text.format.type) == ("low", "json_object")


# ── errors ──


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        ("BadRequestError", 400, openai.BadRequestError, None),
        ("ContextLengthError", None, openai.BadRequestError, "context_length_exceeded"),
        ("AuthenticationError", 401, openai.AuthenticationError, "invalid_api_key"),
        ("ModelNotFoundError", 404, openai.NotFoundError, "model_not_found"),
        ("RateLimitError", 429, openai.RateLimitError, "rate_limit_exceeded"),
        ("OverloadedError", 503, openai.InternalServerError, None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_errors_are_the_sdks_own(
    error: str, status: int | None, kind: Any, code: str | None, stream: bool
) -> None:
    local: dict[str, Any] = {"error": error, "message": "on demand", **({"status": status} if status else {})}
    async with judge() as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.responses.create(**asked(**local), stream=stream)
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.request_id) == (code, "req-1")
    assert "on demand" in caught.value.message


async def test_a_request_that_is_none_is_a_bad_request() -> None:
    async with judge() as client:
        with pytest.raises(openai.BadRequestError, match="temperature"):
            await client.responses.create(**asked(), temperature="hot")  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("error", "kind"), [({}, "server_error"), ({"error": "RateLimitError", "status": 429}, "rate_limit_error")]
)
async def test_s4_an_error_in_the_middle_of_a_stream_raises(error: dict[str, Any], kind: str) -> None:
    async with judge() as client:
        ask = asked(text="Hello there", error_after=1, message="broke", **error)
        stream = await client.responses.create(**ask, stream=True)
        with pytest.raises(openai.APIError, match="broke") as caught:
            await collect(stream)
    assert caught.value.type == kind
