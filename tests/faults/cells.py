"""The cells of the matrix: one fault, one protocol, one way to call, alone or behind a router; and what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from betterai.core.config import Retries, Timeout
from betterai.core.response import ProviderResponse
from betterai.core.routing import OnBreak
from faults.dialects import DIALECTS
from faults.table import BUDGET, FAULTS, Fault, Seen

Way = Literal["generate", "stream", "sync", "sync-stream"]
WAYS: Sequence[Way] = get_args(Way)
Place = Literal["alone", "routed", "restarting", "continuing"]
"""Alone; behind a router with a healthy second target; behind one that begins a stream that broke anew, or has the
second target go on with it.
"""
ON_BREAK: dict[str, OnBreak] = {"routed": "fail", "restarting": "restart", "continuing": "continue"}
GOES_ON = {"anthropic_messages": "anthropic/claude-haiku-4-5"}
"""Models that go on with an answer that another one began; where there is none, it is begun anew."""
LONG_ENOUGH = 3
"""Pieces of text that are enough of an answer to go on with."""
LIMITS = Timeout(connect=0.3, first_byte=0.5, idle=0.5, total=2.5)
RETRIES = Retries(attempts=BUDGET, base=0.01, cap=0.05)
HANGS = 8.0
"""Seconds after which a call is taken to hang."""
SLACK = 0.25
"""Seconds that a busy machine may add to a limit."""


@dataclass(frozen=True)
class Cell:
    fault: Fault
    protocol: str
    way: Way
    place: Place = "alone"

    def __str__(self) -> str:
        return f"{self.fault.name}-{self.protocol}-{self.way}-{self.place}"

    @property
    def joined(self) -> bool:
        """Whether the second target must go on with what the first one said."""
        return self.place == "continuing" and self.protocol in GOES_ON and self.fault.stream.shown >= LONG_ENOUGH

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
