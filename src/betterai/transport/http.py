"""HTTP: send, stream, download. One attempt, four time limits, typed failures."""

from __future__ import annotations

from asyncio import timeout
from collections.abc import Awaitable
from contextlib import ExitStack
from functools import lru_cache
from math import inf
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse
from yarl import URL

from betterai.core.config import Timeout
from betterai.core.data import Data
from betterai.core.events import Listener, TransportEvent
from betterai.core.exceptions import ConfigurationError, TotalTimeout, ValidationError
from betterai.core.wire import WireRequest, WireResponse
from betterai.transport.address import Endpoint, read_url
from betterai.transport.auth import Completion, sign
from betterai.transport.body import encode_body, is_large
from betterai.transport.egress import EgressDenied, SocketFactory, is_private_host, public_socket
from betterai.transport.failures import read_failure
from betterai.transport.patience import Patience, take_over
from betterai.transport.reply import Reply
from betterai.transport.sessions import SessionOptions, Sessions
from betterai.transport.telemetry import watch

MAX_REDIRECTS = 5

__all__ = ["Endpoint", "HTTPTransport", "Reply", "Route", "SessionOptions", "TransportEvent"]


class Route(Data, frozen=True, kw_only=True):
    """Where a request goes, signed, and who carries it."""

    url: URL
    headers: dict[str, str]
    session: aiohttp.ClientSession
    proxy: str | None = None
    judges: tuple[ClientMiddlewareType, ...] = ()
    complete: Completion | None = None
    """What is still to be awaited before it is signed."""


class HTTPTransport:
    """Sends requests. `on_event` is called with a `TransportEvent` at the end of each attempt.

    `session` is one of yours: it carries what goes to providers, and its egress is yours to guard; what goes elsewhere
    is never given to it. `guard` judges the addresses of requests that may not go to private places.
    """

    def __init__(
        self,
        options: SessionOptions | None = None,
        *,
        session: aiohttp.ClientSession | None = None,
        on_event: Listener | None = None,
        guard: SocketFactory = public_socket,
    ) -> None:
        self._options = options or SessionOptions()
        self._proxied = self._options.proxy is not None or self._options.trust_env
        self._sessions = Sessions(self._options, guard)
        self._own_session = session
        self.on_event = on_event

    async def send(self, request: WireRequest, endpoint: Endpoint, limits: Timeout) -> WireResponse:
        """Send, and read the whole reply, whatever its status."""
        reply = await self.open(request, endpoint, limits)
        if request.reply == "file" and reply.status < 300:
            return await reply.save()
        return await reply.read()

    async def open(self, request: WireRequest, endpoint: Endpoint, limits: Timeout) -> Reply:
        """Send, and return when the reply's headers stand. Raises our timeouts and `APIConnectionError`."""
        route = self.route(request, endpoint)
        if route.complete is not None:
            await complete_route(route, request.method, request.body, limits)
        foreign = request.trust == "foreign"
        finish = watch(self.on_event, request.method, route.url, route.headers, request.query, endpoint.values)
        uploading = is_large(request.body)
        patience = Patience(limits, uploading=uploading)
        repeatable = not uploading
        while True:
            try:
                if uploading:
                    response = await _upload(route, request, limits)
                else:
                    response = await _start(route, request, request.body, read_connect_limit(limits.connect))
                largest = self._options.max_foreign_bytes if foreign else self._options.max_reply_bytes
                return Reply(response, patience, largest, finish, self._sessions)
            except BaseException as error:
                if repeatable and _was_closed_while_idle(error):
                    repeatable = False
                    continue
                failure = patience.judge(error) or read_failure(error, limits)
                finish(None, failure)
                patience.end()
            raise failure

    def route(self, request: WireRequest, endpoint: Endpoint) -> Route:
        """Where a request goes. Raises `ValidationError` before anything is sent where the key may not go there."""
        complete = None
        trusted = request.trust == "provider"
        url = read_url(request.url, endpoint, keyed=trusted)
        query = dict(request.query)
        if not trusted:
            headers = dict(request.headers)
        else:
            headers = {**self._options.headers, **endpoint.headers, **request.headers}
            complete = sign(endpoint.auth, endpoint.values, headers, query)
        if query:
            url = _extend_query(url, query)
        if trusted and self._own_session is not None:
            return Route(url=url, headers=headers, session=self._own_session, complete=complete)
        proxy = self._find_proxy(url) if self._proxied else None
        private = proxy is not None or (trusted and endpoint.private)
        session = self._sessions.get(private=private)
        judges = () if trusted or proxy is None else (_judge_name,)
        return Route(url=url, headers=headers, session=session, proxy=proxy, judges=judges, complete=complete)

    def _find_proxy(self, url: URL) -> str | None:
        proxy = self._options.proxy
        if proxy is None and not proxy_bypass(f"{url.host}:{url.port}"):
            proxy = getproxies().get(url.scheme)
        if proxy is None or proxy.startswith(("http://", "https://")):
            return proxy
        raise ConfigurationError("the proxy's URL is not an http or https one", hint="give another proxy")

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        await self._sessions.aclose()


