"""The targets of a router as they are used: lanes, and in each of them a route for every key."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from betterai.core.base import BaseTextProvider
from betterai.core.config import CoreConfig
from betterai.core.exceptions import BetterAIError
from betterai.core.model import ModelConfig
from betterai.core.price import Price
from betterai.core.routing import Target
from betterai.runtime.class_text import take_provider
from betterai.runtime.registry import registry_version
from betterai.runtime.router.health import Place

if TYPE_CHECKING:
    from betterai.runtime.client import Found

REMEMBERED = 128
"""How many times of a lane are kept for its quantiles."""
ENOUGH = 20
"""How many of them a quantile takes."""
_NEWEST = 0.2
"""The weight of the newest time in the running mean."""


class Times:
    """How long the last answers took: a running mean, and quantiles. In seconds."""

    __slots__ = ("_recent", "_sorted", "last", "mean")

    def __init__(self) -> None:
        self.mean: float | None = None
        self.last = 0.0
        """When the newest of them came."""
        self._recent: deque[float] = deque(maxlen=REMEMBERED)
        self._sorted: list[float] | None = None

    def add(self, seconds: float, now: float) -> None:
        self.last = now
        self.mean = seconds if self.mean is None else self.mean + _NEWEST * (seconds - self.mean)
        self._recent.append(seconds)
        self._sorted = None

    def quantile(self, share: float) -> float | None:
        """None while too few times are known."""
        if len(self._recent) < ENOUGH:
            return None
        if self._sorted is None:
            self._sorted = sorted(self._recent)
        return self._sorted[int(share * len(self._sorted))]


class Lane:
    """A target in use: how many calls are in it, and how quick it is. The router's lock is held where it counts."""

    __slots__ = ("calls", "failures", "in_flight", "index", "limit", "routes", "streamed", "target", "whole")

    def __init__(self, target: Target, index: int, find: Callable[[CoreConfig], Found], defaults: CoreConfig) -> None:
        self.target = target
        self.index = index
        self.limit = target.concurrency
        self.in_flight = 0
        self.calls = 0
        self.failures = 0
        self.streamed = Times()
        """Until the first content of a stream."""
        self.whole = Times()
        """Until a whole answer that was not streamed."""
        keys = tuple(target.keys) or (None,)
        self.routes = tuple(Route(self, number, key, find, defaults) for number, key in enumerate(keys))

    def times(self, *, streaming: bool) -> Times:
        return self.streamed if streaming else self.whole

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.in_flight >= self.limit

    @property
    def load(self) -> float:
        """How full it is; without a limit, how many calls are in it for its weight."""
        return self.in_flight / (self.limit or self.target.weight)


class Route:
    """One way to an answer: a target with one of its keys. What it leads to is looked up when it is first taken."""

    __slots__ = ("_config", "_find", "_found", "_places", "_seen", "key", "lane", "model", "number", "provider")

    def __init__(
        self, lane: Lane, number: int, key: str | None, find: Callable[[CoreConfig], Found], defaults: CoreConfig
    ) -> None:
        self.lane = lane
        self.number = number
        self.key = key
        self.provider: Any = None
        self.model = ""
        """What the provider is asked for; "" leaves it to the provider."""
        self._find = find
        self._found: Found | None = None
        self._places: tuple[Place, ...] | None = None
        self._seen: object = None
        target = lane.target
        if isinstance(target.model, BaseTextProvider):
            self.provider = take_provider(target.model)
        limits = {name: getattr(defaults, name) for name in ("timeout", "retries", "unsupported")}
        config = target.config or defaults
        given = {name: value for name, value in limits.items() if getattr(config, name) is None}
        named = {"model": target.model if isinstance(target.model, str) else ""}
        self._config = replace(config, **given, **named, **({} if key is None else {"api_key": key}))

    def open(self) -> BaseTextProvider:
        """The provider to ask, looked up again when registry, catalogue or environment have changed. Raises
        `BetterAIError`.
        """
        found = self._found
        if found is not None and found.version == registry_version():
            connection = getattr(self.provider, "connection", None)
            if connection is not None:
                connection.look_again()
        elif isinstance(self.lane.target.model, str):
            found = self._found = self._find(self._config)
            self.provider, self.model, self._places = found.provider, found.id, None
        return self.provider  # type: ignore[no-any-return]

    @property
    def has_own_time(self) -> bool:
        """Whether the target was given time limits of its own."""
        config = self.lane.target.config
        return config is not None and config.timeout is not None

    @property
    def name(self) -> tuple[str, str]:
        """The provider's name and the model's id, as far as they are known."""
        known: ModelConfig | None = getattr(self.provider, "model", None)
        if isinstance(known, ModelConfig):
            return known.provider, known.id
        target = self.lane.target.model
        if isinstance(target, str):
            provider, _, model = target.partition("/")
            return (provider, model) if model else ("", target)
        return getattr(target, "name", "") or type(target).__name__, ""

    @property
    def label(self) -> str:
        """How it is named where somebody looks for what fails: whose model, which target, and by its fingerprint, which
        key.
        """
        name, target = "/".join(part for part in self.name if part), self.lane.target.model
        said = [f"target {self.lane.index}"]
        if isinstance(target, str) and target != name:
            said.append(target)
        if len(self.lane.routes) > 1:
            said.append(f"key {self.place('key')[1][:8]}")
        return f"{name} ({', '.join(said)})"

    @property
    def price(self) -> Price | None:
        known: ModelConfig | None = getattr(self.provider, "model", None)
        return known.price if isinstance(known, ModelConfig) else None

    @property
    def goes_on(self) -> bool:
        """Whether it goes on with an answer that was begun by another."""
        known: ModelConfig | None = getattr(self.provider, "model", None)
        begins = isinstance(known, ModelConfig) and known.traits.prefill
        return bool(begins or getattr(getattr(self.provider, "codec", None), "prefill_field", ""))

    @property
    def protocol(self) -> tuple[str, str]:
        """The provider's name and the protocol that it is spoken to in."""
        codec = getattr(self.provider, "codec", None)
        return self.name[0], getattr(codec, "protocol", "")

    def places(self) -> tuple[Place, ...]:
        """All that this route stands or falls with, from the narrowest to the widest."""
        if self.provider is None:
            with suppress(BetterAIError):
                self.open()
        connection = getattr(self.provider, "connection", None)
        endpoint = getattr(connection, "_endpoint", None)
        if self._places is None or endpoint is not self._seen:
            self._seen, self._places = endpoint, self._name_places(connection)
        return self._places

    def place(self, kind: str) -> Place:
        return next(place for place in self.places() if place[0] == kind)

    def _name_places(self, connection: Any) -> tuple[Place, ...]:
        target, own = self.lane.target, f"{self.lane.index}.{self.number}"
        address, key = f"of {own}" if self.provider is None else f"of {id(self.provider)}", own
        if connection is not None:
            with suppress(BetterAIError):  # a key is missing: it will say so when it is asked
                address, key = connection.endpoint().base_url, connection.account()
        elif self.key is not None:
            address, key = self.name[0], sha256(f"betterai\0{self.name[0]}\0{self.key}".encode()).hexdigest()[:16]
        model = "/".join(self.name)
        return (
            ("route", own),
            ("key", key),
            ("account", target.account or key),
            ("model", f"{model} at {address}"),
            ("region", target.region or address),
        )

    async def aclose(self) -> None:
        """Close what was made for it."""
        found, self._found = self._found, None
        if found is not None:
            await found.provider.aclose()
