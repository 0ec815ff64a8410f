"""A provider on the loopback, scripted by a test: it streams what it is told to, or answers with an error."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from cli.processes import DEADLINE

KEY = "sk-canary-0123456789"
MODEL = "groq/openai/gpt-oss-120b"


class Upstream:
    """`pieces` are streamed; with `holds` the stream then stays open until the client leaves."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[dict[str, Any]] = []
        self.pieces: list[dict[str, Any]] = [{"content": "one "}, {"content": "two"}]
        self.holds = False
        self.failure: tuple[int, dict[str, Any]] | None = None
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    @property
    def words(self) -> tuple[str, ...]:
        """The options that lead here."""
        return ("chat", "-m", MODEL, "--base-url", self.url)

    async def wait_until_left(self) -> None:
        await asyncio.wait_for(self.left.wait(), DEADLINE)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append({"authorization": request.headers.get("Authorization"), **body})
        self.asked.set()
        if self.failure is not None:
            status, shown = self.failure
            return web.json_response(shown, status=status)
        if not body.get("stream"):
            return web.json_response(self._whole())
        return await self._stream(request)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream", "x-request-id": "req-7"})
        await reply.prepare(request)
        try:
            for piece in self.pieces:
                await reply.write(_event({"choices": [{"index": 0, "delta": piece}]}))
            if self.holds:
                await asyncio.sleep(DEADLINE)
        except (asyncio.CancelledError, ConnectionResetError):
            self.left.set()
            raise
        end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": _USAGE}
        await reply.write(_event(end) + b"data: [DONE]\n\n")
        return reply

    def _whole(self) -> dict[str, Any]:
        content = "".join(piece.get("content", "") for piece in self.pieces)
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
        return {"id": "c-1", "model": "openai/gpt-oss-120b", "choices": [choice], "usage": _USAGE}


_USAGE = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
