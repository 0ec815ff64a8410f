"""The relay: bytes pass through as they are, but for the model's name; the usage is read on the way."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai.runtime.relay import relay
from betterai.runtime.text import CodecTextProvider
from shapes.server import serve

USAGE = b'{"prompt_tokens":1000000,"completion_tokens":0,"total_tokens":1000000,"vendor":[1, 2]}'
WHOLE = (
    b'{"id":"x", "odd" : true,"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":'
    + USAGE
    + b"}"
)
STREAM = (
    b': a comment\r\ndata: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\r\n\r\n'
    b'event: odd\ndata: {"choices":[],"usage":' + USAGE + b"}\n\ndata: [DONE]\n\n"
)


class Upstream:
    """Answers whole or streamed, and remembers what it was asked."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.keys: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        self.keys.append(request.headers["Authorization"])
        body: dict[str, Any] = json.loads(self.bodies[-1])
        if body["model"] == "missing":
            return web.Response(status=404, body=b'{"error":{"message":"no"}}', content_type="application/json")
        if not body.get("stream"):
            return web.Response(body=WHOLE, content_type="application/json", headers={"x-request-id": "r1"})
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        for start in range(0, len(STREAM), 7):
            await reply.write(STREAM[start : start + 7])
        return reply


def make_provider(url: str, model: str = "gpt-4o-mini") -> CodecTextProvider:
    config = betterai.CoreConfig(
        model=f"openai/{model}", protocol="openai_chat", base_url=f"{url}/v1", api_key="upstream-key"
    )
    provider = betterai.get_text_provider(config)
    assert isinstance(provider, CodecTextProvider)
    return provider


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_bytes_pass_unchanged_and_usage_is_read(stream: bool) -> None:
    upstream = Upstream()
    sent = b'{"model":"alias", "stream":%s,"odd":{"a":[1,2 ,null]},"temperature":0.50}' % (
        b"true" if stream else b"false"
    )
    async with serve(upstream) as url:
        relayed = await relay(make_provider(url), "openai_chat", sent)
        received = b"".join([piece async for piece in relayed.pieces()])
    assert received == (STREAM if stream else WHOLE)
    assert relayed.status == 200
    assert json.loads(upstream.bodies[0]) == {**json.loads(sent), "model": "gpt-4o-mini"}
    assert b'"odd":{"a":[1,2 ,null]}' in upstream.bodies[0]
    assert upstream.keys == ["Bearer upstream-key"]
    assert relayed.usage is not None
    assert relayed.usage.input_tokens == 1_000_000
    assert relayed.cost.amount == Decimal("0.15")


async def test_errors_pass_unchanged_too() -> None:
    async with serve(Upstream()) as url:
        relayed = await relay(make_provider(url, "missing"), "openai_chat", b'{"model":"x"}')
        received = b"".join([piece async for piece in relayed.pieces()])
    assert (relayed.status, received) == (404, b'{"error":{"message":"no"}}')
    assert relayed.usage is None
    assert relayed.cost.status == "unknown"


async def test_another_protocol_is_refused() -> None:
    with pytest.raises(betterai.ConfigurationError, match="speaks openai_chat"):
        await relay(make_provider("http://127.0.0.1:9"), "anthropic_messages", b"{}")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_where_the_url_names_the_model_the_body_names_none(stream: bool) -> None:
    seen: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.path_qs, await request.read()))
        return web.json_response({})

    async with serve(answer) as url:
        config = betterai.CoreConfig(model="google/gemini-2.5-flash", base_url=url, api_key="k")
        provider = betterai.get_text_provider(config)
        assert isinstance(provider, CodecTextProvider)
        for sent in (b'{"contents": [ 1.50]}', b'{"model":"models/alias","contents":[1.50]}'):
            relayed = await relay(provider, "gemini", sent, stream=stream)
            assert b"".join([piece async for piece in relayed.pieces()]) == b"{}"
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    path = f"/v1beta/models/gemini-2.5-flash:{method}"
    assert seen == [(path, b'{"contents": [ 1.50]}'), (path, b'{"contents":[1.50]}')]


@pytest.mark.parametrize(
    ("protocol", "path"), [("openai_chat", "/chat/completions"), ("openai_responses", "/responses")]
)
async def test_a_vendor_of_two_protocols_is_relayed_to_in_both(protocol: str, path: str) -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.json_response({})

    async with serve(answer) as url:
        provider = betterai.get_text_provider(
            betterai.CoreConfig(model="openai/gpt-4o-mini", base_url=url, api_key="k")
        )
        assert isinstance(provider, CodecTextProvider)
        relayed = await relay(provider, protocol, b'{"model":"x"}')
        assert b"".join([piece async for piece in relayed.pieces()]) == b"{}"
        with pytest.raises(betterai.ConfigurationError, match="speaks openai_responses, openai_chat, not gemini"):
            await relay(provider, "gemini", b"{}")
    assert seen == [path]
