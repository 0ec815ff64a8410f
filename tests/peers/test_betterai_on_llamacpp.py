"""BetterAI against a real llama.cpp server: another implementation of the protocol, a real tokenizer, real timing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any, Literal

import msgspec
import pytest

import betterai
from peers.llamacpp import CONTEXT, count_busy_slots, list_connections, poll

StartServer = Callable[[], AbstractContextManager[str]]

MODEL = "tiny"
HELLO = [{"role": "user", "content": "Hello"}]
ENDLESS = 10**6


class Weather(msgspec.Struct):
    sunny: bool
    colour: Literal["red", "green"]
    count: Annotated[int, msgspec.Meta(ge=0, le=9)]


SCHEMA = {
    "type": "object",
    "properties": {"sunny": {"type": "boolean"}, "colour": {"enum": ["red", "green"]}},
    "required": ["sunny", "colour"],
    "additionalProperties": False,
}
TOOL = betterai.Tool(name="paint", description="Paints.", parameters=SCHEMA)


def connect(url: str, **config: Any) -> betterai.BaseTextProvider:
    config = {"api_key": "", "retries": 0, **config}
    return betterai.get_text_provider(betterai.CoreConfig(model=f"llamacpp/{MODEL}", base_url=f"{url}/v1", **config))


@pytest.fixture
def provider(llama_server: str) -> betterai.BaseTextProvider:
    return connect(llama_server)


def settings(**given: Any) -> betterai.GenerationSettings:
    return betterai.GenerationSettings(**{"max_tokens": 16, "temperature": 0.0, "seed": 1, **given})


async def wait_until_free(url: str) -> None:
    await asyncio.to_thread(poll, lambda: count_busy_slots(url) == 0, "all slots are free")


async def test_generate(provider: betterai.BaseTextProvider) -> None:
    response = await provider.generate(HELLO, MODEL, settings())

    assert response.content.strip()
    assert response.message == betterai.Message.assistant(response.content)
    assert (response.finish_reason, response.raw_finish_reason) == ("length", "length")
    assert response.model == MODEL
    assert response.id.startswith("chatcmpl-")
    assert response.raw["choices"][0]["message"]["content"] == response.content


async def test_usage_is_what_the_server_counted(provider: betterai.BaseTextProvider) -> None:
    messages = [{"role": "user", "content": "a prompt that only this test of BetterAI sends"}]
    first = await provider.generate(messages, MODEL, settings())
    second = await provider.generate(messages, MODEL, settings())

    assert first.usage is not None
    assert second.usage is not None
    assert first.usage.source == "provider"
    assert first.usage.output_tokens == second.usage.output_tokens == 16
    assert first.usage.input_tokens == second.usage.input_tokens == first.raw["usage"]["prompt_tokens"]
    assert first.usage.total_tokens == first.tokens_used == first.raw["usage"]["total_tokens"]
    assert second.usage.cache_read_tokens == second.usage.input_tokens - 1


async def test_a_model_without_a_price_costs_an_unknown_amount(provider: betterai.BaseTextProvider) -> None:
    response = await provider.generate(HELLO, MODEL, settings())

    assert response.cost is not None
    assert (response.cost.amount, response.cost.status) == (None, "unknown")
    assert response.warnings == (), "what it serves is its own affair"


@pytest.mark.parametrize("temperature", [0.0, 0.8])
async def test_a_stream_says_the_same_as_a_response(provider: betterai.BaseTextProvider, temperature: float) -> None:
    whole = await provider.generate(HELLO, MODEL, settings(temperature=temperature))

    chunks = [chunk async for chunk in provider.generate_stream(HELLO, MODEL, settings(temperature=temperature))]

    response = chunks[-1].response
    assert response is not None
    assert [chunk.response for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert "".join(chunk.content for chunk in chunks) == response.content == whole.content
    assert response.message == whole.message
    assert [chunk.part for chunk in chunks if chunk.part] == list(whole.message.parts if whole.message else ())
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["length"]
    assert response.finish_reason == "length"


async def test_a_stream_has_one_usage(provider: betterai.BaseTextProvider) -> None:
    chunks = [chunk async for chunk in provider.generate_stream(HELLO, MODEL, settings())]

    response = chunks[-1].response
    assert response is not None
    assert response.usage is not None
    assert response.usage.output_tokens == 16
    assert [chunk.usage for chunk in chunks if chunk.usage] == [response.usage]


async def test_a_stream_comes_piece_by_piece(llama_server: str, provider: betterai.BaseTextProvider) -> None:
    stream = provider.generate_stream(HELLO, MODEL, settings(max_tokens=ENDLESS))

    pieces = [(await anext(stream)).content for _ in range(50)]

    assert sum(map(bool, pieces)) > 40
    await stream.aclose()
    await wait_until_free(llama_server)


async def test_two_answers(provider: betterai.BaseTextProvider) -> None:
    response = await provider.generate(HELLO, MODEL, settings(n=2, temperature=0.8))

    [other] = response.alternatives
    assert response.content.strip()
    assert other.content.strip()


async def test_two_streamed_answers(provider: betterai.BaseTextProvider) -> None:
    """The server mixes the two and sends a usage for each, the first of them before the other answer has ended."""
    stream = provider.generate_stream(HELLO, MODEL, settings(n=2, temperature=0.8))
    chunks = [chunk async for chunk in stream]

    response = chunks[-1].response
    assert response is not None
    [other] = response.alternatives
    for choice, answer in enumerate((response, other)):
        assert "".join(chunk.content for chunk in chunks if chunk.choice == choice) == answer.content
        assert answer.content.strip()
        assert answer.finish_reason == "length"


async def test_stop(provider: betterai.BaseTextProvider) -> None:
    word = (await provider.generate(HELLO, MODEL, settings())).content.split()[2]

    response = await provider.generate(HELLO, MODEL, settings(stop=[word]))

    assert response.finish_reason == "stop"
    assert word not in response.content


async def test_system_message_and_history(provider: betterai.BaseTextProvider) -> None:
    first = await provider.generate([betterai.Message.system("Be tiny."), *HELLO], MODEL, settings())
    assert first.message is not None

    messages = [betterai.Message.system("Be tiny."), *HELLO, first.message, betterai.Message.user("And then?")]
    second = await provider.generate(messages, MODEL, settings())

    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.input_tokens > first.usage.input_tokens + first.usage.output_tokens


@pytest.mark.parametrize("seed", range(3))
async def test_a_type_as_response_format(provider: betterai.BaseTextProvider, seed: int) -> None:
    given = settings(max_tokens=200, temperature=0.8, seed=seed, response_format=Weather)

    response = await provider.generate(HELLO, MODEL, given)

    assert response.finish_reason == "stop"
    assert isinstance(response.parsed, Weather)
    assert response.parsed == msgspec.json.decode(response.content, type=Weather)


async def test_a_type_as_response_format_of_a_stream(provider: betterai.BaseTextProvider) -> None:
    given = settings(max_tokens=200, response_format=Weather)

    *_, last = [chunk async for chunk in provider.generate_stream(HELLO, MODEL, given)]

    assert last.response is not None
    assert isinstance(last.response.parsed, Weather)


async def test_a_schema_as_response_format(provider: betterai.BaseTextProvider) -> None:
    response = await provider.generate(HELLO, MODEL, settings(max_tokens=200, response_format=SCHEMA))

    assert_fits(json.loads(response.content))
    assert response.parsed == json.loads(response.content)


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_cut_short_is_not_what_was_asked_for(provider: betterai.BaseTextProvider, stream: bool) -> None:
    with pytest.raises(betterai.OutputInvalidError) as caught:
        await consume(provider, HELLO, settings(max_tokens=5, response_format=Weather), stream=stream)

    assert caught.value.response is not None
    assert caught.value.response.finish_reason == "length"
    assert caught.value.response.content.startswith("{")
    assert len(caught.value.attempts) <= 1


async def test_its_own_options(provider: betterai.BaseTextProvider) -> None:
    options = {"llamacpp": {"grammar": 'root ::= "yes" | "no"', "cache_prompt": False}}
    response = await provider.generate(HELLO, MODEL, settings(top_k=5, min_p=0.1, options=options))

    assert response.content in ("yes", "no")
    assert response.warnings == ()
    assert response.raw["timings"]["predicted_n"] > 0


@pytest.mark.parametrize("choice", ["auto", "required", "paint"])
async def test_a_tool_and_its_result(provider: betterai.BaseTextProvider, choice: str) -> None:
    asking = await provider.generate(HELLO, MODEL, settings(max_tokens=200, tools=[TOOL], tool_choice=choice))

    [call] = asking.tool_calls
    assert asking.finish_reason == "tool_calls"
    assert call.id
    assert call.name == "paint"
    assert_fits(call.parse_arguments())

    assert asking.message is not None
    messages = [*HELLO, asking.message, betterai.Message.tool(call.id, "painted")]
    answer = await provider.generate(messages, MODEL, settings(tools=[TOOL], tool_choice="none"))

    assert answer.content.strip()
    assert not answer.tool_calls


async def test_a_streamed_tool_call(provider: betterai.BaseTextProvider) -> None:
    given = settings(max_tokens=200, tools=[TOOL], tool_choice="required")

    chunks = [chunk async for chunk in provider.generate_stream(HELLO, MODEL, given)]

    response = chunks[-1].response
    assert response is not None
    [call] = response.tool_calls
    deltas = [chunk.tool_call for chunk in chunks if chunk.tool_call]
    assert (deltas[0].id, deltas[0].name) == (call.id, "paint")
    assert "".join(delta.arguments for delta in deltas) == call.arguments
    assert [chunk.part for chunk in chunks if isinstance(chunk.part, betterai.ToolCall)] == [call]
    assert response.finish_reason == "tool_calls"
    assert_fits(call.parse_arguments())


def assert_fits(value: dict[str, Any]) -> None:
    assert sorted(value) == ["colour", "sunny"]
    assert value["colour"] in ("red", "green")
    assert isinstance(value["sunny"], bool)


async def consume(provider: betterai.BaseTextProvider, messages: Any, given: Any, *, stream: bool) -> None:
    if not stream:
        await provider.generate(messages, MODEL, given)
        return
    async for _ in provider.generate_stream(messages, MODEL, given):
        pass


@pytest.mark.parametrize("stream", [False, True])
async def test_a_bad_request(provider: betterai.BaseTextProvider, stream: bool) -> None:
    with pytest.raises(betterai.BadRequestError) as caught:
        await consume(provider, HELLO, settings(extra_body={"min_p": "much"}), stream=stream)

    error = caught.value
    assert not isinstance(error, betterai.ContextLengthError)
    assert (error.status, error.provider, error.model, error.retryable) == (400, "llamacpp", MODEL, False)
    assert error.provider_message.startswith("Field 'min_p'")


@pytest.mark.parametrize("stream", [False, True])
async def test_too_long_a_prompt(provider: betterai.BaseTextProvider, stream: bool) -> None:
    messages = [{"role": "user", "content": "the " * CONTEXT * 2}]

    with pytest.raises(betterai.ContextLengthError) as caught:
        await consume(provider, messages, settings(), stream=stream)

    assert caught.value.status == 400
    assert f"exceeds the available context size ({CONTEXT} tokens)" in caught.value.provider_message


@pytest.mark.parametrize("stream", [False, True])
async def test_a_wrong_key(locked_llama_server: str, stream: bool) -> None:
    with pytest.raises(betterai.AuthenticationError) as caught:
        await consume(connect(locked_llama_server, api_key="wrong-key"), HELLO, settings(), stream=stream)

    assert (caught.value.status, caught.value.provider_message) == (401, "Invalid API Key")
    assert "wrong-key" not in str(caught.value)


async def test_the_right_key(locked_llama_server: str) -> None:
    await consume(connect(locked_llama_server, api_key="right-key"), HELLO, settings(), stream=False)


async def test_leaving_a_stream_frees_the_slot(llama_server: str, provider: betterai.BaseTextProvider) -> None:
    stream = provider.generate_stream(HELLO, MODEL, settings(max_tokens=ENDLESS))
    await anext(stream)
    assert count_busy_slots(llama_server) == 1

    await stream.aclose()

    await wait_until_free(llama_server)


async def test_cancelling_a_stream_frees_the_slot(llama_server: str, provider: betterai.BaseTextProvider) -> None:
    call = asyncio.create_task(consume(provider, HELLO, settings(max_tokens=ENDLESS), stream=True))
    await asyncio.to_thread(poll, lambda: count_busy_slots(llama_server) == 1, "the server is at work")

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    await wait_until_free(llama_server)


async def test_cancelling_a_call_closes_its_connection(start_llama_server: StartServer) -> None:
    """This server notices a reader's leaving in streams only, so the connection is looked at, not the slot."""
    with start_llama_server() as url:
        call = asyncio.create_task(consume(connect(url), HELLO, settings(max_tokens=ENDLESS), stream=False))
        await asyncio.to_thread(poll, lambda: count_busy_slots(url) == 1, "the server is at work")
        assert len(list_connections(url)) == 1

        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.to_thread(poll, lambda: not list_connections(url), "the connection is closed")


