"""HTTP: send, stream, download. One attempt, four time limits, typed failures."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from betterai.core.config import Timeout
from betterai.core.data import Data
from betterai.core.exceptions import (
    APIConnectionError,
    ConfigurationError,
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    ProviderError,
    TotalTimeout,
    ValidationError,
)
from betterai.core.media import Media
from betterai.core.provider import Auth, NoAuth
from betterai.core.wire import Multipart, WireRequest, WireResponse
from betterai.transport.auth import sign
from betterai.transport.egress import EgressDenied
from betterai.transport.sessions import SessionOptions, Sessions

MAX_REDIRECTS = 5
MAX_REPLY_BYTES = 256 * 1024 * 1024
MAX_FOREIGN_BYTES = 100 * 1024 * 1024
USER_AGENT = "betterai"


class Endpoint(Data, frozen=True, kw_only=True):
    """Where a provider is and how it is signed. `values` are its settings, secrets too; never printed.

    `private` allows private addresses: the user pointed the base URL at one. `hosts` may get the key over https.
    """

    base_url: str = ""
    auth: Auth = NoAuth()
    values: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    hosts: tuple[str, ...] = ()
    private: bool = False

    def __repr__(self) -> str:
        return f"Endpoint(base_url={self.base_url!r})"


class TransportEvent(Data, frozen=True, kw_only=True):
    """For telemetry: one thing that happened to one attempt. `seconds` since the attempt began. Never holds content."""

    kind: str
    method: str
    host: str
    path: str
    seconds: float
    status: int | None = None
    error: str = ""
    bytes: int = 0


class Reply:
    """A reply whose headers stand, and whose body is still to be read. Close it, or read it to its end."""

    def __init__(
        self, response: aiohttp.ClientResponse, limits: Timeout, limit: int, finish: Callable[..., None]
    ) -> None:
        self.status = response.status
        self.headers = lower_headers(response)
        self._response = response
        self._limits = limits
        self._limit = limit
        self._finish = finish
        self._expired = False
        self._timer: asyncio.TimerHandle | None = None
        _set_idle_limit(response, limits.idle)

    def expire_in(self, seconds: float) -> None:
        """Treat what comes later than this as the end: for streams whose answer is complete, but which stay open."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _expire(self) -> None:
        self._expired = True
        self._response.close()

    async def next_piece(self) -> bytes:
        """The next bytes of the body as they come; b"" at its end. Raises our timeouts and `APIConnectionError`."""
        try:
            return await self._response.content.readany()
        except Exception as error:
            if self._expired:
                return b""
            self._fail(error)

    async def read(self) -> WireResponse:
        """The whole body. Raises `ProviderError` when it is larger than the limit."""
        try:
            body = (
                await self._response.content.read(self._limit + 1) if self._too_long() else await self._response.read()
            )
        except Exception as error:
            self._fail(error)
        finally:
            self.close()
        if len(body) > self._limit:
            raise ProviderError(
                f"the reply is larger than {self._limit} bytes", status=self.status, headers=self.headers
            )
        return WireResponse(status=self.status, headers=self.headers, body=body)

    def _too_long(self) -> bool:
        """Whether the body must be read with an eye on its size: it does not say it, or unpacks to more."""
        return self._response.content_length is None or "content-encoding" in self.headers

    async def save(self) -> WireResponse:
        """The body in a file of its own, for the caller to move or remove."""
        handle, name = tempfile.mkstemp(prefix="betterai-")
        size = 0
        try:
            with os.fdopen(handle, "wb") as file:
                while piece := await self.next_piece():
                    size += len(piece)
                    if size > self._limit:
                        raise ProviderError(f"the reply is larger than {self._limit} bytes", status=self.status)
                    file.write(piece)
        except BaseException:
            os.unlink(name)
            raise
        finally:
            self.close()
        return WireResponse(status=self.status, headers=self.headers, body=Path(name))

    def close(self) -> None:
        """Free the connection: back to the pool when the body was read whole, else its socket is closed at once."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._response.closed:
            self._response.close()
        self._finish(self.status)

    def _fail(self, error: Exception) -> NoReturn:
        self._response.close()
        self._finish(self.status, error)
        raise_typed(error, self._limits, began=True)


class HTTPTransport:
    """Sends requests. `on_event` is called with a `TransportEvent` at the end of each attempt."""

    def __init__(
        self,
        options: SessionOptions | None = None,
        *,
        session: aiohttp.ClientSession | None = None,
        on_event: Callable[[TransportEvent], None] | None = None,
    ) -> None:
        self._sessions = Sessions(options or SessionOptions())
        self._own_session = session
        self._on_event = on_event
        os.register_at_fork(after_in_child=self._sessions.forget)

    async def send(self, request: WireRequest, endpoint: Endpoint, limits: Timeout) -> WireResponse:
        """Send, and read the whole reply, whatever its status."""
        reply = await self.open(request, endpoint, limits)
        if request.reply == "file" and reply.status < 400:
            return await reply.save()
        return await reply.read()

    async def open(self, request: WireRequest, endpoint: Endpoint, limits: Timeout) -> Reply:
        """Send, and return when the reply's headers stand. Raises our timeouts and `APIConnectionError`."""
        url, headers, query, trusted = self._address(request, endpoint)
        session = self._own_session or await self._sessions.get(private=trusted and endpoint.private)
        finish = self._watch(request.method, url)
        wanted = aiohttp.ClientTimeout(
            total=limits.total, connect=None, sock_connect=limits.connect, sock_read=limits.first_byte
        )
        body, closers = encode_body(request, headers)
        try:
            response = await session.request(
                request.method,
                URL(url, encoded=True) if not query else URL(url, encoded=True).extend_query(query),
                data=body,
                headers=headers,
                timeout=wanted,
                allow_redirects=not trusted,
                max_redirects=MAX_REDIRECTS,
            )
        except Exception as error:
            finish(None, error)
            raise_typed(error, limits, began=False)
        finally:
            for close in closers:
                close()
        return Reply(response, limits, MAX_REPLY_BYTES if trusted else MAX_FOREIGN_BYTES, finish)

    async def prepare(
        self, request: WireRequest, endpoint: Endpoint
    ) -> tuple[URL, dict[str, str], dict[str, str], aiohttp.ClientSession]:
        """Address, signed headers and query, and the session to use: for WebSockets."""
        address = msgspec.structs.replace(request, url=_as_http(request.url))
        url, headers, query, trusted = self._address(address, endpoint)
        session = self._own_session or await self._sessions.get(private=trusted and endpoint.private)
        return URL(url, encoded=True), headers, query, session

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        await self._sessions.aclose()

    def _address(self, request: WireRequest, endpoint: Endpoint) -> tuple[str, dict[str, str], dict[str, str], bool]:
        """URL, headers and query, signed where the key may go."""
        trusted = request.trust == "provider"
        url = request.url if "://" in request.url else endpoint.base_url.rstrip("/") + request.url
        if not url.startswith(("https://", "http://")):
            raise ConfigurationError(f"{url!r} is not an http or https URL: set the base URL")
        headers, query = dict(request.headers), dict(request.query)
        if trusted:
            if url is request.url and not _may_have_key(url, endpoint):
                raise ValidationError(f"{urlsplit(url).hostname} is not a host of this provider: no key is sent there")
            headers = {**endpoint.headers, **headers}
            sign(endpoint.auth, endpoint.values, headers, query)
        headers.setdefault("User-Agent", USER_AGENT)
        return url, headers, query, trusted

    def _watch(self, method: str, url: str) -> Callable[..., None]:
        if self._on_event is None:
            return _ignore
        began, parts, told = time.monotonic(), urlsplit(url), self._on_event
        done = False

        def finish(status: int | None, error: Exception | None = None) -> None:
            nonlocal done
            if not done:
                done = True
                told(
                    TransportEvent(
                        kind="failed" if error is not None else "answered",
                        method=method,
                        host=parts.hostname or "",
                        path=parts.path,
                        seconds=time.monotonic() - began,
                        status=status,
                        error=type(error).__name__ if error is not None else "",
                    )
                )

        return finish


