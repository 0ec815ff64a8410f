"""The same of all three protocols that a llama.cpp server speaks: another implementation of each server half."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest

import betterai
from peers.llamacpp import count_busy_slots, poll

MODEL = "tiny"
HELLO = [{"role": "user", "content": "Hello"}]
ENDLESS = 10**6
TOOL = betterai.Tool(
    name="paint",
    description="Paints.",
    parameters={
        "type": "object",
        "properties": {"sunny": {"type": "boolean"}},
        "required": ["sunny"],
        "additionalProperties": False,
    },
)
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


class Weather(msgspec.Struct):
    sunny: bool


@pytest.fixture(params=["openai_chat", "openai_responses", "anthropic_messages"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def provider(llama_server: str, protocol: str) -> betterai.BaseTextProvider:
    return connect(llama_server, protocol)


def connect(url: str, protocol: str, **config: Any) -> betterai.BaseTextProvider:
    config = {"api_key": "", "retries": 0, **config}
    return betterai.get_text_provider(
        betterai.CoreConfig(model=f"llamacpp/{MODEL}", protocol=protocol, base_url=f"{url}/v1", **config)
    )


async def ask(
    provider: betterai.BaseTextProvider, messages: Any = HELLO, *, stream: bool, **given: Any
) -> betterai.ProviderResponse:
    settings = betterai.GenerationSettings(**{"max_tokens": 16, "temperature": 0.0, **given})
    if not stream:
        return await provider.generate(messages, MODEL, settings)
    chunks = [chunk async for chunk in provider.generate_stream(messages, MODEL, settings)]
    response = chunks[-1].response
    assert response is not None
    assert "".join(chunk.content for chunk in chunks) == response.content
    assert [chunk.part for chunk in chunks if chunk.part] == list(response.message.parts if response.message else ())
    return response


async def test_whole_and_streamed_say_the_same(provider: betterai.BaseTextProvider) -> None:
    whole, streamed = [await ask(provider, stream=stream) for stream in (False, True)]
    assert whole.content.strip()
    assert (streamed.content, streamed.finish_reason) == (whole.content, whole.finish_reason)
    assert whole.usage is not None
    assert streamed.usage is not None
    assert whole.usage.output_tokens == streamed.usage.output_tokens == 16
    assert whole.usage.input_tokens == streamed.usage.input_tokens > 0
    assert whole.warnings == streamed.warnings == ()


@STREAM
async def test_a_tool_is_called_and_its_result_taken(provider: betterai.BaseTextProvider, stream: bool) -> None:
    response = await ask(provider, stream=stream, tools=[TOOL], tool_choice="required", max_tokens=64)
    (call,) = response.tool_calls
    assert (call.name, set(call.parse_arguments())) == ("paint", {"sunny"})
    assert response.finish_reason == "tool_calls"
    assert response.message is not None
    history = [betterai.Message.user("Hello"), response.message, betterai.Message.tool(call.id, "painted")]
    assert (await ask(provider, history, stream=stream, tools=[TOOL])).usage


@STREAM
async def test_an_answer_of_a_type(provider: betterai.BaseTextProvider, protocol: str, stream: bool) -> None:
    if protocol == "anthropic_messages":
        with pytest.raises(betterai.UnsupportedParam, match="response_format"):
            await ask(provider, stream=stream, response_format=Weather)
        return
    response = await ask(provider, stream=stream, response_format=Weather, max_tokens=64)
    assert isinstance(response.parsed, Weather)
    assert json.loads(response.content) == {"sunny": response.parsed.sunny}


@STREAM
async def test_a_wrong_key(locked_llama_server: str, protocol: str, stream: bool) -> None:
    with pytest.raises(betterai.AuthenticationError, match="Invalid API Key") as caught:
        await ask(connect(locked_llama_server, protocol, api_key="wrong-key"), stream=stream)
    assert caught.value.status == 401
    assert (await ask(connect(locked_llama_server, protocol, api_key="right-key"), stream=stream)).content


@STREAM
async def test_a_conversation_that_is_too_long(provider: betterai.BaseTextProvider, stream: bool) -> None:
    with pytest.raises(betterai.ContextLengthError) as caught:
        await ask(provider, "word " * 20_000, stream=stream)
    assert caught.value.status == 400


@STREAM
async def test_a_bad_request(provider: betterai.BaseTextProvider, stream: bool) -> None:
    with pytest.raises(betterai.BadRequestError, match="top_p") as caught:
        await ask(provider, stream=stream, extra_body={"top_p": "high"})
    assert caught.value.status == 400
    assert caught.value.provider_message


@STREAM
async def test_a_tool_can_be_named_where_it_stands_alone(
    provider: betterai.BaseTextProvider, protocol: str, stream: bool
) -> None:
    given: dict[str, Any] = {"tool_choice": "paint", "max_tokens": 64}
    response = await ask(provider, stream=stream, tools=[TOOL], **given)
    assert [call.name for call in response.tool_calls] == ["paint"]
    with pytest.raises(betterai.UnsupportedParam, match="named"):
        await ask(provider, stream=stream, tools=[TOOL, betterai.Tool(name="draw")], **given)


async def test_a_stream_that_is_left_frees_its_slot(llama_server: str, provider: betterai.BaseTextProvider) -> None:
    stream = provider.generate_stream(HELLO, MODEL, betterai.GenerationSettings(max_tokens=ENDLESS))
    assert [await anext(stream) for _ in range(5)]
    assert count_busy_slots(llama_server) == 1
    await stream.aclose()
    await asyncio.to_thread(poll, lambda: count_busy_slots(llama_server) == 0, "all slots are free")


async def test_a_stream_that_is_cancelled_frees_its_slot(
    llama_server: str, provider: betterai.BaseTextProvider
) -> None:
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in provider.generate_stream(HELLO, MODEL, betterai.GenerationSettings(max_tokens=ENDLESS)):
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(poll, lambda: count_busy_slots(llama_server) == 0, "all slots are free")


async def test_tokens_are_counted_by_the_server(provider: betterai.BaseTextProvider, protocol: str) -> None:
    count = await provider.count_tokens(HELLO, MODEL)
    response = await ask(provider, stream=False)
    assert response.usage is not None
    if protocol != "openai_chat":
        assert (count.tokens, count.estimated) == (response.usage.input_tokens, False)
    else:
        assert 0 < count.tokens < response.usage.input_tokens, "without what the template adds"
