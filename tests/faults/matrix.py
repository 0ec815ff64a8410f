"""Runs the cells of the matrix, all of them at one server and over one transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count
from random import Random
from time import monotonic
from typing import Any

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.message import Messages
from betterai.runtime.stream import TextStream
from betterai.runtime.sync import SyncStream, run
from betterai.runtime.text import ENDING_SECONDS
from betterai.transport.http import HTTPTransport, SessionOptions
from faults.cells import GOES_ON, HANGS, LIMITS, ON_BREAK, RETRIES, SLACK, Cell, Outcome
from faults.dialects import DIALECTS
from faults.judgement import judge
from faults.server import STOLEN, FaultServer, certificates
from faults.targets import HELLO, target

MAX_REPLY_BYTES = 16 * 1024 * 1024
_numbers = count()


class Matrix:
    """Runs cells at one server, all over one transport."""

    def __init__(
        self, server: FaultServer, transport: HTTPTransport, threads: ThreadPoolExecutor, messages: Messages = HELLO
    ) -> None:
        self.server = server
        self.transport = transport
        self._threads = threads
        self._messages = messages
        self._alone = asyncio.Lock()

    async def run_patiently(self, cell: Cell, outcome: Outcome) -> Outcome:
        """A machine may be busy once or twice, not always: what went wrong is run again, twice at most."""
        for _ in range(2):
            if not outcome.wrong:
                break
            outcome = await self.run(cell)
        return outcome

    async def run(self, cell: Cell) -> Outcome:
        if cell.fault.heavy:
            async with self._alone:
                return await self._run(cell)
        return await self._run(cell)

    async def _run(self, cell: Cell) -> Outcome:
        name = str(next(_numbers))
        outcome = Outcome(cell)
        provider = self.connect(cell, name)
        began = monotonic()
        try:
            async with asyncio.timeout(HANGS):
                await self._call(provider, cell, outcome)
        except TimeoutError:
            outcome.wrong.append(f"hangs: no end after {HANGS:g} s")
        except Exception as error:
            outcome.error = error
        ended = monotonic()
        outcome.seconds = ended - began
        first, second = self.server.cells[name], self.server.cells[f"{name}-second"]
        if not await self.server.until(lambda: not first.busy and not second.busy, 2):
            outcome.wrong.append("its connection is never freed")
        outcome.freed = max(0.0, first.left_at - ended)
        outcome.requests, outcome.elsewhere = len(first.requests), len(second.requests)
        if len(first.requests) > 1:
            outcome.waited = first.requests[1] - first.requests[0]
        judge(outcome)
        forget_frames(outcome.error)
        if self.server.cells[STOLEN].requests:
            outcome.wrong.append("a redirect was followed")
        del self.server.cells[name], self.server.cells[f"{name}-second"]
        return outcome

    async def leave(self, cell: Cell, after: float) -> Outcome:
        """Cancel a call after so many seconds, wherever it is then: it must end at once and leave nothing behind."""
        name, outcome = str(next(_numbers)), Outcome(cell)
        provider = self.connect(cell, name)
        task = asyncio.ensure_future(self._call(provider, cell, outcome))
        await asyncio.wait({task}, timeout=after)
        began, asked = monotonic(), self._asked(name)
        task.cancel()
        await asyncio.wait({task}, timeout=HANGS)
        outcome.seconds = monotonic() - began
        if not task.done():
            outcome.wrong.append(f"hangs: no end {HANGS:g} s after it was cancelled")
        elif outcome.seconds > 0.1 + SLACK:
            outcome.wrong.append(f"took {outcome.seconds:.2f} s to end")
        records = [self.server.cells[name], self.server.cells[f"{name}-second"]]
        lingers = ENDING_SECONDS if outcome.response is not None or (task.done() and not task.cancelled()) else 0.0
        if not await self.server.until(lambda: not any(record.busy for record in records), 0.1 + SLACK + lingers):
            outcome.wrong.append("the upstream goes on")
        if task.cancelled() and self._asked(name) > asked + 1:  # one may have been on its way
            outcome.wrong.append("something was started afterwards")
        if isinstance(provider, betterai.Router) and any(lane.in_flight for lane in provider.lanes):
            outcome.wrong.append("the router has not noticed")
        del self.server.cells[name], self.server.cells[f"{name}-second"]
        return outcome

    def _asked(self, name: str) -> int:
        return len(self.server.cells[name].requests) + len(self.server.cells[f"{name}-second"].requests)

    def connect(self, cell: Cell, name: str) -> BaseTextProvider:
        first = self._target(cell.fault.name, cell.protocol, name)
        if not cell.routed:
            return first
        second = self._target("well", cell.protocol, f"{name}-second")
        return betterai.Router([first, second], timeout=LIMITS, retries=RETRIES, on_break=ON_BREAK[cell.place])

    def _target(self, fault: str, protocol: str, name: str) -> BaseTextProvider:
        model = DIALECTS[protocol].model
        other = GOES_ON.get(protocol, model.replace("neutral", "other"))
        return target(
            self.server,
            fault,
            name,
            protocol=protocol,
            transport=self.transport,
            timeout=LIMITS,
            retries=RETRIES,
            model=model if name.isdigit() else other,
        )

    async def _call(self, provider: BaseTextProvider, cell: Cell, outcome: Outcome) -> None:
        if cell.way == "generate":
            outcome.response = await provider.generate(self._messages)
            outcome.text = outcome.response.content
        elif cell.way == "stream":
            async with TextStream(provider.generate_stream(self._messages)) as stream:
                async for chunk in stream:
                    _take(outcome, chunk)
        else:
            work = self._generate if cell.way == "sync" else self._stream
            await asyncio.get_running_loop().run_in_executor(self._threads, work, provider, outcome)

    @staticmethod
    def _generate(provider: BaseTextProvider, outcome: Outcome) -> None:
        outcome.response = run(provider.generate(HELLO))
        outcome.text = outcome.response.content

    @staticmethod
    def _stream(provider: BaseTextProvider, outcome: Outcome) -> None:
        with SyncStream(TextStream(provider.generate_stream(HELLO))) as stream:
            for chunk in stream:
                _take(outcome, chunk)


def forget_frames(error: BaseException | None) -> None:
    """Of an error that is kept, so that it does not keep all that was in the hands of whoever raised it."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def any_moment(chance: Random) -> float:
    """Seconds, most of them few."""
    return chance.choice((0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6)) * chance.uniform(0, 2)


def _take(outcome: Outcome, chunk: Any) -> None:
    if chunk.reset:
        outcome.text = ""
        outcome.resets += 1
    outcome.text += chunk.content
    if chunk.response is not None:
        if outcome.response is not None:
            outcome.wrong.append("two responses")
        outcome.response = chunk.response


@asynccontextmanager
async def matrix(server: FaultServer, *, threads: int = 24) -> AsyncIterator[Matrix]:
    """A matrix whose transport is closed at the end, and nothing else."""
    options = SessionOptions(
        ca_bundle=certificates()[1].path, max_reply_bytes=MAX_REPLY_BYTES, max_file_bytes=MAX_REPLY_BYTES
    )
    transport = HTTPTransport(options)
    with ThreadPoolExecutor(threads, thread_name_prefix="sync call") as pool:
        yield Matrix(server, transport, pool)
        await transport.aclose()
        await asyncio.wrap_future(pool.submit(run, transport.aclose()))
