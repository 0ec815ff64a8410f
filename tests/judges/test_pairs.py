"""Any protocol in, any protocol upstream: official client → server half → client half → server half → local/echo; and
each without anything between.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

import betterai
from betterai.runtime.text import CodecTextProvider
from judges.app import App, serve
from judges.clients import CLIENTS, Ask, Client, client

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
VENDORS = {
    "openai_chat": "openai/gpt-4o-mini",
    "openai_responses": "openai/gpt-4o-mini",
    "anthropic_messages": "anthropic/claude-haiku-4-5",
    "gemini": "google/gemini-2.5-flash",
}
PAIRS = pytest.mark.parametrize(("surface", "upstream"), list(product(CLIENTS, ["local", *CLIENTS])))
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
CALLS = [
    {"name": "weather", "arguments": {"city": "Zürich", "quote": 'a "b" \\ 😀'}},
    {"name": "weather", "arguments": {"city": "漢"}},
    {"name": "clock", "arguments": {}},
]
USAGE = {"text_in": 7, "cached": {"text": 3}, "text_out": 5, "reasoning": 2}


def connect(protocol: str, url: str) -> CodecTextProvider:
    """A client half of ours, at a service."""
    base = f"{url}/v1" if protocol.startswith("openai") else url
    config = betterai.CoreConfig(
        model=VENDORS[protocol], protocol=protocol, base_url=base, api_key="upstream-key", retries=0
    )
    provider = betterai.get_text_provider(config)
    assert isinstance(provider, CodecTextProvider)
    return provider


@asynccontextmanager
async def chain(surface: str, upstream: str, *, relayed: bool = False) -> AsyncIterator[tuple[Client, App, App]]:
    """A client, the service that it asks, and the one which that asks; it is the same where nothing is upstream."""
    async with AsyncExitStack() as stack:
        url, front = url, behind = await stack.enter_async_context(serve())
        if upstream != "local":
            url, front = await stack.enter_async_context(serve(connect(upstream, url), relayed=relayed))
        yield await stack.enter_async_context(client(surface, url)), front, behind


@PAIRS
@STREAM
async def test_the_same_script_says_the_same(surface: str, upstream: str, stream: bool) -> None:
    script = {"text": "Größe: ", "reasoning": "Hm hm.", "tool_calls": CALLS, "usage": USAGE, "chunk_size": 3}
    async with chain(surface, upstream) as (asking, _, behind):
        said = await asking.ask(Ask(local=script, stream=stream))
    assert (said.text, said.reasoning) == ("Größe: ", "Hm hm.")
    assert said.calls == tuple((call["name"], call["arguments"]) for call in CALLS)
    assert (said.ended, said.tokens) == ("calls", (10, 7, 3))
    (body,) = behind.bodies
    assert body["local"] == script


@PAIRS
@STREAM
async def test_a_tool_is_called_and_its_result_answered(surface: str, upstream: str, stream: bool) -> None:
    ask = Ask('call weather {"city": "Rome"} and call weather {"city": "Oslo"}', tools=True, stream=stream)
    async with chain(surface, upstream) as (asking, _, _):
        asked = await asking.ask(ask)
        answered = await asking.ask(replace(ask, turns=((asked.reply, "sunny"),)))
    assert asked.calls == (("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"}))
    assert (answered.text, answered.ended) == ("weather returned: sunny\nweather returned: sunny", "stop")


@PAIRS
@STREAM
async def test_schemas_pictures_and_limits_go_through(surface: str, upstream: str, stream: bool) -> None:
    async with chain(surface, upstream) as (asking, _, _):
        shaped = await asking.ask(Ask(schema=True, stream=stream))
        seen = await asking.ask(Ask("Look", image=True, stream=stream))
        cut = await asking.ask(Ask(local={"finish_reason": "length"}, stream=stream))
    assert shaped.text == '{"a": 1}'
    assert seen.text.startswith("Look")
    assert "image/png" in seen.text
    assert cut.ended == "length"


@PAIRS
@STREAM
async def test_errors_keep_their_status(surface: str, upstream: str, stream: bool) -> None:
    async with chain(surface, upstream) as (asking, _, _):
        for name, status in (("AuthenticationError", 401), ("ModelNotFoundError", 404), ("BadRequestError", 400)):
            with pytest.raises(asking.error, match="on demand") as caught:
                await asking.ask(Ask(local={"error": name, "message": "on demand"}, stream=stream))
            assert asking.status(caught.value) == status
        local: dict[str, Any] = {"error": "RateLimitError", "message": "slow", "retry_after": 7}
        with pytest.raises(asking.limited, match="slow") as caught:
            await asking.ask(Ask(local=local, stream=stream))
        assert asking.status(caught.value) == 429
        assert caught.value.response.headers["retry-after"] == "7"  # type: ignore[attr-defined]


@PAIRS
async def test_an_error_amid_a_stream_is_the_clients_own(surface: str, upstream: str) -> None:
    local = {"text": "a b c", "error": "OverloadedError", "message": "broke", "error_after": 2}
    async with chain(surface, upstream) as (asking, _, _):
        with pytest.raises(asking.error, match="broke"):
            await asking.ask(Ask(local=local, stream=True))
