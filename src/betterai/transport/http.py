"""HTTP: send, stream, download. One attempt, four time limits, typed failures."""

from __future__ import annotations

from asyncio import timeout
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

from yarl import URL

from betterai.core.config import Timeout
from betterai.core.events import Listener, TransportEvent
from betterai.core.exceptions import ConfigurationError, TotalTimeout, ValidationError
from betterai.core.wire import JSON_HEADERS, WireRequest, WireResponse
from betterai.transport.address import Endpoint, read_url
from betterai.transport.auth import FIXED, sign
from betterai.transport.body import is_large
from betterai.transport.client.pool import Pool
from betterai.transport.client.redirects import ask
from betterai.transport.egress import SocketFactory, any_socket, public_socket
from betterai.transport.failures import read_failure
from betterai.transport.held import PerLoop
from betterai.transport.incoming import Incoming
from betterai.transport.options import SessionOptions
from betterai.transport.patience import Patience
from betterai.transport.reply import Reply
from betterai.transport.route import Route
from betterai.transport.telemetry import watch

if TYPE_CHECKING:
    import aiohttp

    from betterai.transport.aiohttp_client.sessions import Session

__all__ = ["Endpoint", "HTTPTransport", "Reply", "Route", "SessionOptions", "TransportEvent"]


MOST_ROUTES = 256


class HTTPTransport:
    """Sends requests. `on_event` is called with a `TransportEvent` at the end of each attempt.

    `session` is one of yours: it carries what goes to providers, and its egress is yours to guard; what goes elsewhere
    is never given to it. `guard` judges the addresses of requests that may not go to private places.
    """

    direct = True
    """Whether our own client carries what it can; all goes over aiohttp otherwise."""

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
        self._guard = guard
        self._pools: PerLoop[Pool] = PerLoop(_pool_opener(self._options, guard))
        self._sessions: PerLoop[Session] | None = None
        self._routes: dict[tuple[str, int], tuple[Route, Endpoint]] = {}
        """By path and endpoint, which is held beside the route: so its id is nobody else's."""
        self._own_session = session
        self.on_event = on_event

    @property
    def heartbeat(self) -> float:
        return self._options.heartbeat

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
        finish = watch(self.on_event, request.method, route.url, route.headers, request.query, endpoint.values)
        ours = route.direct and self.direct and not is_large(request.body)
        patience = Patience(limits) if ours else Patience(limits, find_first(limits, request))
        incoming: Incoming
        try:
            if ours:
                incoming = await ask(self._pools.get(private=route.private), route, request, patience)
            else:
                incoming = await self._send_over_aiohttp(route, request, patience)
            options = self._options
            largest = options.max_foreign_bytes if request.trust == "foreign" else options.max_reply_bytes
            keep = self._pools, self._sessions
            return Reply(incoming, patience, largest, finish, keep, options.max_file_bytes)
        except BaseException as error:
            failure = patience.judge(error) or read_failure(error, limits)
            finish(None, failure)
            patience.end()
        raise failure

    async def _send_over_aiohttp(self, route: Route, request: WireRequest, patience: Patience) -> Incoming:
        from betterai.transport.aiohttp_client.requests import send

        return await send(self.session(route), route, request, patience)

    def session(self, route: Route) -> aiohttp.ClientSession:
        """What carries a route that our own client does not."""
        if route.session is not None:
            return route.session
        if self._sessions is None:
            self._sessions = PerLoop(_session_opener(self._options, self._guard))
        return self._sessions.get(private=route.private).session

    def route(self, request: WireRequest, endpoint: Endpoint) -> Route:
        """Where a request goes. Raises `ValidationError` before anything is sent where the key may not go there.

        The usual ones are found once: no query or headers of their own, and signed alike each time.
        """
        if request.headers is not JSON_HEADERS or request.query or request.trust != "provider" or self._proxied:
            return self._find_route(request, endpoint)
        place = request.url, id(endpoint)
        if (known := self._routes.get(place)) is not None:
            return known[0]
        route = self._find_route(request, endpoint)
        if isinstance(endpoint.auth, FIXED):
            if len(self._routes) >= MOST_ROUTES:
                self._routes.clear()
            self._routes[place] = route, endpoint
        return route

    def _find_route(self, request: WireRequest, endpoint: Endpoint) -> Route:
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
        return Route(
            url=url,
            headers=headers,
            private=proxy is not None or (trusted and endpoint.private),
            proxy=proxy,
            judged=proxy is not None and not trusted,
            complete=complete,
        )

    def _find_proxy(self, url: URL) -> str | None:
        from urllib.request import getproxies, proxy_bypass

        proxy = self._options.proxy
        if proxy is None and not proxy_bypass(f"{url.host}:{url.port}"):
            proxy = getproxies().get(url.scheme)
        if proxy is None or proxy.startswith(("http://", "https://")):
            return proxy
        raise ConfigurationError("the proxy's URL is not an http or https one", hint="give another proxy")

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        await self._pools.aclose()
        if self._sessions is not None:
            await self._sessions.aclose()


def _pool_opener(options: SessionOptions, guard: SocketFactory) -> Callable[[bool], Pool]:
    """Outside of the transport, which must not be kept alive by what it holds."""

    def open_pool(private: bool) -> Pool:
        keepalive = options.keepalive
        return Pool(any_socket if private else guard, ca_bundle=options.ca_bundle, keepalive=keepalive)

    return open_pool


def _session_opener(options: SessionOptions, guard: SocketFactory) -> Callable[[bool], Session]:
    from betterai.transport.aiohttp_client.sessions import Session

    return lambda private: Session(options, any_socket if private else guard)


def find_first(limits: Timeout, request: WireRequest) -> float:
    """In how many seconds the reply to what goes over aiohttp must begin. With a body, its end says more; without one,
    aiohttp sees to silence itself, and this to what drips.
    """
    return limits.connect + limits.first_byte if request.body is None else inf


async def complete_route(route: Route, method: str, body: Any, limits: Timeout) -> None:
    """Sign what a key alone cannot, which may fetch a token first: the attempt's whole time holds for that too."""
    assert route.complete is not None
    try:
        async with timeout(None if limits.total == inf else max(limits.total, 0.001)):
            await route.complete(method, route.url, route.headers, body)
    except TimeoutError:
        raise TotalTimeout(f"what the request is signed with did not come within {limits.total:g} s") from None


def _extend_query(url: URL, query: dict[str, str]) -> URL:
    try:
        return url.extend_query(query)
    except (TypeError, ValueError) as error:
        raise ValidationError(f"the query cannot be sent as it is: {error}", hint="its values are texts") from error
