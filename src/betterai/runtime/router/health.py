"""Which places have failed, and when they may be asked again: the circuit breakers of a router."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from betterai.core.routing import Breaker

Place: TypeAlias = tuple[str, str]
"""What fails as one: the kind (key, account, model, region …) and a name."""
State: TypeAlias = Literal["ready", "due", "resting"]


class Rest:
    """A place that failed. `open` says that after `until` one call at a time tries it, not all of them."""

    __slots__ = ("failures", "open", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.until = 0.0
        self.open = False


class Health:
    """What is known of the places of one router. `rests` is empty while all are well, which is quick to see."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self.rests: dict[Place, Rest] = {}

    def state(self, places: Iterable[Place], now: float) -> State:
        """That of whoever stands at all of these places."""
        state: State = "ready"
        for place in places:
            rest = self.rests.get(place)
            if rest is None or not (rest.open or rest.until > now):
                continue
            if rest.until > now:
                return "resting"
            state = "due"
        return state

    def until(self, places: Iterable[Place]) -> float:
        """When the last of these places is through with resting."""
        return max((rest.until for place in places if (rest := self.rests.get(place))), default=0.0)

    def claim(self, places: Iterable[Place], now: float) -> None:
        """A call tries these places: until it knows more, and for an interval at least, no other one does."""
        for place in places:
            rest = self.rests.get(place)
            if rest is not None and rest.open:
                rest.until = max(rest.until, now + self._breaker.interval)

    def forgive(self, places: Iterable[Place]) -> None:
        """An answer came from there."""
        for place in places:
            self.rests.pop(place, None)

    def blame(self, place: Place, now: float, *, at_once: bool) -> None:
        """A failure; `at_once` for one that need not be seen again to be believed."""
        rest = self.rests.setdefault(place, Rest())
        rest.failures += 1
        if at_once or rest.failures >= self._breaker.failures:
            rest.open, rest.until = True, max(rest.until, now + self._breaker.interval)

    def refuse(self, place: Place, now: float) -> None:
        """It wants a person: a key that is not taken, an account that is used up."""
        rest = self.rests.setdefault(place, Rest())
        rest.failures += 1
        rest.open, rest.until = True, max(rest.until, now + self._breaker.refused)

    def pause(self, place: Place, now: float, seconds: float | None) -> None:
        """It asked for time, and is as it was after it."""
        rest = self.rests.setdefault(place, Rest())
        rest.until = max(rest.until, now + (self._breaker.interval if seconds is None else seconds))
