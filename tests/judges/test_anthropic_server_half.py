"""The official SDK reads all that our server half of Messages says, with its strict validation on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import pytest
from anthropic.types import Message as SDKMessage
from msgspec import Raw
from pydantic import BaseModel

from betterai.core.base import BaseTextProvider
from betterai.core.media import Media
from betterai.core.message import (
    AnyPart,
    Citation,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.response import ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.usage import Usage
from betterai.wire.anthropic_messages.shapes import PROTOCOL
from judges.app import serve

HELLO: Any = [{"role": "user", "content": "Hello there"}]
WEATHER: Any = {
    "name": "weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@asynccontextmanager
async def judge(provider: BaseTextProvider | None = None) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with (
        serve(provider) as (url, _),
        anthropic.AsyncAnthropic(
            base_url=url, api_key="key", max_retries=0, _strict_response_validation=True
        ) as client,
    ):
        yield client


def scripted(**local: Any) -> dict[str, Any]:
    return {"model": "echo", "max_tokens": 99, "messages": HELLO, "extra_body": {"local": local}}


async def ask(stream: bool, client: anthropic.AsyncAnthropic, **asked: Any) -> SDKMessage:
    """The message, whole or as the SDK puts a stream together."""
    if not stream:
        return await client.messages.create(**asked)
    async with client.messages.stream(**asked) as events:
        return await events.get_final_message()


STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@STREAM
async def test_text(stream: bool) -> None:
    async with judge() as client:
        reply = await ask(stream, client, **scripted())
    assert (reply.type, reply.role, reply.model, reply.stop_reason) == ("message", "assistant", "echo", "end_turn")
    assert [(block.type, block.text) for block in reply.content if block.type == "text"] == [("text", "Hello there")]
    assert reply.usage.input_tokens > 0
    assert reply.usage.output_tokens > 0
    assert reply.id


async def test_the_events_of_a_stream_are_those_of_the_protocol() -> None:
    async with judge() as client:
        raw = await client.messages.create(**scripted(text="a b"), stream=True)
        events = [event async for event in raw]
    kinds = [event.type for event in events]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}


@STREAM
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("length", "max_tokens"), ("content_filter", "refusal"), ("refusal", "refusal"), ("pause", "pause_turn"),
        ("error", "max_tokens"), ("other", "max_tokens"),
    ],
)  # fmt: skip
async def test_finish_reasons(word: str, said: str, stream: bool) -> None:
    async with judge() as client:
        reply = await ask(stream, client, **scripted(finish_reason=word))
    assert reply.stop_reason == said


@STREAM
async def test_usage_in_every_detail(stream: bool) -> None:
    counts = {
        "text_in": 3, "audio_in": 2, "cached": {"text": 4}, "cache_write": {"5m": 1, "1h": 6}, "text_out": 5, "reasoning": 6,
        "units": {"search": 2},
    }  # fmt: skip
    async with judge() as client:
        usage = (await ask(stream, client, **scripted(usage=counts))).usage
    assert (usage.input_tokens, usage.output_tokens) == (5, 11)
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (4, 7)
    assert usage.output_tokens_details is not None
    assert usage.output_tokens_details.thinking_tokens == 6
    assert usage.server_tool_use is not None
    assert usage.server_tool_use.web_search_requests == 2


CALLS = [
    {"name": "weather", "arguments": {"city": "Zürich", "quote": 'a "b" \\ 😀'}},
    {"name": "weather", "arguments": {"city": "漢"}},
    {"name": "clock", "arguments": {}},
]


@STREAM
@pytest.mark.parametrize("size", [1, 7])
async def test_parallel_tool_calls(stream: bool, size: int) -> None:
    async with judge() as client:
        reply = await ask(stream, client, **scripted(tool_calls=CALLS, chunk_size=size, text="So: "), tools=[WEATHER])
    assert [block.text for block in reply.content if block.type == "text"] == ["So: "]
    calls = [block for block in reply.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [(call["name"], call["arguments"]) for call in CALLS]
    assert len({call.id for call in calls}) == 3
    assert reply.stop_reason == "tool_use"


async def test_a_turn_with_tools_there_and_back() -> None:
    messages: Any = [{"role": "user", "content": 'call weather {"city": "Rome"}'}]
    async with judge() as client:
        asked = await client.messages.create(model="echo", max_tokens=99, messages=messages, tools=[WEATHER])
        (call,) = [block for block in asked.content if block.type == "tool_use"]
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
        turns = [*messages, {"role": "assistant", "content": asked.content}, {"role": "user", "content": [result]}]
        answer = await client.messages.create(model="echo", max_tokens=99, messages=turns, tools=[WEATHER])
    assert [block.text for block in answer.content if block.type == "text"] == ["weather returned: sunny"]


@STREAM
async def test_thoughts(stream: bool) -> None:
    async with judge() as client:
        reply = await ask(stream, client, **scripted(reasoning="Hm.", text="Yes"))
    assert [(block.type, getattr(block, "thinking", "")) for block in reply.content] == [
        ("thinking", "Hm."),
        ("text", ""),
    ]


def own(data: bytes) -> Opaque:
    return Opaque(protocol=PROTOCOL, provider="p", model="m", data=Raw(data))


SEARCH = b'{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}}'
FOUND = (
    b'{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result",'
    b'"url":"https://h/","title":"H","encrypted_content":"e","page_age":null}]}'
)
LOCATION = (
    b'{"type":"web_search_result_location","url":"https://h/","title":"H","cited_text":"c","encrypted_index":"i"}'
)
PARTS: tuple[AnyPart, ...] = (
    Reasoning(text="Hm.", opaque=own(b'{"signature":"sig"}')),
    Reasoning(opaque=own(b'{"type":"redacted_thinking","data":"blob"}')),
    ToolCall(id="srvtoolu_1", name="web_search", arguments='{"query":"x"}', server=True, opaque=own(SEARCH)),
    ToolResult(id="srvtoolu_1", opaque=own(FOUND)),
    Text(text="Cited.", citations=(Citation(url="https://h/", opaque=own(LOCATION)),)),
    Text(text="Elsewhere.", citations=(Citation(url="https://o/", title="O", start=0, end=3),)),
    MediaPart(media=Media(kind="image", url="https://h/x.png")),
    ToolCall(id="toolu_1", name="weather", arguments='{"city":"Rome"}'),
    Refusal(text="No."),
)


class Fixed(BaseTextProvider):
    """Answers with these parts, in deltas where a stream has them."""

    async def generate(self, messages: Any, model: str = "", settings: Any = None) -> ProviderResponse:
        message = Message(role="assistant", parts=PARTS)
        return ProviderResponse(content=message.text, message=message, finish_reason="refusal", usage=Usage(text_in=1))

    async def generate_stream(self, messages: Any, model: str = "", settings: Any = None) -> AsyncIterator[TextChunk]:
        for part in PARTS:
            for chunk in deltas(part):
                yield chunk
            yield TextChunk(part=part)
        yield TextChunk(finish_reason="refusal", usage=Usage(text_in=1, text_out=2))


def deltas(part: AnyPart) -> Sequence[TextChunk]:
    if isinstance(part, Text):
        cited = [TextChunk(citation=item) for item in part.citations]
        return [TextChunk(content=part.text[:2]), TextChunk(content=part.text[2:]), *cited]
    if isinstance(part, Reasoning) and part.text:
        return [TextChunk(reasoning=part.text)]
    if isinstance(part, ToolCall) and not part.server:
        begun = ToolCallDelta(index=part.index, id=part.id, name=part.name)
        return [TextChunk(tool_call=begun), TextChunk(tool_call=ToolCallDelta(index=0, arguments=part.arguments))]
    return ()


@STREAM
async def test_every_kind_of_part(stream: bool) -> None:
    async with judge(Fixed()) as client:
        reply = await ask(stream, client, **scripted())
    kinds = [block.type for block in reply.content]
    assert kinds == [
        "thinking", "redacted_thinking", "server_tool_use", "web_search_tool_result", "text", "text", "text", "tool_use",
        "text",
    ]  # fmt: skip
    thinking, redacted, search, found, cited, elsewhere, picture, call, refusal = (
        block.model_dump(exclude_none=True) for block in reply.content
    )
    assert thinking == {"type": "thinking", "thinking": "Hm.", "signature": "sig"}
    assert redacted == {"type": "redacted_thinking", "data": "blob"}
    assert (search["input"], found["content"][0]["encrypted_content"]) == ({"query": "x"}, "e")
    assert (cited["text"], cited["citations"][0]["encrypted_index"]) == ("Cited.", "i")
    assert elsewhere["citations"][0]["url"] == "https://o/"
    assert picture["text"] == "https://h/x.png"
    assert (call["id"], call["input"], refusal["text"]) == ("toolu_1", {"city": "Rome"}, "No.")
    assert reply.stop_reason == "refusal"
    assert reply.stop_details is not None
    assert reply.stop_details.explanation == "No."


@pytest.mark.parametrize(
    ("error", "status", "kind", "type"),
    [
        ("BadRequestError", None, anthropic.BadRequestError, "invalid_request_error"),
        ("ContextLengthError", None, anthropic.BadRequestError, "invalid_request_error"),
        ("AuthenticationError", None, anthropic.AuthenticationError, "authentication_error"),
        ("PermissionDeniedError", None, anthropic.PermissionDeniedError, "permission_error"),
        ("ModelNotFoundError", None, anthropic.NotFoundError, "not_found_error"),
        ("RateLimitError", None, anthropic.RateLimitError, "rate_limit_error"),
        ("OverloadedError", None, anthropic.InternalServerError, "overloaded_error"),
        ("ProviderError", 500, anthropic.InternalServerError, "api_error"),
    ],
)
async def test_errors_are_raised_as_their_class(
    error: str, status: int | None, kind: type[anthropic.APIStatusError], type: str
) -> None:
    local = {"error": error, "message": "odd"} | ({"status": status} if status else {})
    async with judge() as client:
        with pytest.raises(kind) as caught:
            await client.messages.create(**scripted(**local))
    body: Any = caught.value.body
    assert (body["type"], body["error"]["type"], body["error"]["message"]) == ("error", type, "odd")


async def test_the_wait_that_a_provider_asks_for_is_passed_on() -> None:
    async with judge() as client:
        with pytest.raises(anthropic.RateLimitError) as caught:
            await client.messages.create(**scripted(error="RateLimitError", retry_after=7))
    assert caught.value.response.headers["retry-after"] == "7"


async def test_an_error_in_the_middle_of_a_stream_is_raised() -> None:
    async with judge() as client:
        asked = scripted(text="a b c", error="OverloadedError", message="odd", error_after=1)
        stream = await client.messages.create(**asked, stream=True)
        with pytest.raises(anthropic.APIStatusError, match="odd"):
            [event async for event in stream]


async def test_what_is_no_request_is_refused_with_its_place() -> None:
    async with judge() as client:
        with pytest.raises(anthropic.BadRequestError, match=r"messages\.0\.role"):
            await client.messages.create(model="echo", max_tokens=9, messages=[{"role": "odd", "content": "x"}])  # type: ignore[typeddict-item]


class City(BaseModel):
    name: str
    people: int | None


@STREAM
async def test_structured_output_through_the_clients_parser(stream: bool) -> None:
    given: Any = {"model": "echo", "max_tokens": 99, "messages": HELLO, "output_format": City}
    async with judge() as client:
        if stream:
            async with client.messages.stream(**given) as events:
                reply: Any = await events.get_final_message()
        else:
            reply = await client.messages.parse(**given)
    assert isinstance(reply.parsed_output, City)
