"""A service on loopback, made of server halves only: each protocol of ours over a text provider, or relayed to one."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import uvicorn
from msgspec import UNSET
from msgspec.structs import replace

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.codec import TextCall, TextSurface
from betterai.core.wire import WireRequest, WireResponse
from betterai.runtime.relay import relay
from betterai.runtime.text import CodecTextProvider
from betterai.wire.surfaces import SURFACES

PATHS = {
    r"/chat/completions$": "openai_chat",
    r"/responses$": "openai_responses",
    r"/messages$|:(rawPredict|streamRawPredict)$": "anthropic_messages",
    r":(generateContent|streamGenerateContent)$": "gemini",
}
SERVED = frozenset(PATHS.values()) & SURFACES.keys()
Send = Callable[[dict[str, Any]], Awaitable[None]]


class App:
    """The ASGI application (https://asgi.readthedocs.io). `bodies` are the decoded requests that it received."""

    def __init__(self, provider: BaseTextProvider, *, relayed: bool = False) -> None:
        self.provider = provider
        self.relayed = relayed
        self.bodies: list[Any] = []

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Send
    ) -> None:
        path, query = scope["path"], scope["query_string"].decode()
        name = next((name for pattern, name in PATHS.items() if re.search(pattern, path)), "")
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if name not in SURFACES:
            return await respond(send, WireResponse(status=404, body=b'{"error": {"message": "no such path"}}'))
        self.bodies.append(json.loads(body))
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        request = WireRequest(url=f"{path}?{query}", headers=headers, body=self.bodies[-1])
        surface = SURFACES[name]()
        try:
            if self.relayed and isinstance(self.provider, CodecTextProvider):
                streamed = surface.parse_request(request).stream
                return await pass_on(await relay(self.provider, name, body, stream=streamed), send)
            await self.answer(surface, read_call(surface, request), send)
        except betterai.BetterAIError as error:
            await respond(send, surface.build_error(error))

    async def answer(self, surface: TextSurface, call: TextCall, send: Send) -> None:
        if not call.stream:
            response = await self.provider.generate(call.input, "echo", call.settings)
            await respond(send, surface.build_response(call, response))
            return
        state: dict[str, Any] = {}
        async with aclosing(self.provider.generate_stream(call.input, "echo", call.settings)) as chunks:
            first = await anext(chunks)
            await begin(send, 200, {"content-type": "text/event-stream"})
            await write(send, surface.build_event(call, first, state))
            try:
                async for chunk in chunks:
                    await write(send, surface.build_event(call, chunk, state))
            except betterai.BetterAIError as error:
                await write(send, surface.build_event(call, error, state))
        await write(send, surface.build_event(call, None, state), more=False)


def read_call(surface: TextSurface, request: WireRequest) -> TextCall:
    """The call; the field `local` of its body scripts the embedded provider."""
    call = surface.parse_request(request)
    extra = dict(call.settings.extra_body or {})
    options = {"local": extra.pop("local", {})}
    settings = call.settings.replace(extra_body=extra or UNSET, options=options)
    return replace(call, settings=settings, id="chatcmpl-judge", now=1_800_000_000.0)


async def pass_on(relayed: Any, send: Send) -> None:
    await begin(send, relayed.status, relayed.headers)
    async with aclosing(relayed.pieces()) as pieces:
        async for piece in pieces:
            await write(send, piece)
    await write(send, b"", more=False)


async def respond(send: Send, built: WireResponse) -> None:
    await begin(send, built.status, {"content-type": "application/json", **built.headers})
    await write(send, built.content, more=False)


async def begin(send: Send, status: int, headers: Any) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in {**headers, "x-request-id": "req-1"}.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def write(send: Send, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


@asynccontextmanager
async def serve(
    provider: BaseTextProvider | None = None, *, relayed: bool = False
) -> AsyncIterator[tuple[str, list[Any]]]:
    """The address of a running service, and the bodies it received."""
    app = App(provider or betterai.get_text_provider("local/echo"), relayed=relayed)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=5))
    running = asyncio.create_task(server._serve([listener]))  # the public one would take over the signal handlers
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", app.bodies
    finally:
        server.should_exit = True
        await running
