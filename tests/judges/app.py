"""A service on loopback: our server half over a text provider, by default the embedded echo model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from msgspec import UNSET
from msgspec.structs import replace

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.codec import TextCall, TextSurface
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.openai_chat import OpenAIChatSurface
from betterai.wire.openai_responses import OpenAIResponsesSurface

SURFACES: Mapping[str, TextSurface] = {
    "chat/completions": OpenAIChatSurface(),
    "responses": OpenAIResponsesSurface(),
}
"""By the end of the path at which they are asked."""
PROVIDER = web.AppKey("provider", BaseTextProvider)
BODIES = web.AppKey("bodies", list)


async def read_call(surface: TextSurface, request: web.Request) -> TextCall:
    """The call; the field `local` of its body scripts the embedded provider."""
    body = await request.json()
    request.app[BODIES].append(body)
    call = surface.parse_request(WireRequest(url=request.path, body=body))
    extra = dict(call.settings.extra_body or {})
    options = {"local": extra.pop("local", {})}
    settings = call.settings.replace(extra_body=extra or UNSET, options=options)
    return replace(call, settings=settings, id="chatcmpl-judge", now=1_800_000_000.0)


async def answer(request: web.Request) -> web.StreamResponse:
    provider, surface = request.app[PROVIDER], SURFACES[request.match_info["protocol"]]
    try:
        call = await read_call(surface, request)
        if not call.stream:
            return respond(surface.build_response(call, await provider.generate(call.input, "echo", call.settings)))
        chunks = provider.generate_stream(call.input, "echo", call.settings)
        first = await anext(chunks)
    except betterai.BetterAIError as error:
        return respond(surface.build_error(error))
    state: dict[str, Any] = {}
    reply = web.StreamResponse(headers={"Content-Type": "text/event-stream", "x-request-id": "req-1"})
    await reply.prepare(request)
    await reply.write(surface.build_event(call, first, state))
    try:
        async for chunk in chunks:
            await reply.write(surface.build_event(call, chunk, state))
    except betterai.BetterAIError as error:
        await reply.write(surface.build_event(call, error, state))
    await reply.write(surface.build_event(call, None, state))
    return reply


def respond(built: WireResponse) -> web.Response:
    return web.Response(status=built.status, headers={**built.headers, "x-request-id": "req-1"}, body=built.content)


@asynccontextmanager
async def serve(provider: BaseTextProvider | None = None) -> AsyncIterator[tuple[str, list[Any]]]:
    """The address of a running service, and the bodies it received. Any path that ends in one of `SURFACES` is it."""
    app = web.Application()
    app[PROVIDER], app[BODIES] = provider or betterai.get_text_provider("local/echo"), []
    for path in SURFACES:
        app.router.add_post(f"/{{prefix:.*}}{{protocol:{path}}}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", app[BODIES]
    finally:
        await runner.cleanup()
