"""Redirects, followed by requests that carry no key: each target is judged anew when it is dialled."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from yarl import URL

from betterai.core.wire import WireRequest
from betterai.transport.client.connection import Exchange
from betterai.transport.client.pool import Pool
from betterai.transport.client.request import write_request
from betterai.transport.failures import not_callable, too_many_redirects
from betterai.transport.patience import Patience
from betterai.transport.route import Route

MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)

_PERSONAL = ("authorization", "cookie", "proxy-authorization")


def ask(pool: Pool, route: Route, request: WireRequest, patience: Patience) -> Awaitable[Exchange]:
    """Send a request whose body is bytes, and follow where its replies lead if it carries no key."""
    body: Any = request.body
    if request.trust == "foreign":
        return _follow(pool, request.method, route.url, route.headers, body, patience)
    origin, message = write_request(request.method, route.url, route.headers, body)
    return pool.ask(origin, message, bodiless=request.method == "HEAD", patience=patience)


async def _follow(
    pool: Pool, method: str, url: URL, headers: dict[str, str], body: bytes | None, patience: Patience
) -> Exchange:
    for _ in range(MAX_REDIRECTS):
        origin, message = write_request(method, url, headers, body)
        exchange = await pool.ask(origin, message, bodiless=method == "HEAD", patience=patience)
        if exchange.status not in REDIRECTS or "location" not in exchange.headers:
            return exchange
        exchange.abort()
        if exchange.status == 303 or (exchange.status < 303 and method == "POST"):
            method, body = ("HEAD" if method == "HEAD" else "GET"), None
            headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
        target = _read_target(url, exchange.headers["location"])
        if target.origin() != url.origin():
            headers = {name: value for name, value in headers.items() if name.lower() not in _PERSONAL}
        url = target
    raise too_many_redirects()


def _read_target(url: URL, location: str) -> URL:
    try:
        written = location.isascii() and location.isprintable() and " " not in location
        target = url.join(URL(location, encoded=written))
        if target.scheme in ("http", "https") and target.raw_host:
            return target
    except ValueError:
        pass
    raise not_callable()
