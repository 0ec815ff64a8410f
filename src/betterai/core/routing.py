"""What a caller says about routing: the targets of a router, its circuit breakers and its hedges."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import isfinite
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from betterai.core.base import BaseTextProvider
from betterai.core.config import CoreConfig
from betterai.core.data import Data
from betterai.core.exceptions import ValidationError
from betterai.core.settings import GenerationSettings

Choose: TypeAlias = Literal["order", "weight", "latency", "load"]
"""Which target is asked first: the first that is well; one drawn by weight; the quickest; the least busy."""
OnBreak: TypeAlias = Literal["fail", "restart", "continue"]
"""What is done with a stream that broke after its first content."""


ROUTER_PREFIX = "router/"
"""`router/NAME` is a router of the configuration file, wherever a model's name goes."""
CASCADE, JOINT = "cascade", "+"
"""`cascade`, where a realtime model's name goes, is made of the default models; `cascade/AUDIO+TEXT+TTS` of others."""


def is_cascade(name: str) -> bool:
    return name.partition("/")[0] == CASCADE


class _Named(Struct, frozen=True, gc=False):
    model: str | BaseTextProvider


class Target(_Named, frozen=True, kw_only=True, gc=False):
    """One place where a router may ask: `Target("groq/…", keys=(KEY_1, KEY_2))`, or any text provider, a router of the
    configuration file (`"router/NAME"`) among them.

    `weight` is for `choose="weight"`. `keys` are tried in their order: the next one where one is turned down or has to
    wait. `concurrency` is how many calls it may have at a time. Targets that say the same `account` run out of money
    together, those with the same `region` go down together; without, each key is an account, each address a region.
    `config` says how it is reached, `settings` what it is asked in place of what the caller set.
    """

    weight: float = 1.0
    keys: Sequence[str] = ()
    concurrency: int | None = None
    account: str = ""
    region: str = ""
    config: CoreConfig | None = None
    settings: GenerationSettings | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.model, str | BaseTextProvider) or self.model == "":
            raise ValidationError(f"a target is a model's name or a text provider, not {self.model!r:.80}")
        if not (_is_number(self.weight) and self.weight > 0):
            raise ValidationError(f"{self}: weight must be above 0, not {self.weight}")
        if self.concurrency is not None and not _is_count(self.concurrency, 1):
            raise ValidationError(f"{self}: concurrency must be a whole number, at least 1, not {self.concurrency!r}")
        if isinstance(self.keys, str):
            raise ValidationError(f"{self}: keys are several", hint='write keys=("…",)')
        if not all(isinstance(key, str) and key for key in self.keys):
            raise ValidationError(f"{self}: one of its keys is empty, or no text", hint="leave it out")
        for name, kind in (("config", CoreConfig), ("settings", GenerationSettings)):
            if (value := getattr(self, name)) is not None and not isinstance(value, kind):
                raise ValidationError(f"{self}: {name} must be a {kind.__name__}, not {type(value).__name__}")
        named = isinstance(self.model, str) and not self.model.startswith(ROUTER_PREFIX)
        if not named and (self.keys or self.config):
            raise ValidationError(f"{self}: a provider has its keys and configuration already")

    def __str__(self) -> str:
        return self.model if isinstance(self.model, str) else f"{type(self.model).__name__}()"

    def __repr__(self) -> str:
        return f"Target({str(self)!r}, keys={len(self.keys)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("model", str(self)), ("keys", len(self.keys))]


class Breaker(Data, frozen=True, kw_only=True):
    """When a place that fails is left alone, and how it is tried again. Times are in seconds.

    After `failures` in a row, or one silence, it rests for `interval`; then one call tries it, at most one each
    `interval`. One that turns down a key, or says that the account is used up, rests for `refused`. A trial does not
    hold up its caller: after `patience`, or half as long again as it usually takes, the next target is asked beside it.
    """

    failures: int = 3
    interval: float = 2.0
    refused: float = 60.0
    patience: float = 2.0

    def __post_init__(self) -> None:
        if not _is_count(self.failures, 1):
            raise ValidationError(f"Breaker: failures must be a whole number, at least 1, not {self.failures!r}")
        for name in ("interval", "refused", "patience"):
            _check_above_zero("Breaker", name, getattr(self, name))


class Hedge(Data, frozen=True, kw_only=True):
    """Ask a second target where the first takes long; the first content wins, and the other is left at once.

    `after` is a number of seconds, or "p95": longer than nineteen of twenty answers of that target took (nothing before
    twenty are known). At most a `share` of the calls is hedged, and none any more once the answers that were left have
    cost `max_cost` US dollars, or something that nobody knows.
    """

    after: float | Literal["p95"] = "p95"
    share: float = 0.05
    max_cost: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.after, str):
            if self.after != "p95":
                raise ValidationError(f'Hedge: after must be a number of seconds or "p95", not {self.after!r}')
        else:
            _check_above_zero("Hedge", "after", self.after)
        if not (_is_number(self.share) and 0 < self.share <= 1):
            raise ValidationError(f"Hedge: share must be a number above 0, at most 1, not {self.share!r}")
        if self.max_cost is not None and not (_is_number(self.max_cost) and self.max_cost >= 0):
            raise ValidationError(f"Hedge: max_cost must be an amount in US dollars, not {self.max_cost!r}")


def _check_above_zero(owner: str, name: str, seconds: float) -> None:
    if not (_is_number(seconds) and seconds > 0):
        raise ValidationError(f"{owner}: {name} must be a number of seconds above 0, not {seconds!r}")


def _is_number(value: object) -> bool:
    """Decimals are numbers too; booleans are none."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and isfinite(value)


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
