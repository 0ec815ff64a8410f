"""A scripted Chat Completions server on loopback, in a thread of its own: it does what it is told and keeps records."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from aiohttp import web

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]
Ending = Literal["clean", "abort", "hold", "beat"]

USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.raw)
        return value


class Upstream:
    """Plays its script, one behaviour a request, the last one again and again. `with Upstream(…) as upstream:`"""

    def __init__(self, *script: Behaviour) -> None:
        self.script = script
        self.requests: list[Received] = []
        self.left = 0
        """How many requests the client left before they were answered."""
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def connections(self) -> int:
        """How many connections to it are open now."""
        return len(self._runner.server.connections) if self._runner.server is not None else 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._runner, self.port = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> tuple[web.AppRunner, int]:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, runner.addresses[0][1]

    async def _end(self) -> None:
        for stop in (self._go_round, self._runner.cleanup, self._go_round):
            await stop()

    async def _go_round(self) -> None:
        """Let the loop go on with what it was told: connections that just came, and those that were just closed."""
        for _ in range(5):
            await asyncio.sleep(0)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        received = Received(
            request.method, request.path, dict(request.query), dict(request.headers), await request.read()
        )
        behave = self.script[min(len(self.requests), len(self.script) - 1)]
        self._note(lambda: self.requests.append(received))
        try:
            return await behave(request)
        except (asyncio.CancelledError, ConnectionError):
            self._note(self._count_left)
            raise

    def _count_left(self) -> None:
        self.left += 1

    def _note(self, change: Callable[[], object]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()

    def wait_until(self, reached: Callable[[], bool], seconds: float = 10) -> None:
        """Block until something is so; what changes here wakes the waiting."""
        with self._changed:
            assert self._changed.wait_for(reached, seconds), (len(self.requests), self.left)

    async def until(self, reached: Callable[[], bool], seconds: float = 10) -> None:
        """The same, without blocking the running loop."""
        await asyncio.to_thread(self.wait_until, reached, seconds)


# ── behaviours ──


def reply(
    status: int = 200,
    body: bytes | Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> Behaviour:
    """A whole reply."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""

    async def behave(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=content, headers={"Content-Type": content_type, **(headers or {})})

    return behave


def completion(
    content: str | None = "Hello", *, usage: Mapping[str, Any] | None = USAGE, **fields: Any
) -> dict[str, Any]:
    """The body of a whole answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    body = {"id": "chat-1", "object": "chat.completion", "model": "m-1", "choices": [choice], **fields}
    return body if usage is None else {**body, "usage": usage}


def answer(content: str | None = "Hello", headers: Mapping[str, str] | None = None, **fields: Any) -> Behaviour:
    return reply(200, completion(content, **fields), headers)


def stream(
    events: Iterable[bytes], ending: Ending = "clean", headers: Mapping[str, str] | None = None, pause: float = 0
) -> Behaviour:
    """A streamed reply. It ends cleanly, or by a torn connection, or not at all, silent or with heartbeats."""

    async def behave(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **(headers or {})})
        await response.prepare(request)
        for event in events:
            await response.write(event)
            await asyncio.sleep(pause)
        if ending == "abort":
            await asyncio.sleep(0.01)  # so that what was written leaves before the connection is torn
            assert request.transport is not None
            request.transport.abort()
        while ending in ("hold", "beat"):
            await asyncio.sleep(0.05)
            if ending == "beat":
                await response.write(b": beat\n\n")
        return response

    return behave


async def hold(request: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.sleep(3600)
    raise AssertionError("unreachable")


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Tears the connection before an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


# ── events ──


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps({"id": "chat-1", "model": "m-1", **fields}).encode() + b"\n\n"


def delta(content: str = "", *, finish: str | None = None, **fields: Any) -> bytes:
    """One chunk of choice 0."""
    said = {"content": content} if content else {}
    return event(choices=[{"index": 0, "delta": {**said, **fields}, "finish_reason": finish}])


def usage_event(usage: Mapping[str, Any] = USAGE) -> bytes:
    return event(choices=[], usage=usage)


def streamed(pieces: Sequence[str] = ("Hel", "lo"), *, usage: Mapping[str, Any] | None = USAGE) -> list[bytes]:
    """A whole streamed answer."""
    events = [delta(role="assistant"), *(delta(piece) for piece in pieces), delta(finish="stop")]
    return [*events, *([usage_event(usage)] if usage is not None else []), DONE]
