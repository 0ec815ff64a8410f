"""What a call used, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, TypeVar

from betterai.core.data import Data

MIXED = "mixed"
"""The tier of a sum whose parts were not billed in one way: no price is known for it, so its cost is an estimate."""


class Usage(Data, frozen=True, kw_only=True):
    """Disjoint token counters: each token is counted once; the sums are properties.

    `cached` is read from a cache, by modality; `cache_write` is written to one, by time to live ("" where not said).
    An empty mapping, and None for `reasoning`, mean that the provider did not say: a stated 0 is a 0.
    `tier` is the way of buying that the provider says it billed ("priority", "flex"), "" for the plain one or unsaid.
    `other` are tokens that only the provider's total names; `units` are seconds, characters, images, searches.
    `source` is "provider" for counts the provider gave, "counted" for ours.
    """

    text_in: int = 0
    audio_in: int = 0
    image_in: int = 0
    video_in: int = 0
    cached: Mapping[str, int] = {}
    cache_write: Mapping[str, int] = {}
    text_out: int = 0
    reasoning: int | None = None
    audio_out: int = 0
    image_out: int = 0
    other: int = 0
    units: Mapping[str, float] = {}
    source: Literal["provider", "counted"] = "provider"
    stated_cost: Decimal | None = None
    tier: str = ""

    @property
    def cache_read_tokens(self) -> int:
        return sum(self.cached.values())

    @property
    def cache_write_tokens(self) -> int:
        return sum(self.cache_write.values())

    @property
    def input_tokens(self) -> int:
        """All input tokens, cached ones too."""
        cached = sum(self.cached.values()) if self.cached else 0
        written = sum(self.cache_write.values()) if self.cache_write else 0
        return self.text_in + self.audio_in + self.image_in + self.video_in + cached + written

    @property
    def output_tokens(self) -> int:
        """All output tokens, reasoning too."""
        return self.text_out + (self.reasoning or 0) + self.audio_out + self.image_out

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens + self.other

    def __add__(self, more: Usage) -> Usage:
        costs = [cost for cost in (self.stated_cost, more.stated_cost) if cost is not None]
        return Usage(
            **{name: getattr(self, name) + getattr(more, name) for name in _COUNTERS},
            reasoning=_sum_stated(self.reasoning, more.reasoning),
            cached=_sum(self.cached, more.cached),
            cache_write=_sum(self.cache_write, more.cache_write),
            units=_sum(self.units, more.units),
            source="counted" if "counted" in (self.source, more.source) else "provider",
            stated_cost=sum(costs, Decimal(0)) if costs else None,
            tier=self.tier if self.tier == more.tier else MIXED,
        )


_COUNTERS = (
    "text_in", "audio_in", "image_in", "video_in", "text_out", "audio_out", "image_out", "other",
)  # fmt: skip


def _sum_stated(left: int | None, right: int | None) -> int | None:
    return None if left is None and right is None else (left or 0) + (right or 0)


Number = TypeVar("Number", int, float)


def _sum(left: Mapping[str, Number], right: Mapping[str, Number]) -> dict[str, Number]:
    return {key: left.get(key, 0) + right.get(key, 0) for key in {**left, **right}}


class Cost(Data, frozen=True, kw_only=True):
    """US dollars. `exact`: stated by the provider, or every counter had a price; `estimated`: counters or prices were
    guessed; `unknown`: `amount` is None, never a silent 0. `parts` says what each counter cost.
    """

    amount: Decimal | None = None
    status: Literal["exact", "estimated", "unknown"] = "unknown"
    parts: Mapping[str, Decimal] = {}
    reason: str = ""

    def __add__(self, more: Cost) -> Cost:
        """Both together: unknown where one of them is, and an estimate where one of them is."""
        amount = None if self.amount is None or more.amount is None else self.amount + more.amount
        return Cost(
            amount=amount,
            status=max(self.status, more.status, key=_DOUBT.index),
            parts={
                name: self.parts.get(name, Decimal(0)) + more.parts.get(name, Decimal(0))
                for name in {**self.parts, **more.parts}
            },
            reason="; ".join(dict.fromkeys(filter(None, f"{self.reason}; {more.reason}".split("; ")))),
        )


_DOUBT = ("exact", "estimated", "unknown")

NOTHING = Cost(amount=Decimal(0), status="exact")
"""What no call at all costs: sums begin with it."""
