"""What `response.timing` says of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from betterai.core.base import BaseTextProvider
from betterai.core.response import ProviderResponse
from betterai.runtime.text import CodecTextProvider
from runtime.providers import HELLO, connect
from runtime.upstream import Behaviour, Upstream, answer, stream, streamed


async def _generate(provider: BaseTextProvider) -> ProviderResponse:
    return await provider.generate(HELLO)


async def _stream(provider: BaseTextProvider) -> ProviderResponse:
    chunks = [chunk async for chunk in provider.generate_stream(HELLO)]
    assert chunks[-1].response is not None
    return chunks[-1].response


async def _until_free(provider: CodecTextProvider) -> None:
    """The end of a stream's body may come after the end of its answer, and frees the connection only then."""
    pool = provider.connection.transport._pools.get(private=True)
    async with asyncio.timeout(10):
        while pool.busy:  # noqa: ASYNC110 - no event says it
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("ask", "behaviour"), [(_generate, answer()), (_stream, stream(streamed()))])
async def test_how_long_connecting_took_is_zero_where_a_connection_is_used_again(
    ask: Callable[[BaseTextProvider], Awaitable[ProviderResponse]], behaviour: Behaviour
) -> None:
    with Upstream(behaviour) as upstream:
        provider = connect(upstream.url)
        first = (await ask(provider)).timing
        await _until_free(provider)
        second = (await ask(provider)).timing
    assert first.connect is not None
    assert first.connect > 0
    assert second.connect == 0
