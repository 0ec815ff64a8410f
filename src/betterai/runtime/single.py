"""One request of a codec that has more than an exchange, sent as the requests of jobs are: tried again where it may."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from betterai.core.exceptions import ProviderError
from betterai.core.wire import WireRequest, WireResponse
from betterai.runtime.connection import Connection
from betterai.runtime.jobs.steps import StepsRun

R = TypeVar("R")


class _Single(Generic[R]):
    """One request as a job."""

    def __init__(self, codec: Any, request: WireRequest, parse: Callable[[WireResponse], R]) -> None:
        self._request = request
        self._parse = parse
        self.parse_error: Callable[[WireResponse], ProviderError] = codec.parse_error

    def run(self, call: Any, state: Any = None) -> Generator[WireRequest, WireResponse | None, R]:
        reply = yield self._request
        if reply is None:
            raise ProviderError("a request was not answered")
        return self._parse(reply)

    def cancel(self, state: Any) -> WireRequest | None:
        return None


async def ask_once(codec: Any, request: WireRequest, parse: Callable[[WireResponse], R], connection: Connection) -> R:
    """What `parse` makes of the reply; `codec` reads errors. Raises `BetterAIError`."""
    single: Any = _Single(codec, request, parse)
    found: R = await StepsRun(single, None, connection).run(cancels=False)
    return found
