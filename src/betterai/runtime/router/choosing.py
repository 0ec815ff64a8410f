"""Which route a call takes next, when, and until when: what it learns from each failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from betterai.core.exceptions import (
    BadRequestError,
    BetterAIError,
    LimitReached,
    ProviderError,
    TotalTimeout,
    UnsupportedParam,
    ValidationError,
)
from betterai.core.message import Messages
from betterai.core.response import Attempt
from betterai.core.settings import GenerationSettings
from betterai.core.usage import NOTHING, Cost, Usage
from betterai.runtime.attempts import Attempts, shared_budget
from betterai.runtime.messages import read_messages
from betterai.runtime.router.judgement import Judgement, blame, read_error
from betterai.runtime.router.order import order_routes
from betterai.runtime.router.routes import Lane, Route
from betterai.runtime.router.silence import TIME_HINT

if TYPE_CHECKING:
    from betterai.runtime.router.router import Router

MARGIN = 0.01
"""So many seconds before a call's time is over, it is."""


class RouteChoice:
    """What one call knows of its routes, and its budget. All attempts start from the caller's messages and settings."""

    queued = 0.0
    trial = False
    """Whether the route that was chosen last is one that is being tried after it failed."""
    said = ""
    """What a stream that broke has said: whoever can goes on from there."""
    waited = 0.0
    """How long the attempt that comes next was waited for."""
    retried = False
    before: Sequence[tuple[Usage, Cost]] = ()
    """What the streams that broke have used, and what that cost."""
    hedges: Sequence[tuple[BaseException | None, Cost]] = ()
    """What the hedges that lost have cost, and those that failed beside another attempt: with their errors."""
    failed: Route | None = None
    """The route that failed last."""
    _error: BaseException | None = None
    _routes: Sequence[Route] | None = None
    _out: frozenset[Route] = frozenset()
    _again: Mapping[Route, tuple[bool, float]] = {}
    _patience: Attempts | None = None

    def __init__(self, router: Router, messages: Messages, settings: GenerationSettings, *, streaming: bool) -> None:
        self.router = router
        self.messages: Any = messages if isinstance(messages, list | tuple) else _list_messages(messages)
        self.settings = settings
        self.streaming = streaming
        self.began = router.clock.monotonic()
        self.deadline = self.began + router.timeout.total
        self.left = router.retries.attempts
        self.outer = shared_budget.get()
        if self.outer is not None:
            self.left = min(self.left, self.outer.attempts)
            self.deadline = min(self.deadline, self.outer.deadline)
        self.conversation = router.affinity.name(self.messages, settings) if router.sticky else None
        self.records: list[Attempt] = []

    async def choose(self) -> Route:
        """The route to ask next, with a place in its lane taken."""
        now = self.began if self._routes is None else self.router.clock.monotonic()
        while True:
            if self.left <= 0 or now >= self.deadline:
                raise self.give_up(now)
            full: list[Lane] = []
            route = self.pick(now, full)
            if route is None and not full:
                route = self._pick_resting(full)
            if route is None and full:
                route = await self._queue(full, now)
            if route is not None:
                return route
            await self._pause(now)
            now = self.router.clock.monotonic()

    def pick(self, now: float, full: list[Lane]) -> Route | None:
        """The first route that is well and has a place; one that is due for a trial is taken in its turn."""
        router = self.router
        health, rests = router.health, router.health.rests
        out, again = self._out, self._again
        if self._routes is None:
            self._routes = order_routes(router, self, now)
        for route in self._routes:
            if route in out or route in again:
                continue
            state = health.state(route.places(), now) if rests else "ready"
            if state == "resting":
                continue
            if not router.turns.take(route.lane):
                full.append(route.lane)
                continue
            self.trial = state == "due"
            if self.trial:
                health.claim(route.places(), now)
            return route
        return None

    async def _queue(self, full: Sequence[Lane], now: float) -> Route:
        """A place, once it is this call's turn."""
        router, self.trial = self.router, False
        lane = await router.turns.wait(full, router.name_caller(self.settings), self.deadline - now)
        began, now = now, router.clock.monotonic()
        self.queued += now - began
        return min(
            (route for route in lane.routes if self._is_open(route)),
            key=lambda route: router.health.until(route.places()),
        )

    def has_other(self, route: Route, now: float) -> bool:
        """Whether another target stands ready, should this one not answer."""
        router = self.router
        if self.left <= 0 or len(router.lanes) < 2:
            return False
        health, rests = router.health, router.health.rests
        lane, out, again = route.lane, self._out, self._again
        for other in router.routes:
            if other.lane is lane or other in out or other in again or other.lane.is_full:
                continue
            if not rests or health.state(other.places(), now) == "ready":
                return True
        return False

    def _is_open(self, route: Route) -> bool:
        return route not in self._out and route not in self._again

    def _pick_resting(self, full: list[Lane]) -> Route | None:
        """Where none is ready, one that rests and was not asked by this call: a breaker never closes the last way."""
        health, self.trial = self.router.health, False
        resting = [route for route in self._routes or () if self._is_open(route)]
        for route in sorted(resting, key=lambda route: health.until(route.places())):
            if self.router.turns.take(route.lane):
                return route
            full.append(route.lane)
        return None

    async def _pause(self, now: float) -> None:
        """Wait until the first route may be asked again; what was silent comes last."""
        if not self._again or self._patience is None:
            raise self.give_up(now)
        route, (_, ready) = min(self._again.items(), key=lambda item: item[1])
        if ready >= self.deadline or not self._may_retry():
            raise self.give_up(now)
        if ready > now:
            await self._patience.pause(ready - now)
            self.waited = ready - now
        self._again = {other: when for other, when in self._again.items() if other is not route}

    def _may_retry(self) -> bool:
        quota = self.router.quota
        if quota is None or quota.take():
            self.retried = True
            return True
        if isinstance(self._error, BetterAIError):
            said = "too many retries failed lately, so none was made: see Retries(throttle=…)"
            self._error.hint = f"{self._error.hint}; {said}" if self._error.hint else said
        return False

    def pick_beside(self, route: Route) -> Route | None:
        """A route to ask while this one is being asked: another target, well, and with a place. None where there is
        none, or no attempt is left.
        """
        if self.left <= 0:
            return None
        hidden = {other for other in self.router.routes if other.lane is route.lane} - self._out
        self._out |= hidden
        try:
            return self.pick(self.router.clock.monotonic(), [])
        finally:
            self._out -= hidden

    # ── after a failure ──

    def note(self, route: Route, error: Exception) -> Judgement:
        """Have the place rest that is to blame."""
        router = self.router
        judged = read_error(error, router.also_after)
        if isinstance(error, TotalTimeout) and route.has_own_time and not self._is_over:
            judged = Judgement(stop=False, silent=True)  # the time of the target is over, not that of the call
        blame(router.health, route, error, judged, router.clock)
        self.failed = route
        if self._error is None or not was_unsent(error):
            self._error = error
        return judged

    def judge(self, route: Route, error: Exception, *, broke: bool = False) -> None:
        """Decide who is asked no more, or later; raise what ends the call. What `broke` may always be asked again."""
        if self.said and route.goes_on and _refuses_messages(error):
            self.said = ""  # it does not go on with it after all: it may begin anew
            self._error = self._error or error
            return
        judged = self.note(route, error)
        if judged.stop:
            raise self.complete_error(error)
        wait = self._find_wait(error, broke=broke)
        ready = None if wait is None else (judged.silent, self.router.clock.monotonic() + wait)
        for other in self._find_reached(route, judged.reach):
            if ready is None:
                self._out |= {other}
            elif other not in self._out:
                self._again = {**self._again, other: ready}
        self._again = {other: when for other, when in self._again.items() if other not in self._out}

    def _find_reached(self, route: Route, reach: str) -> list[Route]:
        """The routes that fail with this one."""
        routes = self.router.routes
        if reach == "name" and (name := route.name[1]):
            return [other for other in routes if other.name[1] == name]
        place = route.place("model" if reach == "name" else reach)
        return [other for other in routes if other is route or place in other.places()]

    def _find_wait(self, error: Exception, *, broke: bool) -> float | None:
        """In how many seconds the route may be asked again in this call, where no other is ready; None for never."""
        if not isinstance(error, ProviderError) or (self.outer is not None and not self.outer.repeats):
            return None
        if self._patience is None:
            self._patience = Attempts(self.router.retries, self.router.timeout, self.router.clock)
            self._patience.records = self.records
        error.retryable = error.retryable or broke
        return self._patience.wait_after(error)

    def give_up(self, now: float) -> BaseException:
        """What the call ends with: the last error of a target that was asked, else of one that could not be."""
        if self._error is not None:
            return self.complete_error(self._error)
        if now >= self.deadline:
            return TotalTimeout("the call's time is over", hint=TIME_HINT)
        return LimitReached("the attempts of this call are used up", hint="allow more: Router(retries=…)")

    def complete_error(self, error: BaseException) -> BaseException:
        if isinstance(error, BetterAIError):
            error.attempts = tuple(self.records)
        self.tell_lost(error)
        if isinstance(error, TotalTimeout) and self._is_over:
            error.message = f"the call took longer than {self.router.timeout.total:g} s"
            error.hint = TIME_HINT
        return error

    def tell_lost(self, error: BaseException) -> None:
        """Have the error hold what ran beside the attempt that ended the call with it."""
        lost = [cost for other, cost in self.hedges if other is not error]
        if lost and isinstance(error, BetterAIError):
            error.lost = sum(lost, NOTHING)

    @property
    def _is_over(self) -> bool:
        """Whether the call's time is, or nearly."""
        return self.deadline - self.router.clock.monotonic() <= MARGIN


def _list_messages(messages: Messages) -> Any:
    """Messages as a class takes them, too; they are read where they are sent. Raises `ValidationError`."""
    return ({"role": "user", "content": messages},) if isinstance(messages, str) else read_messages(messages)


def _refuses_messages(error: Exception) -> bool:
    return isinstance(error, BadRequestError) or (isinstance(error, UnsupportedParam) and error.param == "messages")


def was_unsent(error: Exception) -> bool:
    """Whether nothing was sent: such a failure says nothing of the target, and is no attempt."""
    return isinstance(error, ValidationError | LimitReached) and not isinstance(error, ProviderError)