def _ignore(status: int | None, error: Exception | None = None) -> None:
    """No telemetry is asked for."""


def _as_http(url: str) -> str:
    """WebSocket URLs are judged, signed and dialled as the http ones that they begin as."""
    return "http" + url[2:] if url.startswith(("ws://", "wss://")) else url


def _may_have_key(url: str, endpoint: Endpoint) -> bool:
    parts, base = urlsplit(url), urlsplit(endpoint.base_url)
    if (parts.scheme, parts.hostname, parts.port) == (base.scheme, base.hostname, base.port):
        return True
    return parts.scheme == "https" and parts.hostname in endpoint.hosts


def lower_headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.raw_headers}


def _set_idle_limit(response: aiohttp.ClientResponse, idle: float) -> None:
    """aiohttp has one read limit: the first-byte limit until the headers stood, from here on the idle one."""
    connection = response.connection
    protocol = connection.protocol if connection is not None else None
    if protocol is not None:
        protocol.read_timeout = idle


def encode_body(request: WireRequest, headers: dict[str, str]) -> tuple[Any, list[Callable[[], None]]]:
    """The body as aiohttp takes it; and what to call when it was sent."""
    body = request.body
    if body is None or isinstance(body, bytes):
        return body, []
    if isinstance(body, Media):
        if body.mime_type:
            headers.setdefault("Content-Type", body.mime_type)
        if body.path is None:
            return body.to_bytes(), []
        file = open(body.path, "rb")  # noqa: SIM115 - closed by the caller, after aiohttp has streamed it
        return file, [file.close]
    if isinstance(body, Multipart):
        return _encode_form(body)
    raise ValidationError(f"a body of type {type(body).__name__} must be encoded before it is sent")


