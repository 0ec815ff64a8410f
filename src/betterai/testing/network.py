"""No network by accident: calls may go to this machine, and elsewhere only where the test says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from betterai.core.exceptions import BetterAIError
from betterai.runtime.stand_in import stand_in
from betterai.transport.address import read_url
from betterai.transport.egress import is_loopback

if TYPE_CHECKING:
    from betterai.core.config import Timeout
    from betterai.core.wire import WireRequest, WireResponse
    from betterai.transport.http import Endpoint, HTTPTransport, Reply


class NetworkDenied(BetterAIError):
    """A test wanted to reach another machine. `host` is its name."""

    def __init__(self, message: str = "", *, host: str = "", **details: Any) -> None:
        super().__init__(message, **details)
        self.host = host


class GuardedTransport:
    """What `HTTPTransport` does, but only on this machine and with the hosts in `allowed`."""

    def __init__(self, inner: HTTPTransport, allowed: frozenset[str]) -> None:
        self._inner = inner
        self._allowed = allowed

    async def send(self, request: WireRequest, endpoint: Endpoint, limits: Timeout) -> WireResponse:
        self._judge(request, endpoint)
        return await self._inner.send(request, endpoint, limits)

    async def open(self, request: WireRequest, endpoint: Endpoint, limits: Timeout) -> Reply:
        self._judge(request, endpoint)
        return await self._inner.open(request, endpoint, limits)

    def route(self, request: WireRequest, endpoint: Endpoint) -> Any:
        """WebSockets ask for this, and connect by themselves."""
        self._judge(request, endpoint)
        return self._inner.route(request, endpoint)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _judge(self, request: WireRequest, endpoint: Endpoint) -> None:
        host = (read_url(request.url, endpoint, keyed=False).host or "").rstrip(".").lower()
        if not is_loopback(host) and host not in self._allowed:
            raise NetworkDenied(
                f"this test may not reach {host}",
                host=host,
                hint="mark it with @pytest.mark.betterai_network, or name the host in the ini option "
                "betterai_allow_hosts, or give it a recording or a script (betterai.testing)",
            )


@contextmanager
def no_network(allow: Iterable[str] = ()) -> Iterator[None]:
    """Inside the block a call that would leave this machine raises `NetworkDenied`, but for the hosts in `allow`."""
    allowed = frozenset(host.lower() for host in allow)
    with stand_in(lambda transport, _: GuardedTransport(transport, allowed)):
        yield
