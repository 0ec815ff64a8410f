"""Middleware that asks the same thing once: answers are kept, in memory or in a file, and given again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from decimal import Decimal
from os import PathLike
from typing import Any

import msgspec
from msgspec.structs import replace

from betterai.core.base import BaseTextProvider
from betterai.core.exceptions import ValidationError
from betterai.core.response import ProviderResponse, TextChunk, Timing
from betterai.core.tools import ServerTool
from betterai.core.usage import Cost
from betterai.runtime.attempts import SYSTEM_CLOCK, Clock
from betterai.runtime.gatherer import chunks_of
from betterai.runtime.middleware.base import Middleware, ProviderCall, close_call
from betterai.runtime.middleware.cache_key import identify, make_key
from betterai.runtime.middleware.flights import Flight
from betterai.runtime.middleware.stores import MemoryStore, SQLiteStore, Store
from betterai.runtime.schema import parse_output, prepare_settings
from betterai.runtime.stream_pieces import with_response

_KEPT = frozenset({"stop", "length", "tool_calls"})
"""How an answer has ended that is worth keeping."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ProviderResponse).decode
_log = logging.getLogger("betterai.middleware")


class Cached(Middleware):
    """Gives an answer again where model, messages and settings are exactly the same.

    `ttl` is for how many seconds, `max_entries` and `max_bytes` how much is kept; what was not used for longest goes
    first. `path` is an SQLite file, which processes may share; without one it is this process's memory. The same calls
    at the same time share one, unless `share` is False. `when` may say of a call that it is not to be cached;
    `namespace` keeps apart what is in one file; a file that takes longer than `patience` seconds is done without.

    What searches the web, or runs tools of the provider's, is never cached; nor is what failed, broke or was refused.
    `response.timing.age` says that an answer was kept, and how long; its cost is then 0, its usage that of the first.
    """

    def __init__(
        self,
        inner: BaseTextProvider | str,
        *,
        path: str | PathLike[str] | None = None,
        ttl: float | None = 86_400,
        max_entries: int = 10_000,
        max_bytes: int = 256 * 1024 * 1024,
        share: bool = True,
        when: Callable[[ProviderCall], bool] | None = None,
        namespace: str = "",
        patience: float = 0.5,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(inner)
        given = {"ttl": ttl, "max_entries": max_entries, "max_bytes": max_bytes, "patience": patience}
        for name, value in given.items():
            if value is None and name == "ttl":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise ValidationError(f"Cached: {name} must be a number above 0, not {value!r}")
        if when is not None and not callable(when):
            raise ValidationError(f"Cached: when is a function of the call, not {when!r:.80}")
        self.hits = 0
        """How many calls were answered without asking anybody."""
        self.misses = 0
        self._store: Store
        if path is None:
            self._store = MemoryStore(max_entries, max_bytes)
        else:
            self._store = SQLiteStore(path, max_entries, max_bytes, patience, clock)
        self._ttl = ttl
        self._shares = share
        self._when = when
        self._namespace = namespace
        self._clock = clock
        self._flights: dict[tuple[Any, bytes, bool], Flight] = {}

    async def ask(self, call: ProviderCall) -> AsyncGenerator[TextChunk, None]:
        """The answer that is kept, or that of the wrapped provider, which is then kept."""
        began = time.monotonic()
        settings, parse = prepare_settings(call.settings)
        key = None
        if _is_lasting(call) and (self._when is None or self._when(call)):
            key = await make_key(f"{self._namespace}\0{identify(*self._find_target())}", call, settings)
        if key is None:
            async for chunk in super().ask(call):
                yield chunk
            return
        kept = await self._look_up(key)
        if kept is not None:
            self.hits += 1
            response, age = kept
            response = _parse(_mark(response, age, began), parse)
            for chunk in with_response([*chunks_of(response)] if call.stream else [], response):
                yield chunk
            return
        flight = self._join(call, key) if self._shares else None
        if flight is None:
            self.misses += 1
            async for chunk in self._fetch(call, key):
                yield chunk
            return
        async with aclosing(flight.read()) as chunks:
            async for chunk in chunks:
                if chunk.response is not None:
                    if flight.paid:
                        shared = _parse(_mark(chunk.response, 0.0, began), parse)
                        chunk = replace(chunk, response=shared)
                    flight.paid = True
                yield chunk

    async def aclose(self) -> None:
        """Close the wrapped provider, and the file."""
        await super().aclose()
        await self._store.aclose()

    def _join(self, call: ProviderCall, key: bytes) -> Flight:
        """The same call where it runs already in this loop, else a new one. A whole answer may come of a stream."""
        loop = asyncio.get_running_loop()
        place = (loop, key, call.stream)
        flight = self._flights.get((loop, key, True)) or self._flights.get(place)
        if flight is not None:
            self.hits += 1
            return flight

        def land(landed: Flight) -> None:
            if self._flights.get(place) is landed:
                del self._flights[place]

        self.misses += 1
        flight = self._flights[place] = Flight(self._fetch(replace(call, opened=[]), key), land)
        return flight

    async def _fetch(self, call: ProviderCall, key: bytes) -> AsyncGenerator[TextChunk, None]:
        """Ask the wrapped provider, and keep what it answered."""
        chunks = super().ask(call)
        try:
            async for chunk in chunks:
                if chunk.response is not None and chunk.response.finish_reason in _KEPT:
                    self._keep(key, chunk.response)
                yield chunk
        finally:
            await close_call(call, chunks)

    async def _look_up(self, key: bytes) -> tuple[ProviderResponse, float] | None:
        """The answer that is kept, and its age in seconds."""
        found = await self._store.get(key, self._oldest())
        if found is None:
            return None
        try:
            return _decode(found[0]), max(0.0, self._clock.now() - found[1])
        except msgspec.MsgspecError as error:
            _log.warning("a cached answer cannot be read, and is asked for anew: %s", error)
            return None

    def _keep(self, key: bytes, response: ProviderResponse) -> None:
        """All but what belongs to the one exchange, and what is made of the rest."""
        kept = replace(response, parsed=None, headers={}, body=b"", timing=None)
        try:
            self._store.put(key, _encode(kept), self._clock.now(), self._oldest())
        except (TypeError, ValueError) as error:
            _log.warning("an answer cannot be cached: %s", error)

    def _oldest(self) -> float:
        return 0.0 if self._ttl is None else self._clock.now() - self._ttl


def _is_lasting(call: ProviderCall) -> bool:
    """Whether the same answer would be right again: what looks into the world gives another one tomorrow."""
    settings = call.settings
    return not settings.web_search and not any(isinstance(tool, ServerTool) for tool in settings.tools or ())


def _mark(response: ProviderResponse, age: float, began: float) -> ProviderResponse:
    """The answer as one that was kept: nothing is paid for it, and no attempt was made."""
    first = response.cost.amount if response.cost is not None else None
    said = "what it cost first is not known" if first is None else f"it cost {first} first"
    cost = Cost(amount=Decimal(0), status="exact", reason=f"answered from a cache; {said}")
    return replace(response, cost=cost, timing=Timing(total=time.monotonic() - began, age=age))


def _parse(response: ProviderResponse, parse: Callable[[str], Any] | None) -> ProviderResponse:
    return response if parse is None else parse_output(response, parse)