def _encode_form(form: Multipart) -> tuple[aiohttp.FormData, list[Callable[[], None]]]:
    data, closers = aiohttp.FormData(default_to_multipart=True), []
    for field in form.fields:
        value: Any = field.value
        filename, mime_type = field.filename, field.mime_type
        if isinstance(value, Media):
            filename, mime_type = filename or value.filename or "file", mime_type or value.mime_type
            if value.path is not None:
                value = open(value.path, "rb")  # noqa: SIM115 - closed by the caller, after it was streamed
                closers.append(value.close)
            else:
                value = value.to_bytes()
        if isinstance(value, str):
            data.add_field(field.name, value, content_type=mime_type or None)
        else:
            data.add_field(field.name, value, filename=filename or None, content_type=mime_type or None)
    return data, closers


def raise_typed(error: Exception, limits: Timeout, *, began: bool) -> NoReturn:
    """aiohttp's failure as ours."""
    hint = "raise the limit with CoreConfig(timeout=betterai.Timeout(…)), or try again"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        raise ConnectTimeout(f"no connection within {limits.connect:g} s", hint=hint) from error
    if isinstance(error, aiohttp.SocketTimeoutError):
        if began:
            raise IdleTimeout(f"the answer began, then nothing came for {limits.idle:g} s", hint=hint) from error
        raise FirstByteTimeout(f"no answer began within {limits.first_byte:g} s", hint=hint) from error
    if isinstance(error, TimeoutError):
        raise TotalTimeout(f"the call took longer than {limits.total:g} s", hint=hint) from error
    if isinstance(cause := getattr(error, "os_error", error), EgressDenied) or isinstance(
        error.__cause__, EgressDenied
    ):
        raise ValidationError(str(cause), hint="only a base URL that you set may be private") from error
    if isinstance(error, aiohttp.InvalidURL):
        raise ConfigurationError(f"not a URL that can be called: {error}", hint="check the base URL") from error
    if isinstance(error, aiohttp.ClientError | OSError):
        what = "the connection broke before the answer was complete" if began else "no connection"
        raise APIConnectionError(f"{what}: {_describe(error)}", hint="check the network and the base URL") from error
    raise error


def _describe(error: Exception) -> str:
    return str(error) or type(error).__name__
