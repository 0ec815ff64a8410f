"""SambaNova, at a double made of what is documented, as nothing of it was recorded."""

from __future__ import annotations

import pytest

import betterai
from betterai import CoreConfig
from betterai.core.exceptions import RateLimitError
from betterai.core.usage import Usage
from betterai.providers.sambanova import PROVIDER
from runtime.upstream import Upstream, reply
from runtime.upstream import stream as stream_of
from wire.chats import as_sse, chunk, usage_event, whole

NAME = PROVIDER.defaults["text"]
COUNTS = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}


def at(upstream: Upstream) -> CoreConfig:
    return CoreConfig(api_key="k", base_url=upstream.url, retries=0)


async def test_a_chat() -> None:
    with Upstream(reply(200, whole({"content": "A", "reasoning": "hm"}, usage=COUNTS))) as upstream:
        settings = {"max_tokens": 5, "top_k": 3, "store": True}
        response = await betterai.Client().generate(f"sambanova/{NAME}", "Hello", config=at(upstream), **settings)  # type: ignore[arg-type]
        (request,) = upstream.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["Authorization"] == "Bearer k"
    assert request.body == {
        "model": NAME, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5, "top_k": 3,
    }  # fmt: skip
    assert (response.content, response.reasoning, response.usage) == ("A", "hm", Usage(text_in=9, text_out=5))
    assert [warning.field for warning in response.warnings] == ["store"]


async def test_a_stream() -> None:
    events = [chunk({"content": "A"}), chunk(finish="stop"), usage_event(**COUNTS)]
    with Upstream(stream_of([as_sse(events)])) as upstream:
        async with betterai.Client().stream(f"sambanova/{NAME}", "Hello", config=at(upstream)) as answer:
            assert [item.content async for item in answer if item.content] == ["A"]
        assert upstream.requests[0].body["stream_options"] == {"include_usage": True}
    assert answer.response is not None
    assert (answer.response.finish_reason, answer.response.usage) == ("stop", Usage(text_in=9, text_out=5))


async def test_an_error() -> None:
    error = {"error": {"message": "slow down", "type": "rate_limit_exceeded", "param": None, "code": None}}
    with Upstream(reply(429, error)) as upstream, pytest.raises(RateLimitError, match="slow down"):
        await betterai.Client().generate(f"sambanova/{NAME}", "Hello", config=at(upstream))
