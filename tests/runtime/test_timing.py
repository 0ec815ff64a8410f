"""What `response.timing` says of the connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from betterai.core.base import BaseTextProvider
from betterai.core.response import ProviderResponse
from runtime.providers import HELLO, connect
from runtime.upstream import Behaviour, Upstream, answer, stream, streamed


async def _generate(provider: BaseTextProvider) -> ProviderResponse:
    return await provider.generate(HELLO)


async def _stream(provider: BaseTextProvider) -> ProviderResponse:
    chunks = [chunk async for chunk in provider.generate_stream(HELLO)]
    assert chunks[-1].response is not None
    return chunks[-1].response


@pytest.mark.parametrize(("ask", "behaviour"), [(_generate, answer()), (_stream, stream(streamed()))])
async def test_how_long_connecting_took_is_zero_where_a_connection_is_used_again(
    ask: Callable[[BaseTextProvider], Awaitable[ProviderResponse]], behaviour: Behaviour
) -> None:
    with Upstream(behaviour) as upstream:
        provider = connect(upstream.url)
        first, second = [(await ask(provider)).timing for _ in range(2)]
    assert first.connect is not None
    assert first.connect > 0
    assert second.connect == 0
