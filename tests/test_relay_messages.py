"""The relay over Messages: the client's version of the protocol, and usage that is stated in two places."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai.runtime.relay import relay
from betterai.runtime.text import CodecTextProvider
from shapes.server import serve
from wire.messages import BEGIN, END, ended, event, text

FULL = {"input_tokens": 9, "output_tokens": 2, "cache_read_input_tokens": 4}


def frames(*events: bytes) -> bytes:
    return b"".join(b"event: x\ndata: " + data + b"\n\n" for data in events)


BEGUN = event("message_start", message={"id": "m", "usage": {**FULL, "output_tokens": 1}})
STREAMS = {
    "said at the beginning": (frames(BEGUN, *text(0, "A"), ended(usage={"output_tokens": 2}), END), (9, 4, 2)),
    "said again at the end": (frames(BEGIN, *text(0, "A"), ended(usage=FULL), END), (9, 4, 2)),
}


@pytest.mark.parametrize("name", STREAMS)
async def test_bytes_pass_and_all_of_the_usage_is_read(name: str) -> None:
    body, (fresh, read, output) = STREAMS[name]
    seen: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(
            (request.path, request.headers["anthropic-version"], request.headers["x-api-key"], await request.read())
        )
        return web.Response(body=body, content_type="text/event-stream")

    async with serve(answer) as url:
        config = betterai.CoreConfig(model="anthropic/claude-haiku-4-5", base_url=url, api_key="k")
        provider = betterai.get_text_provider(config)
        assert isinstance(provider, CodecTextProvider)
        said = {"Anthropic-Version": "2023-06-01"}
        sent = b'{"model":"x","temperature":0.50,"messages":[]}'
        relayed = await relay(provider, "anthropic_messages", sent, stream=True, headers=said)
        received = b"".join([piece async for piece in relayed.pieces()])
    assert received == body
    assert seen == [
        ("/v1/messages", "2023-06-01", "k", b'{"model":"claude-haiku-4-5","temperature":0.50,"messages":[]}')
    ]
    usage = relayed.usage
    assert usage is not None
    assert (usage.text_in, usage.cache_read_tokens, usage.output_tokens) == (fresh, read, output)
