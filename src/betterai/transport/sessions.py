"""One aiohttp session for each event loop and reach. `asyncio.run` closes them by itself."""

from __future__ import annotations

import asyncio
import os
import ssl
import weakref
from asyncio import AbstractEventLoop
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeAlias

import aiohttp

from betterai.core.data import Data
from betterai.core.exceptions import ConfigurationError
from betterai.transport.egress import SocketFactory, any_socket, public_socket
from betterai.transport.patience import cut_off

USER_AGENT = "betterai"

Held: TypeAlias = dict[tuple[AbstractEventLoop, bool], tuple[aiohttp.ClientSession, AsyncGenerator[None, None]]]


class SessionOptions(Data, frozen=True, kw_only=True):
    """What a user may set for all connections. `headers` go to providers only. `proxy` is an http or https URL; without
    it, the environment's proxies are used when `trust_env` is on. `ca_bundle` is a file with certificates. Replies from
    providers and from elsewhere are refused beyond these many bytes.
    """

    headers: Mapping[str, str] = {}
    proxy: str | None = None
    trust_env: bool = False
    ca_bundle: str | None = None
    keepalive: float = 60.0
    max_reply_bytes: int = 256 * 1024 * 1024
    max_foreign_bytes: int = 100 * 1024 * 1024


class Sessions:
    """Sessions by loop. Each is held by an async generator, which the loop closes when it shuts down."""

    def __init__(self, options: SessionOptions, guard: SocketFactory = public_socket) -> None:
        self._options = options
        self._guard = guard
        self._held: Held = {}
        _everywhere.add(self)
        weakref.finalize(self, _close_later, self._held)

    def get(self, *, private: bool) -> aiohttp.ClientSession:
        """The session of the running loop. `private` ones may reach private addresses."""
        key = (asyncio.get_running_loop(), private)
        held = self._held.get(key)
        if held is None:
            _drop_dead_loops(self._held)
            session = self._open(private)
            holder = _hold(self._held, key, session)
            with suppress(StopIteration):
                anext(holder).send(None)  # up to its yield, before which it awaits nothing: the loop knows it from then
            self._held[key] = held = (session, holder)
        return held[0]

    async def aclose(self) -> None:
        """Close the running loop's sessions; those of other loops close with their loops."""
        running = asyncio.get_running_loop()
        for (loop, _), (_, holder) in list(self._held.items()):
            if loop is running:
                await holder.aclose()

    def forget(self) -> None:
        """In a forked child: the parent's sockets are not ours, and are not closed by us."""
        for session, _ in self._held.values():
            session.detach()
        self._held.clear()

    def _open(self, private: bool) -> aiohttp.ClientSession:
        options = self._options
        connector = _Connector(
            limit=0,
            keepalive_timeout=options.keepalive,
            ssl=_read_certificates(options.ca_bundle) if options.ca_bundle is not None else True,
            ttl_dns_cache=60,
            socket_factory=any_socket if private else self._guard,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT},
            requote_redirect_url=False,
            response_class=_Response,
        )
        session._retry_connection = False  # aiohttp has no public way to make one attempt only
        return session


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


@lru_cache(maxsize=8)
def _read_certificates(ca_bundle: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigurationError(f"ca_bundle {ca_bundle}: {reason}", hint="name a file of PEM certificates") from error
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _hold(
    held: Held, key: tuple[AbstractEventLoop, bool], session: aiohttp.ClientSession
) -> AsyncGenerator[None, None]:
    """Outside of `Sessions`, which it must not keep alive."""
    try:
        yield
    finally:
        if key in held and held[key][0] is session:
            del held[key]
        await _close(session)


async def _close(session: aiohttp.ClientSession) -> None:
    """Cut off what still runs, and let it hear of that: aiohttp closes connections without telling who reads of them,
    and these would wait until a time limit.
    """
    if isinstance(connector := session.connector, _Connector):
        for connection in list(connector._acquired):
            if (transport := getattr(connection, "transport", None)) is not None:
                transport.abort()
        for _ in range(3):  # one round of the loop for the socket, and those that TLS puts in between
            await asyncio.sleep(0)
    await session.close()


async def _finish(holder: AsyncGenerator[None, None]) -> None:
    await holder.aclose()


def _spawn(loop: AbstractEventLoop, holder: AsyncGenerator[None, None]) -> None:
    _closing.add(task := loop.create_task(_finish(holder)))
    task.add_done_callback(_closing.discard)


def _close_later(held: Held) -> None:
    """Nobody has the transport any more: close its sessions, each in its loop."""
    for (loop, _), (_, holder) in list(held.items()):
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_spawn, loop, holder)
    _drop_dead_loops(held)


def _drop_dead_loops(held: Held) -> None:
    """Loops that were closed without shutting down their generators leave sessions behind."""
    for key, (session, _) in list(held.items()):
        if key[0].is_closed():
            held.pop(key, None)
            session.detach()


_closing: set[asyncio.Task[None]] = set()
_everywhere: weakref.WeakSet[Sessions] = weakref.WeakSet()


def _forget_everywhere() -> None:
    for sessions in list(_everywhere):
        sessions.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_everywhere)
