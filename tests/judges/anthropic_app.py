"""A Messages service on loopback: our server half over a text provider, by default the embedded echo model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from msgspec import UNSET
from msgspec.structs import replace

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.codec import TextCall
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.anthropic_messages import AnthropicMessagesSurface

SURFACE = AnthropicMessagesSurface()
PROVIDER = web.AppKey("provider", BaseTextProvider)
REQUESTS = web.AppKey("requests", list)


async def read_call(request: web.Request) -> TextCall:
    """The call; the field `local` of its body scripts the embedded provider."""
    body = await request.json()
    request.app[REQUESTS].append((dict(request.headers), body))
    call = SURFACE.parse_request(WireRequest(url=request.path, headers=dict(request.headers), body=body))
    extra = dict(call.settings.extra_body or {})
    options = {"local": extra.pop("local", {})}
    settings = call.settings.replace(extra_body=extra or UNSET, extra_headers=UNSET, options=options)
    return replace(call, settings=settings, id="msg_judge", now=1_800_000_000.0)


async def answer(request: web.Request) -> web.StreamResponse:
    provider = request.app[PROVIDER]
    try:
        call = await read_call(request)
        if not call.stream:
            return respond(SURFACE.build_response(call, await provider.generate(call.input, "echo", call.settings)))
        chunks = provider.generate_stream(call.input, "echo", call.settings)
        first = await anext(chunks)
    except betterai.BetterAIError as error:
        return respond(SURFACE.build_error(error))
    state: dict[str, Any] = {}
    reply = web.StreamResponse(headers={"Content-Type": "text/event-stream", "request-id": "req_1"})
    await reply.prepare(request)
    await reply.write(SURFACE.build_event(call, first, state))
    try:
        async for chunk in chunks:
            await reply.write(SURFACE.build_event(call, chunk, state))
    except betterai.BetterAIError as error:
        await reply.write(SURFACE.build_event(call, error, state))
    await reply.write(SURFACE.build_event(call, None, state))
    return reply


def respond(built: WireResponse) -> web.Response:
    return web.Response(status=built.status, headers={**built.headers, "request-id": "req_1"}, body=built.content)


@asynccontextmanager
async def serve(provider: BaseTextProvider | None = None) -> AsyncIterator[tuple[str, list[Any]]]:
    """The address of a running service, and the headers and bodies it received."""
    app = web.Application()
    app[PROVIDER], app[REQUESTS] = provider or betterai.get_text_provider("local/echo"), []
    app.router.add_post("/{prefix:.*}messages", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", app[REQUESTS]
    finally:
        await runner.cleanup()
