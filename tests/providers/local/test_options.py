"""The scripted behaviour of the embedded provider: answers, errors, interruptions and pace."""

import asyncio
import time

import pytest

from betterai.core import exceptions
from betterai.core.exceptions import RateLimitError, StreamInterrupted, ValidationError
from betterai.core.message import Text
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Usage
from betterai.providers.local.text import LocalTextProvider


def scripted(**options):
    return GenerationSettings(options={"local": options})


async def ask(text="one two three", **options):
    return await LocalTextProvider().generate(text, "echo", scripted(**options))


async def stream(text="one two three", **options):
    return [chunk async for chunk in LocalTextProvider().generate_stream(text, "echo", scripted(**options))]


async def stream_until_error(text="one two three", **options):
    chunks = []

    async def read():
        async for chunk in LocalTextProvider().generate_stream(text, "echo", scripted(**options)):
            chunks.append(chunk)  # noqa: PERF401 what came before the error is wanted

    with pytest.raises(exceptions.BetterAIError) as caught:
        await read()
    return chunks, caught.value


async def test_the_text_the_reasoning_and_the_calls_are_what_the_script_says():
    response = await LocalTextProvider().generate("x", "echo", scripted(text="exactly this", reasoning="thought so"))
    assert (response.content, response.reasoning) == ("exactly this", "thought so")
    calls = [{"name": "f", "arguments": {"a": 1}}, {"name": "g"}, {"name": "h", "arguments": "{broken"}]
    response = await LocalTextProvider().generate("x", "echo", scripted(tool_calls=calls, text="before"))
    assert [(call.name, call.arguments) for call in response.tool_calls] == [
        ("f", '{"a": 1}'),
        ("g", "{}"),
        ("h", "{broken"),
    ]
    assert (response.content, response.finish_reason) == ("before", "tool_calls")


async def test_the_finish_reason_and_the_usage_are_what_the_script_says():
    response = await ask(finish_reason="content_filter", usage={"text_in": 5, "cached": {"text": 7}, "other": 1})
    assert (response.finish_reason, response.raw_finish_reason) == ("content_filter", "content_filter")
    assert response.usage == Usage(text_in=5, cached={"text": 7}, other=1)
    assert (response.cost.amount, response.cost.status) == (0, "exact")
    odd = await ask(finish_reason="end_of_days")
    assert (odd.finish_reason, odd.raw_finish_reason) == ("other", "end_of_days")


async def test_chunks_have_the_size_asked_for():
    chunks = await stream(chunk_size=5)
    assert [chunk.content for chunk in chunks if chunk.content] == ["one t", "wo th", "ree"]


ERRORS = [
    name
    for name, kind in vars(exceptions).items()
    if isinstance(kind, type) and issubclass(kind, exceptions.BetterAIError)
]


@pytest.mark.parametrize("name", ERRORS)
async def test_every_error_of_ours_can_be_asked_for(name):
    with pytest.raises(getattr(exceptions, name)) as caught:
        await ask(error=name)
    assert type(caught.value).__name__ == name
    assert (caught.value.provider, caught.value.model) == ("local", "echo")
    chunks, error = await stream_until_error(error=name)
    assert (chunks, type(error).__name__) == ([], name)


async def test_the_error_carries_what_the_script_says():
    with pytest.raises(RateLimitError, match="slow down") as caught:
        await ask(error="RateLimitError", status=429, retry_after=1.5, message="slow down")
    assert (caught.value.status, caught.value.retry_after, caught.value.retryable) == (429, 1.5, True)


async def test_a_stream_breaks_after_so_many_chunks_and_keeps_what_came():
    chunks, error = await stream_until_error(error_after=2)
    assert [chunk.content for chunk in chunks] == ["one", " two"]
    assert isinstance(error, StreamInterrupted)
    assert error.partial.content == "one two"
    assert error.partial.message.parts == (Text(text="one two"),)
    assert (error.partial.finish_reason, error.partial.provider) == (None, "local")


