"""A Chat service for the lines of batches: what a line says decides what befalls it, and every answer is counted."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from aiohttp import web

from runtime.upstream import Upstream, completion

TESTS = Path(__file__).parents[2]
MODEL = "vllm/m-1"


class LineService(Upstream):
    """`answered` counts how often a line was worked on to its end, `asked` how often it was asked."""

    def __init__(self) -> None:
        super().__init__(self._behave)
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.running = self.most = 0
        self.delay = 0.0
        self.gate: asyncio.Event | None = None
        """Where it is set, "held" and "late" lines wait for it."""

    def hold(self) -> None:
        self.gate = asyncio.Event()

    def release(self) -> None:
        assert self.gate is not None
        self._loop.call_soon_threadsafe(self.gate.set)

    async def _behave(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text = body["messages"][-1]["content"]
        self._note(lambda: self.asked.update([text]))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.delay)
            return await self._answer_line(request, text)
        finally:
            self.running -= 1

    async def _answer_line(self, request: web.Request, text: str) -> web.StreamResponse:
        kind, first = text.split()[0], self.asked[text] == 1
        if kind in ("held", "late") and self.gate is not None:
            await self.gate.wait()
        if kind in ("limited", "late") and first:
            return _fail(429, "slow down", {"Retry-After-Ms": "20"})
        if kind == "broken" and first:
            return _fail(500, "it broke")
        if kind == "down":
            return _fail(503, "it is down")
        if kind == "wrong":
            return _fail(400, "it is wrong")
        if kind == "poor" and first:
            return _fail(429, "no credit is left", code="insufficient_quota")
        if kind == "large":
            return _fail(429, "Request too large for this model")
        if kind == "forbidden":
            return _fail(403, "not for this key")
        self._note(lambda: self.answered.update([text]))
        if kind == "lost" and first:
            assert request.transport is not None
            request.transport.abort()
        if kind == "cut":
            return web.Response(text='{"choices": [', content_type="application/json")
        return web.json_response(completion(f"re: {text}"), headers={"Set-Cookie": "session=topsecret"})


def _fail(status: int, message: str, headers: dict[str, str] | None = None, code: str = "") -> web.Response:
    return web.json_response({"error": {"message": message, "code": code}}, status=status, headers=headers)


def begin_worker(handle: str, database: str, url: str, *options: str, program: str = "work") -> subprocess.Popen[str]:
    """A process that works on a batch until it is over, and says how it ended: see `line_worker.py`."""
    code = f"import asyncio, sys; from runtime.batches.line_worker import {program} as work; asyncio.run(work(*sys.argv[1:]))"
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return subprocess.Popen(
        [sys.executable, "-c", code, handle, database, url, *options],
        env={**kept, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