async def test_many_at_once(provider: betterai.BaseTextProvider) -> None:
    """More than the server has slots: it queues them."""
    many = await asyncio.gather(*(provider.generate(HELLO, MODEL, settings(max_tokens=n)) for n in range(1, 21)))

    assert [response.usage and response.usage.output_tokens for response in many] == list(range(1, 21))


async def test_calls_in_a_row_share_a_connection(start_llama_server: StartServer) -> None:
    with start_llama_server() as url:
        provider = connect(url)
        connections = set()
        for _ in range(5):
            await provider.generate(HELLO, MODEL, settings())
            connections |= list_connections(url)

    assert len(connections) == 1


async def test_streams_in_a_row(provider: betterai.BaseTextProvider) -> None:
    """This server says `Keep-Alive` at the head of a stream, and closes the connection at its end all the same."""
    for _ in range(5):
        await consume(provider, HELLO, settings(), stream=True)


async def test_a_server_that_ends_interrupts_its_streams(start_llama_server: StartServer) -> None:
    shown: list[str] = []
    with start_llama_server() as url:
        stream = connect(url).generate_stream(HELLO, MODEL, settings(max_tokens=ENDLESS))
        shown.append((await anext(stream)).content)

    with pytest.raises(betterai.StreamInterrupted) as caught:
        shown.extend([chunk.content async for chunk in stream])

    assert caught.value.partial is not None
    assert caught.value.partial.content.startswith("".join(shown))
    assert caught.value.partial.finish_reason is None


async def test_a_server_that_is_gone(start_llama_server: StartServer) -> None:
    with start_llama_server() as url:
        provider = connect(url)
        await provider.generate(HELLO, MODEL, settings())

    with pytest.raises(betterai.APIConnectionError):
        await provider.generate(HELLO, MODEL, settings())
