"""Making connections: names looked up, each address judged, the first that answers taken, TLS spoken."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain, zip_longest
from typing import Any, TypeVar

from betterai.core.exceptions import ConfigurationError
from betterai.transport.egress import AddressInfo, EgressDenied, SocketFactory
from betterai.transport.failures import ConnectError

NAME_SECONDS = 60.0
"""How long an address that was found is good for."""
HEAD_START = 0.25
"""Seconds that an address has before the next one is tried as well (RFC 8305)."""

_MAX_NAMES = 256

P = TypeVar("P", bound=asyncio.BaseProtocol)


class Dialer:
    """Makes the connections of one event loop. `guard` judges each address, and opens its socket."""

    def __init__(self, guard: SocketFactory, ca_bundle: str | None) -> None:
        self._guard = guard
        self._ca_bundle = ca_bundle
        self._loop = asyncio.get_running_loop()
        self._found: dict[tuple[str, int], tuple[float, Sequence[AddressInfo]]] = {}
        self._looking: dict[tuple[str, int], asyncio.Task[Sequence[AddressInfo]]] = {}

    async def dial(self, scheme: str, host: str, port: int, make: Callable[[], P]) -> P:
        """A connection that is ready for the first request. Raises `ConnectError`."""
        context = read_certificates(self._ca_bundle, _certificate_variables()) if scheme == "https" else None
        try:
            opened = await _race(self._loop, await self._look_up(host, port), self._guard)
            try:
                _, protocol = await self._loop.create_connection(
                    make, sock=opened, ssl=context, server_hostname=host.rstrip(".") if context else None
                )
            except BaseException:
                opened.close()
                raise
        except OSError as error:
            raise ConnectError(host, port, error) from None
        return protocol

    async def _look_up(self, host: str, port: int) -> Sequence[AddressInfo]:
        """Many calls at once to a name that is new share one look-up, and none of them ends it for the others."""
        if (literal := _read_literal(host, port)) is not None:
            return (literal,)
        key = (host, port)
        found = self._found.get(key)
        if found is not None and self._loop.time() < found[0]:
            return found[1]
        looking = self._looking.get(key)
        if looking is None:
            looking = self._looking[key] = self._loop.create_task(self._find(key))
            looking.add_done_callback(lambda _: self._looking.pop(key, None))
            looking.add_done_callback(_look_at)
        return await asyncio.shield(looking)

    async def _find(self, key: tuple[str, int]) -> Sequence[AddressInfo]:
        infos = await self._loop.getaddrinfo(*key, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        addresses = _alternate(infos)
        if len(self._found) >= _MAX_NAMES:
            self._found.clear()
        self._found[key] = (self._loop.time() + NAME_SECONDS, addresses)
        return addresses


def _read_literal(host: str, port: int) -> AddressInfo | None:
    for family, more in ((socket.AF_INET, ()), (socket.AF_INET6, (0, 0))):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, *more))
    return None


def _look_at(task: asyncio.Task[Any]) -> None:
    """So that nothing is said of an error that everybody has stopped waiting for."""
    if not task.cancelled():
        task.exception()


def _alternate(infos: Sequence[AddressInfo]) -> Sequence[AddressInfo]:
    """The families in turn, that of the first address first: one that leads nowhere costs one head start."""
    first = [info for info in infos if info[0] == infos[0][0]]
    others = [info for info in infos if info[0] != infos[0][0]]
    return [info for info in chain.from_iterable(zip_longest(first, others)) if info is not None]


async def _race(loop: AbstractEventLoop, infos: Sequence[AddressInfo], guard: SocketFactory) -> socket.socket:
    """The first of the addresses that answers; each has a head start over the next one."""
    if len(infos) == 1:
        return await _connect(loop, infos[0], guard)
    waiting = list(infos)
    running: set[asyncio.Task[socket.socket]] = set()
    errors: list[OSError] = []
    try:
        while waiting or running:
            if waiting:
                running.add(loop.create_task(_connect(loop, waiting.pop(0), guard)))
            ended, running = await asyncio.wait(
                running, timeout=HEAD_START if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            running |= ended
            for task in ended:
                running.discard(task)
                try:
                    return task.result()
                except OSError as error:
                    errors.append(error)
    finally:
        for task in running:
            task.cancel()
            task.add_done_callback(_close_late)
    raise next((error for error in errors if isinstance(error, EgressDenied)), errors[0])


def _close_late(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _connect(loop: AbstractEventLoop, info: AddressInfo, guard: SocketFactory) -> socket.socket:
    opened = guard(info)
    try:
        opened.setblocking(False)
        await loop.sock_connect(opened, info[4])
    except BaseException:
        opened.close()
        raise
    return opened


def _certificate_variables() -> tuple[str | None, str | None]:
    """Where OpenSSL is told to look: a program may set them late."""
    return os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")


@lru_cache(maxsize=8)
def read_certificates(ca_bundle: str | None, variables: tuple[str | None, str | None] = (None, None)) -> ssl.SSLContext:
    """Raises `ConfigurationError`. Reading all of a system's certificates takes some 25 ms, and so is done once."""
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigurationError(f"ca_bundle {ca_bundle}: {reason}", hint="name a file of PEM certificates") from error
    context.set_alpn_protocols(["http/1.1"])
    return context
