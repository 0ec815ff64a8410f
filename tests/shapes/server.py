"""A loopback service whose answers a test scripts, request by request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from betterai.core.config import CoreConfig, Retries
from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.runtime.connection import Connection

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serve(handler: Handler) -> AsyncIterator[str]:
    """The base URL of a server that hands every request to `handler`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def connect(url: str, retries: Retries | None = None) -> Connection:
    """A connection to it, signed with a key."""
    provider = Provider(
        name="fake", base_url=url, auth=BearerAuth(), settings=(Setting(name="api_key", secret=True, required=False),)
    )
    return Connection(provider, CoreConfig(api_key="test-key", base_url=url, retries=retries or Retries(base=0.001)))
