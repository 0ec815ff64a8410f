"""The cells of the matrix: one fault, one protocol, one way to call, alone or behind a router; run, and judged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any, Literal, get_args

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.config import Retries, Timeout
from betterai.core.exceptions import BetterAIError, ProviderError, StreamInterrupted
from betterai.core.response import ProviderResponse
from betterai.runtime.stream import TextStream
from betterai.runtime.sync import SyncStream, run
from betterai.runtime.text import ENDING_SECONDS
from betterai.transport.http import HTTPTransport, SessionOptions
from faults.dialects import DIALECTS, OTHER_PIECES, PIECES
from faults.server import STOLEN, FaultServer, certificates
from faults.table import BUDGET, ENDLESS, FAULTS, Fault, Seen
from faults.targets import HELLO, KEY, target

Way = Literal["generate", "stream", "sync", "sync-stream"]
WAYS: Sequence[Way] = get_args(Way)
Place = Literal["alone", "routed", "restarting"]
"""Alone; behind a router with a healthy second target; behind one that begins a stream anew when it broke."""
LIMITS = Timeout(connect=0.3, first_byte=0.5, idle=0.5, total=2.5)
RETRIES = Retries(attempts=BUDGET, base=0.01, cap=0.05)
MAX_REPLY_BYTES = 16 * 1024 * 1024
HANGS = 8.0
"""Seconds after which a call is taken to hang."""
SLACK = 0.25
"""Seconds that a busy machine may add to a limit."""
_numbers = count()


@dataclass(frozen=True)
class Cell:
    fault: Fault
    protocol: str
    way: Way
    place: Place = "alone"

    def __str__(self) -> str:
        return f"{self.fault.name}-{self.protocol}-{self.way}-{self.place}"

    @property
    def routed(self) -> bool:
        return self.place != "alone"

    @property
    def seen(self) -> Seen:
        return self.fault.stream if self.way.endswith("stream") else self.fault.whole


@dataclass
class Outcome:
    """What came of a cell. `wrong` is what must not be; nothing, where all is well."""

    cell: Cell
    seconds: float = 0.0
    freed: float = 0.0
    """Seconds from the end of the call until the server had its connection back."""
    response: ProviderResponse | None = None
    error: BaseException | None = None
    text: str = ""
    requests: int = 0
    elsewhere: int = 0
    waited: float = 0.0
    resets: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        return "answer" if self.error is None else type(self.error).__name__


def all_cells() -> Iterator[Cell]:
    for fault in FAULTS.values():
        for protocol in DIALECTS:
            if protocol in fault.only:
                for way in WAYS:
                    breaks = way.endswith("stream") and fault.stream.shown > 0
                    for place in get_args(Place) if breaks else ("alone", "routed"):
                        yield Cell(fault, protocol, way, place)


class Matrix:
    """Runs cells at one server, all over one transport."""

    def __init__(self, server: FaultServer, transport: HTTPTransport, threads: ThreadPoolExecutor) -> None:
        self.server = server
        self.transport = transport
        self._threads = threads
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
        if self.server.cells[STOLEN].requests:
            outcome.wrong.append("a redirect was followed")
        del self.server.cells[name], self.server.cells[f"{name}-second"]
        return outcome

    def connect(self, cell: Cell, name: str) -> BaseTextProvider:
        first = self._target(cell.fault.name, cell.protocol, name)
        if not cell.routed:
            return first
        second = self._target("well", cell.protocol, f"{name}-second")
        on_break: Literal["restart", "fail"] = "restart" if cell.place == "restarting" else "fail"
        return betterai.Router([first, second], timeout=LIMITS, retries=RETRIES, on_break=on_break)

    def _target(self, fault: str, protocol: str, name: str) -> BaseTextProvider:
        model = DIALECTS[protocol].model
        return target(
            self.server,
            fault,
            name,
            protocol=protocol,
            transport=self.transport,
            timeout=LIMITS,
            retries=RETRIES,
            model=model if name.isdigit() else model.replace("neutral", "other"),
        )

    async def _call(self, provider: BaseTextProvider, cell: Cell, outcome: Outcome) -> None:
        if cell.way == "generate":
            outcome.response = await provider.generate(HELLO)
            outcome.text = outcome.response.content
        elif cell.way == "stream":
            async with TextStream(provider.generate_stream(HELLO)) as stream:
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
async def matrix(server: FaultServer, *, threads: int = 24) -> Any:
    """A matrix whose transport is closed at the end, and nothing else."""
    options = SessionOptions(ca_bundle=certificates()[1].path, max_reply_bytes=MAX_REPLY_BYTES)
    transport = HTTPTransport(options)
    with ThreadPoolExecutor(threads, thread_name_prefix="sync call") as pool:
        yield Matrix(server, transport, pool)
        await transport.aclose()
        await asyncio.wrap_future(pool.submit(run, transport.aclose()))


# ── what must be ──


def expected(cell: Cell, outcome: Outcome) -> tuple[Seen, bool]:
    """What must be seen, and whether the other target answers; where either may be, that which was."""
    seen = cell.seen
    if not (cell.routed and seen.classes) or seen.elsewhere is False:
        return seen, False
    if seen.shown > 0:
        return (Seen(), True) if cell.place == "restarting" else (seen, False)
    helped = outcome.error is None or (seen.elsewhere is True and not seen.shown)
    return (Seen() if helped else seen), helped


def judge(outcome: Outcome) -> None:
    cell, wrong = outcome.cell, outcome.wrong
    seen, helped = expected(cell, outcome)
    if outcome.seconds > LIMITS.total + SLACK:
        wrong.append(f"took {outcome.seconds:.2f} s, over the limit of {LIMITS.total:g} s")
    if outcome.freed > 0.1 + SLACK + (ENDING_SECONDS if not cell.seen.classes else 0):
        wrong.append(f"freed its connection {outcome.freed:.2f} s later")
    if outcome.requests + outcome.elsewhere > BUDGET:
        wrong.append(f"{outcome.requests} + {outcome.elsewhere} requests, over the budget of {BUDGET}")
    if any(said.startswith("hangs") for said in wrong):
        return
    if seen.classes:
        _judge_failure(outcome, seen)
    else:
        _judge_answer(outcome, helped)


def _judge_answer(outcome: Outcome, helped: bool) -> None:
    cell, wrong, response = outcome.cell, outcome.wrong, outcome.response
    if outcome.error is not None or response is None:
        wrong.append(f"no answer, but {outcome.said}: {outcome.error}")
        return
    own, other = "".join(PIECES), "".join(OTHER_PIECES)
    allowed = {other} if helped else {own, other} if cell.routed and cell.fault.hits else {own}
    if outcome.text not in allowed or response.content != outcome.text:
        wrong.append(f"the text is {outcome.text!r}, the response's {response.content!r}")
    if outcome.resets != (helped and cell.place == "restarting"):
        wrong.append(f"{outcome.resets} resets")
    if response.finish_reason != "stop":
        wrong.append(f"the finish reason is {response.finish_reason}")
    if response.usage is None or response.usage.output_tokens != 4:
        wrong.append(f"the usage is {response.usage}")
    if not cell.routed:
        tries = 1 + (cell.fault.hits or 0)
        _judge_count(outcome, tries, tries + (cell.fault.place == "own"), response.timing.attempts)
        waited = cell.fault.waited
        if cell.fault.hits and not waited - 0.002 <= outcome.waited <= waited * 1.1 + SLACK + LIMITS.first_byte:
            wrong.append(f"came again after {outcome.waited:.3f} s where {waited:g} s were asked for")


def _judge_failure(outcome: Outcome, seen: Seen) -> None:
    wrong, error = outcome.wrong, outcome.error
    if error is None:
        wrong.append(f"a false success: {outcome.text!r}")
        return
    if not isinstance(error, BetterAIError):
        wrong.append(f"not an error of ours: {error!r}")
        return
    if type(error) not in seen.classes and not (ProviderError in seen.classes and isinstance(error, ProviderError)):
        names = " or ".join(kind.__name__ for kind in seen.classes)
        wrong.append(f"{outcome.said} instead of {names}: {error}")
    if KEY in f"{error}{error!r}{vars(error)}":
        wrong.append("it shows the key")
    if not (error.provider and error.model and str(error)):
        wrong.append("it does not say whom it asked")
    if outcome.cell.way.endswith("stream"):
        _judge_shown(outcome, seen.shown)
    if isinstance(error, StreamInterrupted) and outcome.text:
        held = error.partial.content if error.partial is not None else None
        if held != outcome.text:
            wrong.append(f"shown was {outcome.text!r}, held is {held!r}")
    if not outcome.cell.routed:
        least = BUDGET if seen.again and not seen.shown else 1
        most = 1 if seen.shown > 0 or seen.again is False else BUDGET
        _judge_count(outcome, least, most, error.attempts)


def _judge_shown(outcome: Outcome, shown: int) -> None:
    """The text that was shown: exactly what came; or, where that may be lost, the beginning of it."""
    if shown == ENDLESS:
        said, again = PIECES[:2]
        right = outcome.text.startswith(said + again) and not outcome.text.removeprefix(said).replace(again, "")
    else:
        said = "".join(PIECES[: abs(shown)])
        right = outcome.text == said or (shown < 0 and said.startswith(outcome.text))
    if not right:
        outcome.wrong.append(f"the stream showed {outcome.text[:99]!r} and not {said!r}")


def _judge_count(outcome: Outcome, least: int, most: int, attempts: Sequence[Any]) -> None:
    if not least <= len(attempts) <= most:
        met = ", ".join(attempt.error or "well" for attempt in attempts)
        outcome.wrong.append(f"{len(attempts)} attempts ({met}) instead of {least if least == most else (least, most)}")
    if outcome.requests > len(attempts):
        outcome.wrong.append(f"{outcome.requests} requests for {len(attempts)} attempts")
