"""A client under load: what it forgets, drops or closes fails no call in silence and leaves no connection open."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

import betterai
from betterai.core.config import CoreConfig
from betterai.core.exceptions import APIConnectionError, StreamInterrupted, ValidationError
from betterai.runtime.client import MAX_PROVIDERS
from runtime.providers import PROVIDER
from runtime.upstream import Behaviour, Upstream, answer, delta, hold, stream, streamed

NOWHERE = CoreConfig(base_url="http://127.0.0.1:9", api_key="key")
SLOW = stream(streamed(["a"] * 20), pause=0.01)


@pytest.fixture(autouse=True, scope="module")
def _neutral() -> None:
    betterai.register_text_provider("neutral", PROVIDER)


def client_of(upstream: Upstream, **config: Any) -> betterai.Client:
    return betterai.Client(CoreConfig(base_url=upstream.url, api_key="key", **config))


async def read(client: betterai.Client, model: str) -> str:
    async with client.stream(model, "Hello") as chunks:
        return "".join([chunk.content async for chunk in chunks])


async def until_closed(upstream: Upstream) -> None:
    async with asyncio.timeout(5):
        while upstream.connections:
            gc.collect()
            await asyncio.sleep(0.01)


async def test_p4_models_forgotten_under_load_fail_no_call_and_leave_nothing_open() -> None:
    with Upstream(*[SLOW] * 16, answer()) as upstream:
        async with client_of(upstream, retries=0) as client:
            running = [asyncio.ensure_future(read(client, f"neutral/slow-{number}")) for number in range(16)]
            await upstream.until(lambda: len(upstream.requests) == 16)
            calls = (client.generate(f"neutral/m-{number}", "Hello") for number in range(MAX_PROVIDERS + 44))
            answers = await asyncio.gather(*calls)
            assert len(client._providers) < MAX_PROVIDERS
            assert {response.content for response in answers} == {"Hello"}
            assert await asyncio.gather(*running) == ["a" * 20] * 16
        await until_closed(upstream)


async def test_p4_a_client_that_is_dropped_while_streams_run_lets_them_end_and_then_closes() -> None:
    with Upstream(SLOW) as upstream:
        client = client_of(upstream, retries=0)
        running = [asyncio.ensure_future(read(client, "neutral/m-1")) for _ in range(8)]
        await upstream.until(lambda: len(upstream.requests) == 8)
        del client
        gc.collect()
        assert await asyncio.gather(*running) == ["a" * 20] * 8
        running.clear()
        await until_closed(upstream)


@pytest.mark.parametrize("behaviour", [stream([delta("a")], "hold"), hold], ids=["in the body", "before the headers"])
async def test_p4_closing_a_client_ends_what_runs_with_a_typed_error_and_leaves_nothing_open(
    behaviour: Behaviour,
) -> None:
    with Upstream(behaviour) as upstream:
        client = client_of(upstream, retries=0)
        running = [asyncio.ensure_future(read(client, "neutral/m-1")) for _ in range(4)]
        waiting = [asyncio.ensure_future(client.generate("neutral/m-1", "Hello")) for _ in range(4)]
        await upstream.until(lambda: len(upstream.requests) == 8)
        await client.aclose()
        async with asyncio.timeout(5):
            ended = await asyncio.gather(*running, *waiting, return_exceptions=True)
        assert {type(error) for error in ended} <= {StreamInterrupted, APIConnectionError}, ended
        await until_closed(upstream)


def ways_to_ask(client: betterai.Client) -> list[Callable[[], Awaitable[Any]]]:
    """Each way to ask a client, of a model with connections and of those without."""
    media = betterai.Media(kind="image", url="https://example.com/a.png")
    models = [Echo(), "neutral/m-1", "local/eliza"]
    return [
        *(partial(client.generate, model, "Hello") for model in models),
        *(lambda model=model: client.stream(model, "Hello").collect() for model in models),
        *(partial(client.run_tools, model, "Hello") for model in models),
        *(partial(client.count_tokens, model, "Hello") for model in models),
        lambda: client.generate("neutral/m-1", "Hello", config=NOWHERE),
        lambda: client.batches.submit("local/eliza", ["Hello"]),
        lambda: client.embed("local/minilm", "Hello"),
        lambda: client.embed("neutral/m-1", "Hello", config=NOWHERE),
        lambda: client.speak("local/espeak", "Hello"),
        lambda: anext(client.stream_speech("local/espeak", "Hello")),
        lambda: anext(client.stream_transcription("local/pocketsphinx", b"sound")),
        lambda: client.start_video("local/film", "Hello"),
        lambda: client.realtime("cascade"),
        lambda: client.realtime_token("neutral/m-1"),
        lambda: client.files.upload("openai", b"Hello"),
        lambda: client.load_media(media),
        lambda: client.save_media(media, "a.png"),
        lambda: client.list_models("openai"),
        lambda: betterai.Router(["neutral/m-1"], client=client).generate("Hello"),
        lambda: betterai.Conversation("local/eliza", client=client).ask("Hello"),
        client.__aenter__,
    ]


class Echo(betterai.BaseTextProvider):
    async def generate(self, messages: Any, model: str, settings: Any) -> betterai.ProviderResponse:
        return betterai.ProviderResponse(content="Hello")


async def test_a_closed_client_refuses_all_that_is_asked_of_it_and_stays_closed() -> None:
    client = betterai.Client(NOWHERE)
    async with client:
        await client.generate("local/eliza", "Hello")
    await client.aclose()
    for place, ask in enumerate(ways_to_ask(client)):
        with pytest.raises(ValidationError, match="this client is closed – close it after its last call"):
            raise AssertionError(f"way {place} was answered: {await ask()!r:.200}")


def test_a_closed_client_refuses_the_sync_face_too() -> None:
    client = betterai.Client(NOWHERE)
    assert betterai.sync.run(client.generate("local/eliza", "Hello")).content
    betterai.sync.run(client.aclose())
    with pytest.raises(ValidationError, match="this client is closed"):
        betterai.sync.run(client.generate("local/eliza", "Hello"))
    with pytest.raises(ValidationError, match="this client is closed"):
        betterai.sync.Conversation("local/eliza", client=client).ask("Hello")


async def test_a_call_that_would_be_tried_again_after_the_client_was_closed_says_so() -> None:
    with Upstream(hold) as upstream:
        client = client_of(upstream, retries=2)
        waiting = asyncio.ensure_future(client.generate("neutral/m-1", "Hello"))
        await upstream.until(lambda: len(upstream.requests) == 1)
        await client.aclose()
        async with asyncio.timeout(5):
            with pytest.raises(ValidationError, match="this client is closed"):
                await waiting
        assert len(upstream.requests) == 1
        await until_closed(upstream)
