"""A Chat service with bad days that counts how often it worked on a line to its end."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Self

from aiohttp import web

FAULTS = {
    "429": 0.03, "500": 0.02, "400": 0.005, "cut before it was worked on": 0.005, "cut after it was worked on": 0.01,
}  # fmt: skip
"""The share of lines that a fault befalls when they are asked for the first time; 400 always."""
DELAY_SECONDS = 0.005


class Service:
    """In a thread of its own. `answered` counts the lines that were worked on, `asked` all requests."""

    def __init__(self) -> None:
        self.asked: Counter[int] = Counter()
        self.answered: Counter[int] = Counter()
        self._loop = asyncio.new_event_loop()
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._runner = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        return runner

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        number = int((await request.json())["messages"][-1]["content"].split()[-1])
        self.asked[number] += 1
        fault = find_fault(number)
        await asyncio.sleep(DELAY_SECONDS)
        if fault == "400":
            return _fail(400)
        if self.asked[number] == 1 and fault in ("429", "500"):
            return _fail(int(fault))
        if self.asked[number] > 1 or fault != "cut before it was worked on":
            with self._changed:
                self.answered[number] += 1
                self._changed.notify_all()
        if self.asked[number] == 1 and fault.startswith("cut") and request.transport is not None:
            request.transport.abort()
        choice = {"index": 0, "message": {"role": "assistant", "content": f"line {number}"}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
        return web.json_response({"id": "c", "model": "m-1", "choices": [choice], "usage": usage})

    def wait_for(self, count: int, seconds: float = 600) -> None:
        """Until so many lines were answered. Raises `TimeoutError`."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.answered) >= count, seconds):
                raise TimeoutError(f"{len(self.answered)} of {count} lines were answered in {seconds} s")


def find_fault(number: int) -> str:
    """What befalls a line: spread evenly, the same in each run; "" for most."""
    place, start = (number * 7919 % 1000) / 1000, 0.0
    for name, share in FAULTS.items():
        if place < (start := start + share):
            return name
    return ""


def _fail(status: int) -> web.Response:
    headers = {"Retry-After-Ms": "20"} if status == 429 else {}
    return web.json_response({"error": {"message": "a bad day"}}, status=status, headers=headers)
