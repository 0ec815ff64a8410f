"""A service on loopback, made of server halves only: each protocol of ours over a text provider, or relayed to one."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import uvicorn
from msgspec import UNSET
from msgspec.structs import replace

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.codec import TextCall, TextSurface
from betterai.core.wire import WireRequest, WireResponse
from betterai.runtime.relay import Relayed, relay
from betterai.runtime.text import CodecTextProvider
from betterai.wire.surfaces import SURFACES

PATHS = {
    r"/chat/completions$": "openai_chat",
    r"/responses$": "openai_responses",
    r"/messages$|:(rawPredict|streamRawPredict)$": "anthropic_messages",
    r":(generateContent|streamGenerateContent)$": "gemini",
}
SERVED = frozenset(PATHS.values())
VERSIONS = ("anthropic-version", "anthropic-beta", "openai-beta")
"""Headers that say how a body is to be understood: a relay passes them on."""
IDS = {"x-request-id": "req-1", "request-id": "req-1"}


class App:
    """The ASGI application (https://asgi.readthedocs.io), and what went through it: requests with their bodies as text
    and decoded, the bytes of each reply, and what a relay read on the way.
    """

    def __init__(self, provider: BaseTextProvider | None = None, *, relayed: bool = False) -> None:
        self.provider = provider or betterai.get_text_provider("local/echo")
        self.relays = relayed
        self.requests: list[WireRequest] = []
        self.bodies: list[Any] = []
        self.replies: list[bytes] = []
        self.relayed: list[Relayed] = []

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        protocol = next((name for pattern, name in PATHS.items() if re.search(pattern, scope["path"])), None)
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        request = WireRequest(url=f"{scope['path']}?{scope['query_string'].decode()}", headers=headers, body=body)
        if protocol is None:
            pieces = whole(WireResponse(status=404, body=b'{"error": {"message": "no such path"}}'))
        else:
            self.requests.append(request)
            self.bodies.append(json.loads(body))
            pieces = (self.pass_on if self.relays else self.answer)(protocol, SURFACES[protocol](), request)
        self.replies.append(b"")
        async with aclosing(pieces):
            async for item in pieces:
                if isinstance(item, WireResponse):
                    named = [(name.encode(), value.encode()) for name, value in {**item.headers, **IDS}.items()]
                    await send({"type": "http.response.start", "status": item.status, "headers": named})
                data = item.content if isinstance(item, WireResponse) else item
                self.replies[-1] += data
                await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body"})

    async def answer(self, _: str, surface: TextSurface, request: WireRequest) -> AsyncIterator[WireResponse | bytes]:
        """What the provider says: the head of the reply, and the pieces of its body."""
        try:
            call = self.read_call(surface, request)
            if not call.stream:
                response = await self.provider.generate(call.input, "echo", call.settings)
                yield surface.build_response(call, response)
                return
            chunks = self.provider.generate_stream(call.input, "echo", call.settings)
            first = await anext(chunks)
        except betterai.BetterAIError as error:
            yield surface.build_error(error)
            return
        state: dict[str, Any] = {}
        async with aclosing(chunks):
            yield WireResponse(status=200, headers={"content-type": "text/event-stream"})
            yield surface.build_event(call, first, state)
            try:
                async for chunk in chunks:
                    yield surface.build_event(call, chunk, state)
            except betterai.BetterAIError as error:
                yield surface.build_event(call, error, state)
            yield surface.build_event(call, None, state)

    def read_call(self, surface: TextSurface, request: WireRequest) -> TextCall:
        """The call; the field `local` of its body scripts the embedded provider, be it here or upstream."""
        call = surface.parse_request(request)
        settings = call.settings
        if not isinstance(self.provider, CodecTextProvider):
            extra = dict(settings.extra_body or {})
            settings = settings.replace(options={"local": extra.pop("local", {})}, extra_body=extra or UNSET)
        return replace(call, settings=settings.replace(extra_headers=UNSET), id="chatcmpl-judge", now=1_800_000_000.0)

    async def pass_on(
        self, protocol: str, surface: TextSurface, request: WireRequest
    ) -> AsyncIterator[WireResponse | bytes]:
        """What the upstream says, byte by byte."""
        assert isinstance(self.provider, CodecTextProvider)
        assert isinstance(request.body, bytes)
        versions = {name: value for name, value in request.headers.items() if name in VERSIONS}
        stream = surface.parse_request(request).stream
        self.relayed.append(
            relayed := await relay(self.provider, protocol, request.body, stream=stream, headers=versions)
        )
        yield WireResponse(status=relayed.status, headers=relayed.headers)
        async with aclosing(relayed.pieces()) as pieces:
            async for piece in pieces:
                yield piece


async def whole(response: WireResponse) -> AsyncIterator[WireResponse]:
    yield response


@asynccontextmanager
async def serve(provider: BaseTextProvider | None = None, *, relayed: bool = False) -> AsyncIterator[tuple[str, App]]:
    """The address of a running service, and the service."""
    app = App(provider, relayed=relayed)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])  # without its main loop, which looks about every tenth of a second only
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", app
    finally:
        while server.server_state.connections:
            for connection in tuple(server.server_state.connections):
                connection.shutdown()
            await asyncio.sleep(0)
        for socket_server in server.servers:
            socket_server.close()
        listener.close()
