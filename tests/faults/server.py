"""The fault server: raw HTTP/1.1 on loopback in a thread of its own, where the URL says what goes wrong."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Self

from doubles.servers import Peer, deaf_port, free_port
from faults.dialects import DIALECTS, OTHER_PIECES, PIECES, Dialect, Stages, find_dialect

if TYPE_CHECKING:
    from faults.table import Fault

STOLEN = "stolen"
"""The cell of requests that nobody should make: where redirects lead to."""
REASONS = {200: "OK", 204: "No Content", 302: "Found", 307: "Temporary Redirect", 429: "Too Many Requests"}


@dataclass
class Cell:
    """What came of one series of calls: when each request was there, how many are being answered, and what the server
    did with them.
    """

    requests: list[float] = field(default_factory=list)
    busy: int = 0
    left: int = 0
    """How many requests the client left before they were answered."""
    left_at: float = 0.0


class Line:
    """One request on its connection, and the ways to answer it, well and badly."""

    def __init__(
        self, peer: Peer, target: str, dialect: Dialect, streaming: bool, attempt: int, pieces: Sequence[str]
    ) -> None:
        self.peer = peer
        self.target = target.removeprefix("/")
        self.dialect = dialect
        self.streaming = streaming
        self.attempt = attempt
        """Counted from 1 in its cell."""
        self.pieces = pieces

    # ── well ──

    def answer(self) -> None:
        """As a service in good health does it."""
        if self.streaming:
            self.begin()
            for part in self.parts():
                self.send(part)
            self.end()
        else:
            self.reply(200, self.dialect.answer(self.pieces))

    @property
    def stages(self) -> Stages:
        return self.dialect.stages(self.pieces)

    def parts(self) -> list[bytes]:
        """The body, one part more than there are pieces of text and one for the end; a whole answer is cut likewise."""
        if self.streaming:
            stages = self.stages
            return [stages.head, *stages.texts, stages.tail]
        body = self.dialect.answer(self.pieces)
        size = len(body) // (len(self.pieces) + 2)
        cuts = [size * index for index in range(len(self.pieces) + 2)]
        return [body[start:stop] for start, stop in zip(cuts, [*cuts[1:], None], strict=True)]

    @property
    def content_type(self) -> str:
        return self.dialect.stream_type if self.streaming else "application/json"

    # ── in pieces ──

    def reply(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """A whole reply with its length."""
        given = {"Content-Type": "application/json", **(headers or {}), "Content-Length": str(len(body))}
        self.write(head(status, given) + body)

    def begin(self, headers: Mapping[str, str] | None = None, status: int = 200) -> None:
        """The head of a reply whose body comes in chunks."""
        self.write(head(status, {"Content-Type": self.content_type, **(headers or {}), **CHUNKED}))

    def send(self, data: bytes) -> None:
        """A piece of the body."""
        if data:
            self.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def end(self) -> None:
        self.write(b"0\r\n\r\n")

    def write(self, data: bytes) -> None:
        """Raises `ConnectionError` when the client has left."""
        if self.peer.transport.is_closing():
            raise ConnectionError
        self.peer.write(data)

    # ── badly ──

    async def settle(self) -> None:
        """Until what was written has left."""
        while self.peer.transport.get_write_buffer_size() and not self.peer.gone.is_set():  # noqa: ASYNC110 - no event says it
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)  # and was read, before a reset overtakes it

    async def cut(self) -> None:
        """Close the connection in the middle of it all."""
        await self.settle()
        self.peer.transport.close()
        await self.hold()

    async def reset(self) -> None:
        await self.settle()
        self.peer.reset()
        await self.hold()

    async def hold(self) -> None:
        """Nothing more, until the client leaves."""
        await asyncio.Event().wait()


CHUNKED = {"Transfer-Encoding": "chunked"}


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {REASONS.get(status, 'Trouble')}",
        *(f"{name}: {text}" for name, text in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class FaultServer:
    """`with FaultServer() as server:` – `server.url("stall-after-2", "openai_chat", cell="a")` is a base URL where every
    request meets that fault. A cell keeps the records of one series of calls apart from all others.
    """

    def __init__(self) -> None:
        self.cells: dict[str, Cell] = defaultdict(Cell)
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fault server", daemon=True)
        self._places = ExitStack()
        self._ports: dict[str, int] = {}
        self._peers: set[Peer] = set()
        self._silent = 0

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self._ports |= {"deaf": self._places.enter_context(deaf_port()), "closed": free_port()}
        self._ports["no-name"] = self._ports["plain"]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._places.close()

    def url(self, fault: str, protocol: str, cell: str = "") -> str:
        from faults.table import FAULTS

        place = FAULTS[fault].place
        base = DIALECTS[protocol].base
        host = {"no-name": "fault-server.invalid", "wrong-name": "localhost"}.get(place, "127.0.0.1")
        scheme = "https" if place in ("tls", "wrong-name", "tls-silent") else "http"
        port = self._ports[fault if place == "own" else place]
        return f"{scheme}://{host}:{port}/{fault}~{cell}{base}"

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._peers)

    @property
    def busy_handshakes(self) -> int:
        """How many connections wait for a handshake that never comes."""
        return self._silent

    def wait_until(self, reached: Callable[[], bool], seconds: float = 5) -> bool:
        """Block until something is so; whether it was so in time."""
        with self._changed:
            return self._changed.wait_for(reached, seconds)

    async def until(self, reached: Callable[[], bool], seconds: float = 5) -> bool:
        """The same, without blocking the running loop."""
        return reached() or await asyncio.to_thread(self.wait_until, reached, seconds)

    # ── in the thread ──

    async def _listen(self) -> list[asyncio.Server]:
        from faults.table import FAULTS

        async def on(place: str, **options: object) -> asyncio.Server:
            server = await self._loop.create_server(
                lambda: Peer(lambda peer: self._serve(peer, place)), "127.0.0.1", 0, backlog=4096, **options
            )  # type: ignore[call-overload]
            self._ports[place] = server.sockets[0].getsockname()[1]
            return server

        certificate, wrong = certificates()
        return [
            await on("plain"),
            await on("tls", ssl=certificate.context),
            await on("wrong-name", ssl=wrong.context),
            await on("tls-silent"),
            await on("knock"),
            *[await on(fault.name) for fault in FAULTS.values() if fault.place == "own"],
        ]

    async def _end(self) -> None:
        for server in self._listening:
            server.close()
        peers = list(self._peers)
        for peer in peers:
            peer.transport.abort()
            peer.task.cancel()
        await asyncio.gather(*(peer.task for peer in peers), return_exceptions=True)
        for _ in range(5):
            await asyncio.sleep(0)

    async def _serve(self, peer: Peer, place: str) -> None:
        silent = place == "tls-silent"
        with self._changed:
            self._peers.add(peer)
            self._silent += silent
            self._changed.notify_all()
        try:
            if place == "knock":
                peer.reset()
            elif silent:
                await asyncio.Event().wait()
            while not peer.gone.is_set():
                await self._answer(peer, await peer.request())
                peer.requests.clear()
        except ConnectionError:
            pass
        finally:
            with self._changed:
                self._peers.discard(peer)
                self._silent -= silent
                self._changed.notify_all()

    async def _answer(self, peer: Peer, request: bytes) -> None:
        from faults.table import FAULTS

        top, _, body = request.partition(b"\r\n\r\n")
        target = top.split(b" ", 2)[1].decode()
        path = target.partition("?")[0]
        name, _, cell = path.split("/")[1].partition("~")
        dialect = find_dialect(path)
        fault = FAULTS[name]
        record = self.cells[cell]
        with self._changed:
            record.requests.append(monotonic())
            record.busy += 1
            self._changed.notify_all()
        line = Line(peer, target, dialect, is_streaming(path, body), len(record.requests), said_in(cell))
        try:
            await self._act(fault, line)
        finally:
            with self._changed:
                record.busy -= 1
                if peer.gone.is_set():
                    record.left, record.left_at = record.left + 1, monotonic()
                self._changed.notify_all()

    async def _act(self, fault: Fault, line: Line) -> None:
        if fault.hits is not None and line.attempt > fault.hits:
            line.answer()
        else:
            await fault.act(line)


def said_in(cell: str) -> Sequence[str]:
    """Cells that end in "second" speak for the other one of two targets."""
    return OTHER_PIECES if cell.endswith("second") else PIECES


def is_streaming(path: str, body: bytes) -> bool:
    said = body.replace(b" ", b"")
    if path.endswith("/api/chat"):  # where it is the default
        return b'"stream":false' not in said
    return path.endswith((":streamGenerateContent", "/converse-stream")) or b'"stream":true' in said


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate: as a file, and as a server uses it."""

    path: str
    context: ssl.SSLContext


@cache
def certificates() -> tuple[Certificate, Certificate]:
    """One for loopback, and one for another name."""
    folder = Path(tempfile.mkdtemp(prefix="betterai-faults-"))
    return _certify(folder, "localhost", "IP:127.0.0.1"), _certify(folder, "elsewhere.invalid", "DNS:elsewhere.invalid")


def _certify(folder: Path, name: str, names: str) -> Certificate:
    key, path = folder / f"{name}.key", folder / f"{name}.pem"
    new = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}"
    more = ["-addext", f"subjectAltName={names}", "-keyout", str(key), "-out", str(path)]
    subprocess.run(["openssl", *new.split(), *more], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return Certificate(str(path), context)
