"""One aiohttp session for each event loop and reach: what goes through a proxy, over a WebSocket, or is large."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import aiohttp

from betterai.transport.aiohttp_client.reply import cut_off
from betterai.transport.client.dial import read_certificates
from betterai.transport.client.request import USER_AGENT
from betterai.transport.egress import SocketFactory
from betterai.transport.options import SessionOptions


class Session:
    """A session that may be held by its loop."""

    def __init__(self, options: SessionOptions, guard: SocketFactory) -> None:
        self._connector = _Connector(
            limit=0,
            keepalive_timeout=options.keepalive,
            ssl=read_certificates(options.ca_bundle) if options.ca_bundle is not None else True,
            ttl_dns_cache=60,
            socket_factory=guard,
        )
        self.session = aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT},
            requote_redirect_url=False,
            response_class=_Response,
        )
        self.session._retry_connection = False  # aiohttp has no public way to make one attempt only

    async def close(self) -> None:
        """Cut off what still runs, and let it hear of that: aiohttp closes connections without telling who reads of
        them, and these would wait until a time limit.
        """
        for connection in list(self._connector._acquired):
            if (transport := getattr(connection, "transport", None)) is not None:
                transport.abort()
        for _ in range(3):  # one round of the loop for the socket, and those that TLS puts in between
            await asyncio.sleep(0)
        await self.session.close()

    def forget(self) -> None:
        self.session.detach()


class _Response(aiohttp.ClientResponse):
    """Is closed at once, also where aiohttp does it: when a call ends before its headers stand."""

    def close(self) -> None:
        cut_off(self)
        super().close()


class _Connector(aiohttp.TCPConnector):
    """Touches no loop that is closed, or that a fork left to the parent, where closing a socket would take it out of
    the parent's selector as well.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._home = (os.getpid(), asyncio.get_running_loop())

    def __del__(self, *unused: Any) -> None:
        process, loop = self._home
        if process == os.getpid() and not loop.is_closed():
            super().__del__(*unused)
