"""One aiohttp session for each event loop and reach. `asyncio.run` closes them by itself."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

import aiohttp

from betterai.core.data import Data
from betterai.transport.egress import any_socket, public_socket

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


class SessionOptions(Data, frozen=True, kw_only=True):
    """What a user may set for all connections. `proxy` is an URL; without it, the environment's proxies are used when
    `trust_env` is on. `ca_bundle` is a file with certificates.
    """

    headers: Mapping[str, str] = {}
    proxy: str | None = None
    trust_env: bool = False
    ca_bundle: str | None = None
    keepalive: float = 60.0


@lru_cache(maxsize=8)
def _ssl_context(ca_bundle: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_bundle)


def _drive(closing: Awaitable[None]) -> None:
    """Run a closing to its end without a loop: on a closed one there is nothing to wait for."""
    steps = closing.__await__()
    with suppress(StopIteration, RuntimeError):
        next(steps)


class Sessions:
    """Sessions by loop. Each is held by an async generator, which the loop closes when it shuts down."""

    def __init__(self, options: SessionOptions) -> None:
        self._options = options
        self._held: dict[
            tuple[int, bool], tuple[AbstractEventLoop, aiohttp.ClientSession, AsyncGenerator[None, None]]
        ] = {}

    async def get(self, *, private: bool) -> aiohttp.ClientSession:
        """The session of the running loop. `private` ones may reach private addresses."""
        loop = asyncio.get_running_loop()
        key = (id(loop), private)
        held = self._held.get(key)
        if held is not None and held[0] is loop and not held[1].closed:
            return held[1]
        self._drop_dead_loops()
        session = self._open(private)
        holder = self._hold(key, session)
        await anext(holder)
        self._held[key] = (loop, session, holder)
        return session

    async def aclose(self) -> None:
        """Close the running loop's sessions; those of other loops close with their loops."""
        loop = asyncio.get_running_loop()
        for held_loop, _, holder in list(self._held.values()):
            if held_loop is loop:
                await holder.aclose()

    def forget(self) -> None:
        """After a fork: the parent's sockets are not ours, and are not closed by us."""
        self._held.clear()

    async def _hold(self, key: tuple[int, bool], session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            held = self._held.get(key)
            if held is not None and held[1] is session:
                del self._held[key]
            await session.close()

    def _drop_dead_loops(self) -> None:
        """Loops that were closed without shutting down their generators leave sessions behind: close their sockets."""
        for key, (loop, session, _) in list(self._held.items()):
            if loop.is_closed():
                del self._held[key]
                if session.connector is not None:
                    _drive(session.connector.close())
                session.detach()

    def _open(self, private: bool) -> aiohttp.ClientSession:
        options = self._options
        proxied = options.proxy is not None or options.trust_env
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=options.keepalive,
            ssl=_ssl_context(options.ca_bundle),
            ttl_dns_cache=60,
            socket_factory=any_socket if private or proxied else public_socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            auto_decompress=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=options.headers,
            proxy=options.proxy,
            trust_env=options.trust_env,
            skip_auto_headers=("User-Agent",) if "User-Agent" in options.headers else (),
            requote_redirect_url=False,
        )
