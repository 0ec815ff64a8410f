"""The official SDKs read all that our server half says, with their strict validation on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import groq
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

from betterai.core.base import BaseTextProvider
from betterai.core.media import Media
from betterai.core.message import Citation, MediaPart, Message, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.usage import Usage
from judges.app import serve

HELLO: Any = [{"role": "user", "content": "Hello there"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@asynccontextmanager
async def judge(provider: BaseTextProvider | None = None) -> AsyncIterator[openai.AsyncOpenAI]:
    async with (
        serve(provider) as (url, _),
        openai.AsyncOpenAI(
            base_url=f"{url}/v1", api_key="key", max_retries=0, _strict_response_validation=True
        ) as client,
    ):
        yield client


def scripted(**local: Any) -> dict[str, Any]:
    return {"model": "echo", "messages": HELLO, "extra_body": {"local": local}}


async def collect(stream: Any) -> list[ChatCompletionChunk]:
    return [chunk async for chunk in stream]


def joined(chunks: list[ChatCompletionChunk], index: int = 0) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices if choice.index == index)


# ── text ──


async def test_text() -> None:
    async with judge() as client:
        raw = await client.chat.completions.with_raw_response.create(model="echo", messages=HELLO)
        reply = raw.parse()
    assert raw.request_id == "req-1"
    assert isinstance(reply, ChatCompletion)
    (choice,) = reply.choices
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", "Hello there", "stop")
    assert (reply.object, reply.created, reply.model) == ("chat.completion", 1_800_000_000, "echo")
    assert reply.id
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens > 0


async def test_a_text_stream_with_its_usage() -> None:
    async with judge() as client:
        chunks = await collect(
            await client.chat.completions.create(
                model="echo", messages=HELLO, stream=True, stream_options={"include_usage": True}
            )
        )
    assert joined(chunks) == "Hello there"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert (chunks[-1].choices, [chunk.usage is not None for chunk in chunks].count(True)) == ([], 1)
    assert {(chunk.id, chunk.model, chunk.object, chunk.created) for chunk in chunks} == {
        (chunks[0].id, "echo", "chat.completion.chunk", 1_800_000_000)
    }


async def test_a_stream_without_asking_has_no_usage() -> None:
    async with judge() as client:
        chunks = await collect(await client.chat.completions.create(model="echo", messages=HELLO, stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


@pytest.mark.parametrize("stream", [False, True])
async def test_several_answers(stream: bool) -> None:
    async with judge() as client:
        reply: Any = await client.chat.completions.create(model="echo", messages=HELLO, n=3, stream=stream)
        if stream:
            chunks = await collect(reply)
            assert [joined(chunks, index) for index in range(3)] == ["Hello there"] * 3
        else:
            assert [(choice.index, choice.message.content) for choice in reply.choices] == [
                (index, "Hello there") for index in range(3)
            ]


@pytest.mark.parametrize(
    ("word", "said"),
    [("length", "length"), ("content_filter", "content_filter"), ("refusal", "stop"), ("weird", "length")],
)
async def test_finish_reasons(word: str, said: str) -> None:
    async with judge() as client:
        reply = await client.chat.completions.create(**scripted(finish_reason=word))
        assert reply.choices[0].finish_reason == said
        chunks = await collect(await client.chat.completions.create(**scripted(finish_reason=word), stream=True))
        assert chunks[-1].choices[0].finish_reason == said


async def test_logprobs() -> None:
    async with judge() as client:
        asked: Any = {"model": "echo", "messages": HELLO, "logprobs": True, "top_logprobs": 2}
        reply = await client.chat.completions.create(**asked)
        chunks = await collect(await client.chat.completions.create(**asked, stream=True))
    assert reply.choices[0].logprobs is not None
    whole = reply.choices[0].logprobs.content or []
    assert "".join(token.token for token in whole) == "Hello there"
    assert [len(token.top_logprobs) for token in whole] == [2, 2]
    assert bytes(whole[0].bytes or []).decode() == whole[0].token
    logprobs = [choice.logprobs for chunk in chunks for choice in chunk.choices if choice.logprobs]
    assert [token for found in logprobs for token in found.content or []] == whole


@pytest.mark.parametrize("stream", [False, True])
async def test_usage_in_every_detail(stream: bool) -> None:
    counts = {"text_in": 3, "audio_in": 2, "cached": {"text": 4}, "cache_write": {"": 1}, "text_out": 5, "reasoning": 6}
    async with judge() as client:
        asked = (
            {**scripted(usage=counts), "stream_options": {"include_usage": True}} if stream else scripted(usage=counts)
        )
        reply: Any = await client.chat.completions.create(**asked, stream=stream)
        usage = (await collect(reply))[-1].usage if stream else reply.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 11, 21)
    inputs, outputs = usage.prompt_tokens_details, usage.completion_tokens_details
    assert (inputs.cached_tokens, inputs.cache_write_tokens, inputs.audio_tokens) == (4, 1, 2)
    assert (outputs.reasoning_tokens, outputs.audio_tokens) == (6, 0)


# ── tools ──

CALLS = [
    {"name": "weather", "arguments": {"city": "Zürich", "quote": 'a "b" \\ 😀'}},
    {"name": "weather", "arguments": {"city": "漢"}},
    {"name": "clock", "arguments": {}},
]


async def test_parallel_tool_calls_whole() -> None:
    async with judge() as client:
        reply = await client.chat.completions.create(**scripted(tool_calls=CALLS))
    (choice,) = reply.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    calls: Any = choice.message.tool_calls
    assert [(call.type, call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("function", call["name"], call["arguments"]) for call in CALLS
    ]
    assert len({call.id for call in calls}) == 3


@pytest.mark.parametrize("size", [1, 2, 7])
async def test_parallel_tool_calls_streamed_through_the_sdks_own_accumulator(size: int) -> None:
    async with judge() as client:
        asked = scripted(tool_calls=CALLS, chunk_size=size, text="So: ")
        async with client.chat.completions.stream(**asked, tools=[WEATHER]) as stream:
            events = [event async for event in stream]
            final = await stream.get_final_completion()
    calls: Any = final.choices[0].message.tool_calls
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        (call["name"], call["arguments"]) for call in CALLS
    ]
    assert [event.index for event in events if event.type == "tool_calls.function.arguments.done"] == [0, 1, 2]
    assert final.choices[0].message.content == "So: "
    assert final.choices[0].finish_reason == "tool_calls"


async def test_a_turn_with_tools_there_and_back() -> None:
    messages: Any = [{"role": "user", "content": 'call weather {"city": "Rome"}'}]
    async with judge() as client:
        asked = await client.chat.completions.create(model="echo", messages=messages, tools=[WEATHER])
        message = asked.choices[0].message
        (call,) = message.tool_calls or []
        result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
        answer = await client.chat.completions.create(
            model="echo", messages=[*messages, message.model_dump(exclude_none=True), result], tools=[WEATHER]
        )
    assert answer.choices[0].message.content == "weather returned: sunny"


@pytest.mark.parametrize(
    ("choice", "called"),
    [("none", False), ("required", True), ({"type": "function", "function": {"name": "weather"}}, True)],
)
async def test_tool_choice(choice: Any, called: bool) -> None:
    async with judge() as client:
        reply = await client.chat.completions.create(model="echo", messages=HELLO, tools=[WEATHER], tool_choice=choice)
    assert bool(reply.choices[0].message.tool_calls) is called


async def test_a_custom_tool() -> None:
    tool: Any = {"type": "custom", "custom": {"name": "note"}}
    async with judge() as client:
        reply = await client.chat.completions.create(model="echo", messages=HELLO, tools=[tool], tool_choice="required")
    (call,) = reply.choices[0].message.tool_calls or []
    assert call.type == "custom"
    assert (call.custom.name, call.custom.input) == ("note", "Hello there")


# ── structured output ──


class City(BaseModel):
    name: str
    people: int | None


async def test_structured_output_through_the_sdks_parser() -> None:
    async with judge() as client:
        reply = await client.chat.completions.parse(model="echo", messages=HELLO, response_format=City)
        async with client.chat.completions.stream(model="echo", messages=HELLO, response_format=City) as stream:
            final = await stream.get_final_completion()
    assert isinstance(reply.choices[0].message.parsed, City)
    assert final.choices[0].message.parsed == reply.choices[0].message.parsed


async def test_json_objects() -> None:
    async with judge() as client:
        reply = await client.chat.completions.create(
            model="echo", messages=HELLO, response_format={"type": "json_object"}
        )
    assert json.loads(reply.choices[0].message.content or "") == {"echo": "Hello there"}


# ── what the embedded model does not say: a provider that says it ──


class Canned(BaseTextProvider):
    """Answers with this, whole or in these chunks."""

    def __init__(self, response: ProviderResponse, chunks: list[TextChunk]) -> None:
        self._response = response
        self._chunks = chunks

    async def generate(self, messages: Any, model: str, settings: Any) -> ProviderResponse:
        return self._response

    async def generate_stream(self, messages: Any, model: str, settings: Any) -> Any:
        for chunk in self._chunks:
            yield chunk


def canned(*parts: Any, chunks: list[TextChunk] | None = None, finish: Any = "stop") -> Canned:
    text = "".join(part.text for part in parts if isinstance(part, Text))
    message = Message(role="assistant", parts=parts)
    given = [TextChunk(part=part) for part in parts] if chunks is None else chunks
    return Canned(ProviderResponse(content=text, message=message, finish_reason=finish), given)


async def test_refusals() -> None:
    async with judge(canned(Refusal(text="I will not"), finish="refusal")) as client:
        reply = await client.chat.completions.create(model="echo", messages=HELLO)
        chunks = await collect(await client.chat.completions.create(model="echo", messages=HELLO, stream=True))
    assert (reply.choices[0].message.refusal, reply.choices[0].message.content) == ("I will not", None)
    assert chunks[0].choices[0].delta.refusal == "I will not"
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_citations_and_sound() -> None:
    sound = MediaPart(media=Media(kind="audio", base64="QUJD", transcript="Hi", file_id="audio_1"))
    cited = Text(text="Hi", citations=(Citation(url="https://e.com", title="E", start=0, end=2),))
    async with judge(canned(cited, sound)) as client:
        message = (await client.chat.completions.create(model="echo", messages=HELLO)).choices[0].message
    assert message.audio is not None
    assert (message.audio.id, message.audio.data, message.audio.transcript) == ("audio_1", "QUJD", "Hi")
    (annotation,) = message.annotations or []
    assert (annotation.type, annotation.url_citation.url, annotation.url_citation.end_index) == (
        "url_citation",
        "https://e.com",
        2,
    )


async def test_thoughts_are_beside_the_protocol_and_do_not_disturb() -> None:
    async with judge() as client:
        reply = await client.chat.completions.create(**scripted(reasoning="hm", text="Hi"))
        chunks = await collect(
            await client.chat.completions.create(**scripted(reasoning="hm hm", text="Hi"), stream=True)
        )
    assert reply.choices[0].message.model_extra == {"reasoning_content": "hm"}
    thoughts = [(chunk.choices[0].delta.model_extra or {}).get("reasoning_content", "") for chunk in chunks]
    assert ("".join(thoughts), joined(chunks)) == ("hm hm", "Hi")


async def test_a_provider_that_says_little_is_readable_too() -> None:
    whole = TextChunk(content="Hi", usage=Usage(text_in=1), response=ProviderResponse(content="Hi"))
    async with judge(Canned(ProviderResponse(content="Hi"), [whole])) as client:
        reply = await client.chat.completions.create(model="echo", messages=HELLO)
        assert (reply.choices[0].finish_reason, reply.usage, reply.id) == ("stop", None, "chatcmpl-judge")
        chunks = await collect(await client.chat.completions.create(model="echo", messages=HELLO, stream=True))
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, "stop"]


async def test_all_at_once() -> None:
    call = ToolCall(id="a", name="weather", arguments='{"city":"Rome"}')
    parts = (Reasoning(text="hm"), Text(text="So"), call)
    chunks = [
        TextChunk(reasoning="hm"),
        TextChunk(content="So"),
        TextChunk(tool_call=ToolCallDelta(index=0, id="a", name="weather")),
        TextChunk(tool_call=ToolCallDelta(index=0, arguments='{"city":"Rome"}')),
        *[TextChunk(part=part) for part in parts],
        TextChunk(finish_reason="tool_calls"),
    ]
    async with judge(canned(*parts, chunks=chunks, finish="tool_calls")) as client:
        reply = await client.chat.completions.create(model="echo", messages=HELLO)
        async with client.chat.completions.stream(model="echo", messages=HELLO) as stream:
            final = await stream.get_final_completion()
    assert final.choices[0].message.content == reply.choices[0].message.content == "So"
    for message in (reply.choices[0].message, final.choices[0].message):
        (found,) = message.tool_calls or []
        assert (found.id, found.function.arguments) == ("a", '{"city":"Rome"}')  # type: ignore[union-attr]


# ── errors ──


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        ("BadRequestError", 400, openai.BadRequestError, None),
        ("ContextLengthError", None, openai.BadRequestError, "context_length_exceeded"),
        ("ValidationError", None, openai.BadRequestError, None),
        ("AuthenticationError", 401, openai.AuthenticationError, "invalid_api_key"),
        ("PermissionDeniedError", 403, openai.PermissionDeniedError, None),
        ("ModelNotFoundError", 404, openai.NotFoundError, "model_not_found"),
        ("BadRequestError", 422, openai.UnprocessableEntityError, None),
        ("RateLimitError", 429, openai.RateLimitError, "rate_limit_exceeded"),
        ("QuotaExceededError", 429, openai.RateLimitError, "insufficient_quota"),
        ("ProviderError", 500, openai.InternalServerError, None),
        ("OverloadedError", 503, openai.InternalServerError, None),
        ("IdleTimeout", None, openai.InternalServerError, None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_errors_are_the_sdks_own(
    error: str, status: int | None, kind: Any, code: str | None, stream: bool
) -> None:
    local: dict[str, Any] = {"error": error, "message": "on demand"}
    if status is not None:
        local["status"] = status
    async with judge() as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(**scripted(**local), stream=stream)
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.request_id) == (code, "req-1")
    assert "on demand" in caught.value.message


async def test_how_long_to_wait_is_said() -> None:
    async with judge() as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(**scripted(error="RateLimitError", retry_after=7))
    assert caught.value.response.headers["retry-after"] == "7"


async def test_a_request_that_is_none_is_a_bad_request() -> None:
    async with judge() as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(model="echo", messages=HELLO, temperature="hot")  # type: ignore[call-overload]
    assert "temperature" in caught.value.message


@pytest.mark.parametrize(
    ("error", "kind"), [({}, "server_error"), ({"error": "RateLimitError", "status": 429}, "rate_limit_error")]
)
async def test_s4_an_error_in_the_middle_of_a_stream_raises(error: dict[str, Any], kind: str) -> None:
    async with judge() as client:
        stream = await client.chat.completions.create(**scripted(error_after=1, message="broke", **error), stream=True)
        first = await anext(stream)
        with pytest.raises(openai.APIError, match="broke") as caught:
            await collect(stream)
    assert first.choices[0].delta.content == "Hello"
    assert caught.value.type == kind


@pytest.mark.parametrize("stream", [False, True])
async def test_the_judge_is_strict(stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("betterai.wire.openai_chat.answers._FINISH", {})
    async with judge() as client:
        with pytest.raises(openai.APIResponseValidationError):
            await take(client.chat.completions.create(**scripted(finish_reason="weird"), stream=stream))


async def take(asked: Any) -> None:
    """Read all that comes, where it is a stream."""
    reply = await asked
    if isinstance(reply, openai.AsyncStream):
        await collect(reply)


# ── another SDK ──


async def test_the_sdk_of_groq_reads_us_too() -> None:
    async with serve() as (url, _):
        client = groq.AsyncGroq(base_url=url, api_key="key", max_retries=0, _strict_response_validation=True)
        async with client:
            reply = await client.chat.completions.create(model="echo", messages=HELLO)
            assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ("Hello there", "stop")
            assert reply.usage is not None
            stream = await client.chat.completions.create(**scripted(tool_calls=CALLS), stream=True)
            deltas = [choice.delta async for chunk in stream for choice in chunk.choices]
            pieces = [piece for delta in deltas for piece in delta.tool_calls or []]
            text = "".join(piece.function.arguments or "" for piece in pieces if piece.index == 0 and piece.function)
            assert json.loads(text) == CALLS[0]["arguments"]
            with pytest.raises(groq.RateLimitError):
                await client.chat.completions.create(**scripted(error="RateLimitError"))
