"""A service on loopback that speaks Gemini: our server half over a text provider, by default the embedded echo model."""

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
from betterai.wire.gemini import GeminiSurface
from doubles.servers import web_server

SURFACE = GeminiSurface()


class Service:
    """What it was asked, and who answers. The field `local` of a body scripts the embedded provider."""

    def __init__(self, provider: BaseTextProvider | None) -> None:
        self.provider = provider or betterai.get_text_provider("local/echo")
        self.requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, body, _ in self.requests]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append((request.path_qs, body, dict(request.headers)))
        if request.path.endswith(":countTokens"):
            return web.json_response({"totalTokens": 7})
        try:
            return await self._respond(request, self._read(request, body))
        except betterai.BetterAIError as error:
            return respond(SURFACE.build_error(error))

    def _read(self, request: web.Request, body: dict[str, Any]) -> TextCall:
        call = SURFACE.parse_request(WireRequest(url=request.path_qs, query=dict(request.query), body=body))
        extra = dict(call.settings.extra_body or {})
        settings = call.settings.replace(options={"local": extra.pop("local", {})})
        return replace(call, settings=settings.replace(extra_body=extra or UNSET), id="judge", now=1_800_000_000.0)

    async def _respond(self, request: web.Request, call: TextCall) -> web.StreamResponse:
        if not call.stream:
            return respond(
                SURFACE.build_response(call, await self.provider.generate(call.input, "echo", call.settings))
            )
        chunks = self.provider.generate_stream(call.input, "echo", call.settings)
        state: dict[str, Any] = {}
        first = await anext(chunks)
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
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
    return web.Response(status=built.status, headers=built.headers, body=built.content)


@asynccontextmanager
async def serve(provider: BaseTextProvider | None = None) -> AsyncIterator[tuple[str, Service]]:
    """The address of a running service, and what it was asked."""
    service = Service(provider)
    async with web_server(service.answer) as url:
        yield url, service