@pytest.mark.parametrize("after", [0, 1, 3, 5, 1000])
async def test_an_interrupted_stream_never_has_its_response(after):
    chunks, error = await stream_until_error(error_after=after)
    whole = await stream()
    assert chunks == whole[: min(after, len(whole) - 1)]
    assert isinstance(error, StreamInterrupted)
    with pytest.raises(StreamInterrupted):
        await ask(error_after=after)


async def test_a_named_error_may_come_late():
    chunks, error = await stream_until_error(error="OverloadedError", error_after=1, status=529)
    assert (len(chunks), type(error).__name__, error.status) == (1, "OverloadedError", 529)


async def test_the_pace_is_kept():
    begin = time.perf_counter()
    gaps = []
    async for _ in LocalTextProvider().generate_stream("a b", "echo", scripted(first_delay=0.05, delay=0.02)):
        gaps.append(time.perf_counter() - begin)
        begin = time.perf_counter()
    assert gaps[0] >= 0.045
    assert min(gaps[1:]) >= 0.015


async def test_the_first_chunk_waits_for_the_first_delay_alone():
    chunks = LocalTextProvider().generate_stream("a b", "echo", scripted(delay=60))
    first = await asyncio.wait_for(anext(chunks), 5)
    await chunks.aclose()
    assert first.content == "a"


async def test_waiting_can_be_cancelled():
    task = asyncio.ensure_future(ask(first_delay=60))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_options_of_the_constructor_hold_for_every_call_and_the_calls_own_go_before_them():
    provider = LocalTextProvider("no key", text="from the constructor", chunk_size=4)
    assert (await provider.generate("x", "echo", GenerationSettings())).content == "from the constructor"
    assert (await provider.generate("x", "echo", scripted(text="from the call"))).content == "from the call"
    assert (await provider.generate("x", "echo", scripted(delay=0))).content == "from the constructor"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"eror": "RateLimitError"}, "error"),
        ({"error": "RateLimitEror"}, "RateLimitError"),
        ({"delay": "long"}, "delay"),
        ({"delay": -1}, "delay"),
        ({"chunk_size": 0}, "chunk_size"),
        ({"error_after": -1}, "error_after"),
        ({"tool_calls": [{"name": "f", "argumens": {}}]}, "arguments"),
        ({"tool_calls": [{"arguments": {}}]}, "name"),
        ({"usage": {"text_inn": 3}}, "text_in"),
        ({"usage": {"text_in": "three"}}, "usage"),
        ({"status": 429}, "error"),
        ({"retry_after": 1}, "error"),
    ],
)
async def test_a_script_with_a_mistake_raises_and_names_it(options, says):
    for call in (ask, stream):
        with pytest.raises(ValidationError, match=says):
            await call(**options)


def test_the_constructor_checks_its_options():
    with pytest.raises(ValidationError, match="delay"):
        LocalTextProvider(dellay=1)


async def test_options_that_are_no_mapping_raise():
    with pytest.raises(ValidationError, match="must be Mapping"):
        await LocalTextProvider().generate("x", "echo", GenerationSettings(options={"local": [1]}))


@pytest.mark.parametrize("name", ["text", "reasoning", "tool_calls"])
async def test_eliza_takes_no_script(name):
    value = [{"name": "f"}] if name == "tool_calls" else "x"
    with pytest.raises(ValidationError, match=name):
        await LocalTextProvider().generate("x", "eliza", scripted(**{name: value}))


async def test_eliza_breaks_and_waits_as_the_echo_does():
    with pytest.raises(RateLimitError):
        await LocalTextProvider().generate("x", "eliza", scripted(error="RateLimitError"))
    with pytest.raises(StreamInterrupted) as caught:
        await LocalTextProvider().generate("hello", "eliza", scripted(error_after=1))
    assert caught.value.partial.content == "Hello."
