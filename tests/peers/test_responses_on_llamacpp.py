"""Responses against a real llama.cpp server: another implementation of the protocol, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

import betterai
from betterai.core.message import Message, Reasoning, Text, ToolCall, ToolResult

MODEL = "tiny"
HELLO = [{"role": "user", "content": "Hello"}]
SCHEMA = {
    "type": "object",
    "properties": {"sunny": {"type": "boolean"}},
    "required": ["sunny"],
    "additionalProperties": False,
}
TOOL = betterai.Tool(name="paint", description="Paints.", parameters=SCHEMA)


class Weather(msgspec.Struct):
    sunny: bool


@pytest.fixture
def provider(llama_server: str) -> betterai.BaseTextProvider:
    config = betterai.CoreConfig(
        model=f"llamacpp/{MODEL}", protocol="openai_responses", base_url=f"{llama_server}/v1", retries=0
    )
    return betterai.get_text_provider(config)


def settings(**given: Any) -> betterai.GenerationSettings:
    return betterai.GenerationSettings(**{"max_tokens": 16, "temperature": 0.0, **given})


async def gather(provider: betterai.BaseTextProvider, messages: Any, **given: Any) -> Any:
    chunks = [chunk async for chunk in provider.generate_stream(messages, MODEL, settings(**given))]
    response = chunks[-1].response
    assert response is not None
    assert "".join(chunk.content for chunk in chunks) == response.content
    return response


async def test_a_whole_answer(provider: betterai.BaseTextProvider) -> None:
    response = await provider.generate(HELLO, MODEL, settings())

    assert response.content.strip()
    assert response.raw["object"] == "response"
    assert response.content == response.raw["output"][-1]["content"][0]["text"]
    assert response.finish_reason == "stop", "it says completed where it reached max_output_tokens (2026-11)"
    assert response.usage is not None
    assert response.usage.input_tokens == response.raw["usage"]["input_tokens"]
    assert response.usage.output_tokens == 16
    assert response.warnings == ()


async def test_a_stream_says_the_same(provider: betterai.BaseTextProvider) -> None:
    whole, streamed = await provider.generate(HELLO, MODEL, settings()), await gather(provider, HELLO)

    assert streamed.content == whole.content
    assert (streamed.finish_reason, streamed.usage.output_tokens) == (whole.finish_reason, 16)


async def test_a_tool_is_called_and_answered(provider: betterai.BaseTextProvider) -> None:
    given: Any = {"tools": [TOOL], "tool_choice": "required", "max_tokens": 64}
    whole, streamed = await provider.generate(HELLO, MODEL, settings(**given)), await gather(provider, HELLO, **given)

    for response in (whole, streamed):
        (call,) = response.tool_calls
        assert (call.name, set(call.parse_arguments())) == ("paint", {"sunny"})
        assert response.finish_reason == "tool_calls"
    history = [Message.user("Hello"), whole.message, Message.tool(whole.tool_calls[0].id, "painted")]
    assert (await provider.generate(history, MODEL, settings())).content.strip()


async def test_an_answer_of_a_type(provider: betterai.BaseTextProvider) -> None:
    response = await provider.generate(HELLO, MODEL, settings(response_format=Weather, max_tokens=64))

    assert isinstance(response.parsed, Weather)
    assert json.loads(response.content) == {"sunny": response.parsed.sunny}


async def test_a_history_of_everything_is_taken(provider: betterai.BaseTextProvider) -> None:
    history = [
        Message.system("Be brief"),
        Message.user("Hello"),
        Message(role="assistant", parts=(Reasoning(text="Hm."), Text(text="Hi"))),
        Message.user("Paint"),
        Message(role="assistant", parts=(ToolCall(id="c1", name="paint", arguments='{"sunny":true}'),)),
        Message(role="tool", parts=(ToolResult(id="c1", parts=(Text(text="done"), Text(text="well"))),)),
    ]
    response = await provider.generate(history, MODEL, settings(tools=[TOOL]))
    assert response.usage is not None
    assert response.usage.output_tokens > 0


async def test_a_tool_can_be_named_if_it_is_the_only_one(provider: betterai.BaseTextProvider) -> None:
    given: Any = {"tool_choice": "paint", "max_tokens": 64}
    response = await provider.generate(HELLO, MODEL, settings(tools=[TOOL], **given))
    assert [call.name for call in response.tool_calls] == ["paint"]
    with pytest.raises(betterai.UnsupportedParam, match="named"):
        await provider.generate(HELLO, MODEL, settings(tools=[TOOL, betterai.Tool(name="draw")], **given))


async def test_settings_of_chat_are_taken_too(provider: betterai.BaseTextProvider) -> None:
    text = (await provider.generate(HELLO, MODEL, settings())).content
    stopped = await provider.generate(HELLO, MODEL, settings(stop=[text[3:6]]))
    assert stopped.content == text[:3]
    warm = settings(temperature=1.5, seed=7)
    one, other = [(await provider.generate(HELLO, MODEL, warm)).content for _ in range(2)]
    assert one == other
    narrow = await provider.generate(HELLO, MODEL, settings(temperature=1.5, seed=7, top_k=1))
    assert narrow.content == text != one
    assert stopped.warnings == narrow.warnings == ()


async def test_a_conversation_that_is_too_long(provider: betterai.BaseTextProvider) -> None:
    with pytest.raises(betterai.ContextLengthError):
        await provider.generate([{"role": "user", "content": "word " * 20_000}], MODEL, settings())
