"""What only proxies, uploads and WebSockets meet: a scene each, at the transport, with what must come of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import monotonic

from betterai.core.config import Timeout
from betterai.core.exceptions import (
    APIConnectionError,
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    ProviderError,
)
from betterai.transport.http import HTTPTransport, SessionOptions
from betterai.transport.websocket import HandshakeRefused, connect
from doubles.calls import at, get, post
from doubles.servers import Peer, Script, deaf_port, free_port, raw_server
from faults.paths import proxy

LIMITS = Timeout(connect=0.3, first_byte=0.4, idle=0.4, total=1.5)
HEARTBEAT = 0.2
SLACK = 0.3
LARGE = b"x" * 3_000_000
VERY_LARGE = b"x" * 40_000_000
"""More than the system keeps of what nobody takes."""


@dataclass(frozen=True)
class Scene:
    """`over`: the proxy fails, with a target that is asked plainly or through a tunnel; an upload; a WebSocket. `seen` is
    the class of the error, or the status, or None for all well; `frames` are what a WebSocket must have given before;
    `longest` is after how many seconds it must be over.
    """

    over: str
    name: str
    about: str
    script: Script | str
    """What the server does; or "deaf", or "closed"."""
    seen: type[Exception] | int | None
    longest: float = 0.1
    frames: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.over}: {self.name}"


@dataclass
class Ending:
    """What came of it. `wrong` is what must not be."""

    scene: Scene
    seconds: float = 0.0
    error: Exception | None = None
    status: int = 0
    frames: list[bytes | str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


Act = Callable[[Peer], Awaitable[None]]


def after_request(data: bytes = b"", *, leave: str = "hold", head_only: bool = False) -> Script:
    """Read a request, or its head alone; say something; then hold the line, close it, or reset it."""

    async def script(peer: Peer) -> None:
        await (peer.receive(b"\r\n\r\n") if head_only else peer.request())
        if head_only:
            peer.transport.pause_reading()  # type: ignore[attr-defined]
        if data:
            peer.write(data)
        await _leave(peer, leave)

    return script


def drip(data: bytes) -> Script:
    """A head that never ends, a byte at a time."""

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(data)
        while not peer.gone.is_set():
            peer.write(b"x")
            await asyncio.sleep(0.05)

    return script


def talk(data: bytes = b"", *, leave: str = "hold") -> Script:
    """A WebSocket that says "one", then this."""

    async def script(peer: Peer) -> None:
        await peer.accept_websocket()
        peer.write(frame(1, b"one") + data)
        await asyncio.sleep(0.05)
        await _leave(peer, leave)

    return script


async def _leave(peer: Peer, leave: str) -> None:
    if leave == "reset":
        peer.reset()
    elif leave == "close":
        peer.transport.close()
    else:
        await asyncio.Event().wait()


def frame(code: int, payload: bytes = b"") -> bytes:
    """A short frame as servers send it: unmasked (RFC 6455, 5.2)."""
    return bytes([0x80 | code, len(payload)]) + payload


def say(status: str, body: bytes = b"{}", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


_WRONG_KEY = b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n"
_ENDLESS = b"HTTP/1.1 503 Busy\r\nContent-Length: 99\r\n\r\nhello"
_FIRST, _CONNECT = LIMITS.first_byte, LIMITS.connect


def scenes() -> Iterator[Scene]:
    yield from _of_proxies()
    yield from _of_uploads()
    for over in ("websocket", "websocket through a proxy"):
        yield from _of_websockets(over)


def _of_proxies() -> Iterator[Scene]:
    for over, before, after in (("proxy", FirstByteTimeout, _FIRST), ("tunnel", ConnectTimeout, _CONNECT)):
        refusal = 407 if over == "proxy" else APIConnectionError
        yield Scene(over, "deaf", "the queue of its connections is full", "deaf", ConnectTimeout, _CONNECT)
        yield Scene(over, "closed", "nothing listens there", "closed", APIConnectionError)
        yield Scene(over, "silent", "it says nothing", after_request(), before, after)
        yield Scene(over, "login", "it wants a login", after_request(say("407 Login")), refusal)
        yield Scene(over, "cut", "it closes the connection", after_request(leave="close"), APIConnectionError)
        yield Scene(over, "reset", "it resets the connection", after_request(leave="reset"), APIConnectionError)
        yield Scene(over, "no-http", "what it says is no HTTP", after_request(b"hello\r\n\r\n"), APIConnectionError)
        yield Scene(over, "drip", "a head without an end", drip(b"HTTP/1.1 200 OK\r\nX: "), before, after)


def _of_uploads() -> Iterator[Scene]:
    over = "upload"
    early = after_request(say("401 No"), head_only=True)
    gone = after_request(say("413 Large", headers="Connection: close\r\n"), head_only=True, leave="close")
    yield Scene(over, "early", "refused before all of it is sent, and the line held", early, 401)
    yield Scene(over, "early-close", "refused before all of it is sent, and closed", gone, 413)
    yield Scene(over, "cut", "closed in the middle", after_request(head_only=True, leave="close"), APIConnectionError)
    yield Scene(over, "reset", "reset in the middle", after_request(head_only=True, leave="reset"), APIConnectionError)
    yield Scene(over, "silent", "all is taken, and nothing said", after_request(), FirstByteTimeout, _FIRST)
    yield Scene(over, "drip", "all is taken, and a head without an end", drip(b"HTTP/1.1 200 OK\r\nX: "), FirstByteTimeout, _FIRST)  # fmt: skip
    yield Scene(over, "stuck", "nothing more of it is taken", after_request(head_only=True), IdleTimeout, LIMITS.idle)


def _of_websockets(over: str) -> Iterator[Scene]:
    if over == "websocket":
        yield Scene(over, "deaf", "the queue of connections is full", "deaf", ConnectTimeout, _CONNECT)
        yield Scene(over, "closed", "nothing listens there", "closed", APIConnectionError)
    yield Scene(over, "silent", "no answer to the handshake", after_request(), FirstByteTimeout, _FIRST)
    yield Scene(over, "drip", "a head without an end", drip(b"HTTP/1.1 101 OK\r\nX: "), FirstByteTimeout, _FIRST + _CONNECT)  # fmt: skip
    yield Scene(over, "cut", "closed in the handshake", after_request(leave="close"), APIConnectionError)
    yield Scene(over, "reset", "reset in the handshake", after_request(leave="reset"), APIConnectionError)
    yield Scene(over, "no-http", "what it says is no HTTP", after_request(b"hello\r\n\r\n"), APIConnectionError)
    yield Scene(over, "wrong-key", "the handshake of another", after_request(_WRONG_KEY), APIConnectionError)
    for status in (200, 302, 401, 429, 503):
        answer = after_request(say(f"{status} No", headers="Location: /\r\n"))
        yield Scene(over, f"status-{status}", f"answered with HTTP {status}", answer, status)
    yield Scene(over, "refusal-stalls", "a refusal without an end", after_request(_ENDLESS), IdleTimeout, LIMITS.idle)
    said: tuple[str, ...] = ("one",)
    yield Scene(over, "goodbye", "it says goodbye", talk(frame(8, b"\x03\xe8")), None, 0.1, said)
    yield Scene(over, "cut-talking", "closed without a word", talk(leave="close"), APIConnectionError, 0.2, said)
    yield Scene(over, "reset-talking", "reset", talk(leave="reset"), APIConnectionError, 0.2, said)
    yield Scene(
        over, "half-a-frame", "cut in a frame", talk(b"\x81\x05tw", leave="close"), APIConnectionError, 0.2, said
    )
    yield Scene(over, "not-utf-8", "text that is none", talk(frame(1, b"\xff")), APIConnectionError, 0.2, said)
    yield Scene(over, "rubbish", "no frame at all", talk(b"\xff\xff\xff\xff"), APIConnectionError, 0.2, said)
    yield Scene(over, "huge", "a frame of 2⁶³ bytes", talk(b"\x81\x7f" + b"\x7f" * 8), APIConnectionError, 0.2, said)
    yield Scene(over, "gone", "no pong, no frame", talk(), APIConnectionError, 2 * HEARTBEAT, said)


async def play(scene: Scene) -> Ending:
    """A scene; what went wrong on a busy machine is played again, twice at most."""
    for _ in range(3):
        ending = await _play(scene)
        if not ending.wrong:
            break
    return ending


async def _play(scene: Scene) -> Ending:
    ending = Ending(scene)
    async with AsyncExitStack() as opened:
        server = None
        if scene.script == "deaf":
            url = f"http://127.0.0.1:{opened.enter_context(deaf_port())}"
        elif isinstance(scene.script, str):
            url = f"http://127.0.0.1:{free_port()}"
        else:
            server = await opened.enter_async_context(raw_server(scene.script))
            url = server.url
        options = SessionOptions()
        if scene.over in ("proxy", "tunnel"):
            options = SessionOptions(proxy=url)
            url = f"{'http' if scene.over == 'proxy' else 'https'}://127.0.0.1:{free_port()}"
        elif scene.over == "websocket through a proxy":
            options = SessionOptions(proxy=await opened.enter_async_context(proxy()))
        transport = HTTPTransport(options)
        opened.push_async_callback(transport.aclose)
        began = monotonic()
        try:
            async with asyncio.timeout(5):
                await _call(scene, transport, url, ending)
        except HandshakeRefused as refused:
            ending.status = refused.reply.status
        except Exception as error:
            ending.error = error
        ending.seconds = monotonic() - began
        if server is not None:
            await _see_it_left(server.peers, ending)
    _judge(ending)
    return ending


async def _call(scene: Scene, transport: HTTPTransport, url: str, ending: Ending) -> None:
    if scene.over.startswith("websocket"):
        socket = await connect(transport, get("/"), at(url), LIMITS, heartbeat=HEARTBEAT, goodbye=0.1)
        async for item in socket.frames():
            ending.frames.append(item)
        await socket.close()
    else:
        body = b"{}" if scene.over != "upload" else VERY_LARGE if scene.name == "stuck" else LARGE
        ending.status = (await transport.send(post(body=body), at(url), LIMITS)).status


async def _see_it_left(peers: list[Peer], ending: Ending) -> None:
    """Whether the connections are given back: what was read whole may stay open."""
    if ending.error is None:
        return
    try:
        async with asyncio.timeout(1):
            for peer in peers:
                if not hasattr(peer, "transport"):  # it left before it was seen
                    continue
                peer.transport.resume_reading()  # type: ignore[attr-defined]
                await peer.gone.wait()
    except TimeoutError:
        ending.wrong.append("its connection is never freed")


def _judge(ending: Ending) -> None:
    scene = ending.scene
    seen = type(ending.error) if ending.error is not None else ending.status or None
    wanted = scene.seen
    if isinstance(wanted, int) and isinstance(ending.error, ProviderError):
        seen = ending.error.status
    if seen != wanted:
        ending.wrong.append(f"{ending.error or seen!r} instead of {wanted}")
    if tuple(ending.frames) != scene.frames:
        ending.wrong.append(f"the frames were {ending.frames}")
    if ending.seconds > scene.longest + SLACK:
        ending.wrong.append(f"took {ending.seconds:.2f} s")
