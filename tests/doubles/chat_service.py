"""A service that speaks Chat Completions on loopback: our server half over the embedded echo model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

import betterai
from betterai.core.wire import WireRequest
from betterai.wire.openai_chat import OpenAIChatSurface


async def answer(request: web.Request) -> web.StreamResponse:
    """One chat request, whole or streamed."""
    surface = OpenAIChatSurface()
    try:
        call = surface.parse_request(WireRequest(url=request.path, body=await request.read()))
        provider = betterai.get_text_provider("local/echo")
        if not call.stream:
            built = surface.build_response(call, await provider.generate(call.input, "echo", call.settings))
            return web.Response(status=built.status, headers=dict(built.headers), body=built.content)
        chunks = provider.generate_stream(call.input, "echo", call.settings)
        first = await anext(chunks)
    except betterai.BetterAIError as error:
        built = surface.build_error(error)
        return web.Response(status=built.status, headers=dict(built.headers), body=built.content)
    reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await reply.prepare(request)
    state: dict[str, Any] = {}
    await reply.write(surface.build_event(call, first, state))
    try:
        async for chunk in chunks:
            await reply.write(surface.build_event(call, chunk, state))
    except betterai.BetterAIError as error:
        await reply.write(surface.build_event(call, error, state))
    await reply.write(surface.build_event(call, None, state))
    return reply


@asynccontextmanager
async def serve_chat() -> AsyncIterator[str]:
    """The address of a running service; any path that ends in /chat/completions is answered."""
    app = web.Application()
    app.router.add_post("/{prefix:.*}chat/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
