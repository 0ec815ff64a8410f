"""Requests that go over aiohttp. One attempt."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import ExitStack
from functools import lru_cache
from math import inf
from typing import Any

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

from betterai.core.config import Timeout
from betterai.core.wire import WireRequest
from betterai.transport.aiohttp_client.reply import AiohttpReply, take_over
from betterai.transport.aiohttp_client.told import Told
from betterai.transport.body import encode_body, is_large
from betterai.transport.client.redirects import MAX_REDIRECTS
from betterai.transport.egress import EgressDenied, is_private_host
from betterai.transport.patience import Patience
from betterai.transport.route import Route


async def send(session: aiohttp.ClientSession, route: Route, request: WireRequest, patience: Patience) -> AiohttpReply:
    """Send, and return when the reply's head stands. A connection of the pool that turns out to be closed before
    anything was sent over it is passed over, but for large bodies.
    """
    with ExitStack() as files:
        large = is_large(request.body)
        body = await encode_body(request.body, route.headers, files) if large else request.body
        try:
            response = await _start(session, route, request, body, patience)
        except aiohttp.ClientConnectionError as error:
            if large or not _was_closed_while_idle(error):
                raise
            response = await _start(session, route, request, body, patience)
        if response.status < 200:
            response.close()
            raise ConnectionError("the server switched protocols unasked")
        take_over(response)
        return AiohttpReply(response)


def _start(
    session: aiohttp.ClientSession, route: Route, request: WireRequest, body: Any, patience: Patience
) -> Awaitable[aiohttp.ClientResponse]:
    return session.request(
        request.method,
        route.url,
        data=None if body is None else Told(body, patience),
        headers=route.headers,
        timeout=read_limits(patience.limits),
        allow_redirects=request.trust == "foreign",
        max_redirects=MAX_REDIRECTS,
        raise_for_status=False,
        proxy=route.proxy,
        middlewares=(judge_name,) if route.judged else None,
    )


def _was_closed_while_idle(error: BaseException) -> bool:
    """Whether a connection of the pool turned out to be closed before anything was written to it: then nothing was
    sent, and the same request may go over another one.
    """
    return any(isinstance(it, aiohttp.ClientConnectionResetError) for it in (error, error.__cause__))


@lru_cache(maxsize=64)
def read_limits(limits: Timeout) -> aiohttp.ClientTimeout:
    """Our limits as aiohttp's, until the head of the reply stands. There 0 would mean none at all, and long ones would
    be rounded up to whole seconds.
    """
    return aiohttp.ClientTimeout(
        total=_seconds(limits.total),
        connect=_seconds(limits.connect),
        sock_read=_seconds(limits.first_byte),
        ceil_threshold=1e9,
    )


def _seconds(limit: float) -> float | None:
    return None if limit == inf else max(limit, 0.001)


async def judge_name(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """Behind a proxy the final address is not ours to see: the name is judged instead, again after each redirect."""
    if is_private_host(str(request.url)):
        raise EgressDenied
    return await send(request)