async def complete_route(route: Route, method: str, body: Any, limits: Timeout) -> None:
    """Sign what a key alone cannot, which may fetch a token first: the attempt's whole time holds for that too."""
    assert route.complete is not None
    try:
        async with timeout(_seconds(limits.total)):
            await route.complete(method, route.url, route.headers, body)
    except TimeoutError:
        raise TotalTimeout(f"what the request is signed with did not come within {limits.total:g} s") from None


async def _upload(route: Route, request: WireRequest, limits: Timeout) -> ClientResponse:
    with ExitStack() as files:
        response = await _start(
            route, request, await encode_body(request.body, route.headers, files), read_limits(limits)
        )
        take_over(response)
        return response


def _start(
    route: Route, request: WireRequest, data: Any, timeout: aiohttp.ClientTimeout
) -> Awaitable[aiohttp.ClientResponse]:
    return route.session.request(
        request.method,
        route.url,
        data=data,
        headers=route.headers,
        timeout=timeout,
        allow_redirects=request.trust == "foreign",
        max_redirects=MAX_REDIRECTS,
        raise_for_status=False,
        proxy=route.proxy,
        middlewares=route.judges or None,
    )


def _was_closed_while_idle(error: BaseException) -> bool:
    """Whether a connection of the pool turned out to be closed before anything was written to it: then nothing was
    sent, and the same request may go over another one.
    """
    return isinstance(error, aiohttp.ClientConnectionError) and any(
        isinstance(it, aiohttp.ClientConnectionResetError) for it in (error, error.__cause__)
    )


def _extend_query(url: URL, query: dict[str, str]) -> URL:
    try:
        return url.extend_query(query)
    except (TypeError, ValueError) as error:
        raise ValidationError(f"the query cannot be sent as it is: {error}", hint="its values are texts") from error


@lru_cache(maxsize=64)
def read_connect_limit(seconds: float) -> aiohttp.ClientTimeout:
    """The one limit that aiohttp keeps for us: it takes a timer only where a connection is made."""
    return aiohttp.ClientTimeout(total=None, connect=_seconds(seconds), ceil_threshold=1e9)


@lru_cache(maxsize=64)
def read_limits(limits: Timeout) -> aiohttp.ClientTimeout:
    """Our limits as aiohttp's. There 0 would mean none at all, and long ones would be rounded up to whole seconds."""
    return aiohttp.ClientTimeout(
        total=_seconds(limits.total),
        connect=_seconds(limits.connect),
        sock_read=_seconds(limits.first_byte),
        ceil_threshold=1e9,
    )


def _seconds(limit: float) -> float | None:
    return None if limit == inf else max(limit, 0.001)


async def _judge_name(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """Behind a proxy the final address is not ours to see: the name is judged instead, again after each redirect."""
    if is_private_host(str(request.url)):
        raise EgressDenied
    return await send(request)
