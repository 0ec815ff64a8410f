"""One call of a router: which route it takes, how often, until when, and what it makes of failures."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from betterai.core.exceptions import BetterAIError, ProviderError, TotalTimeout, ValidationError
from betterai.core.message import Message, Messages
from betterai.core.response import Attempt, CallWarning, ProviderResponse, TextChunk, Timing
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Cost, Usage
from betterai.runtime.attempts import Attempts, Budget, shared_budget
from betterai.runtime.messages import read_messages
from betterai.runtime.router.asked import fit_settings
from betterai.runtime.router.judgement import blame, read_error
from betterai.runtime.router.order import order_routes
from betterai.runtime.router.routes import Lane, Route
from betterai.runtime.stream_pieces import holds_content

if TYPE_CHECKING:
    from betterai.runtime.router.router import Router


CANCELLED = "Cancelled"
"""In the list of attempts: it was left, because another one was quicker."""


class Answer:
    """What a route gave: a whole response, or a stream that was read up to its first content."""

    __slots__ = ("began", "chunks", "continues", "granted", "held", "response", "route", "share", "warnings")

    def __init__(self, route: Route, began: float, share: Budget) -> None:
        self.route = route
        self.began = began
        self.share = share
        self.granted = share.attempts
        self.warnings: tuple[CallWarning, ...] = ()
        self.continues = ""
        """What was said before by another route, which this one was told to go on from."""
        self.response: ProviderResponse | None = None
        self.chunks: AsyncGenerator[TextChunk, None] | None = None
        self.held: list[TextChunk] = []


class RoutedCall:
    """The attempts of one call. All of them start from the caller's own messages and settings."""

    def __init__(self, router: Router, messages: Messages, settings: GenerationSettings, *, streaming: bool) -> None:
        self.router = router
        self.messages: Any = _list_messages(messages)
        self.settings = settings
        self.streaming = streaming
        self.began = router.clock.monotonic()
        self.deadline = self.began + router.timeout.total
        self.left = router.retries.attempts
        self.outer = shared_budget.get()
        if self.outer is not None:
            self.left = min(self.left, self.outer.attempts)
            self.deadline = min(self.deadline, self.outer.deadline)
        self.conversation = router.affinity.name(self.messages, settings)
        self.records: list[Attempt] = []
        self.queued = 0.0
        self.trial = False
        """Whether the route that was chosen last is one that is being tried after it failed."""
        self.said = ""
        """What a stream that broke has said: whoever can goes on from there."""
        self.before: list[tuple[Usage, Cost]] = []
        """What the streams that broke have used, and what that cost."""
        self._waited = 0.0
        self._error: BaseException | None = None
        self._routes: Sequence[Route] | None = None
        self._out: set[Route] = set()
        self._again: dict[Route, tuple[bool, float]] = {}
        self._patience: Attempts | None = None

    async def reach(self) -> Answer:
        """The first answer that any route gives. Raises what the last one said, or what ends the call."""
        while True:
            route = await self.choose()
            delay = self.router.find_delay(self, route)
            if delay is not None:
                from betterai.runtime.router.race import race

                answer = await race(self, route, delay)
                if answer is None:
                    continue
                return answer
            try:
                return await self.ask(route)
            except Exception as error:
                self.judge(route, error)

    # ── which route ──

    async def choose(self) -> Route:
        """The route to ask next, with a place in its lane taken."""
        while True:
            now = self.router.clock.monotonic()
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

    def pick(self, now: float, full: list[Lane]) -> Route | None:
        """The first route that is well and has a place; one that is due for a trial is taken in its turn."""
        router = self.router
        health, rests = router.health, router.health.rests
        for route in self._order(now):
            if not self._is_open(route):
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

    def _order(self, now: float) -> Sequence[Route]:
        if self._routes is None:
            self._routes = order_routes(self.router, self, now)
        return self._routes

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

    def _is_open(self, route: Route) -> bool:
        return route not in self._out and route not in self._again

    def _pick_resting(self, full: list[Lane]) -> Route | None:
        """Where none is ready, one that rests and was not asked by this call: a breaker never closes the last way."""
        health, self.trial = self.router.health, False
        resting = [route for route in self._order(0.0) if self._is_open(route)]
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
        if ready >= self.deadline:
            raise self.give_up(now)
        if ready > now:
            await self._patience.pause(ready - now)
            self._waited = ready - now
        del self._again[route]

    def pick_beside(self, route: Route, full: list[Lane]) -> Route | None:
        """A route to ask while this one is being asked: another target, well, and with a place. None where there is
        none, or no attempt is left.
        """
        if self.left <= 0:
            return None
        hidden = {other for other in self.router.routes if other.lane is route.lane} - self._out
        self._out |= hidden
        try:
            return self.pick(self.router.clock.monotonic(), full)
        finally:
            self._out -= hidden

    async def drop(self, route: Route, answer: Answer | None, seconds: float) -> None:
        """Leave an attempt that came second."""
        self.records.append(_make_attempt(route, seconds, CANCELLED))
        if answer is not None and answer.chunks is not None:
            self.end(answer, GeneratorExit())
            await answer.chunks.aclose()

    # ── asking ──

    async def ask(self, route: Route, *, beside: bool = False) -> Answer:
        """One attempt, which has a place in its lane. Here it begins; it ends in `end`, whatever came of it. `beside`
        is for one that runs while another does.
        """
        self._count(1)
        share = Budget(1 if beside else 1 + self.left, self.deadline, repeats=False)
        answer = Answer(route, self.router.clock.monotonic(), share)
        route.lane.calls += 1
        try:
            provider = route.open()
            settings, answer.warnings = fit_settings(self.settings, route, self.router)
            messages = self._fit_messages(answer)
            if self.streaming:
                await self._open_stream(answer, provider.generate_stream(messages, route.model, settings))
                return answer
            token = shared_budget.set(share)
            try:
                answer.response = await provider.generate(messages, route.model, settings)
            finally:
                shared_budget.reset(token)
        except BaseException as error:
            self.end(answer, error)
            raise
        self.end(answer, None)
        return answer

    def _fit_messages(self, answer: Answer) -> Any:
        if not self.said or not answer.route.goes_on:
            return self.messages
        answer.continues = self.said
        return (*read_messages(self.messages), Message.assistant(self.said.rstrip()))

    async def _open_stream(self, answer: Answer, chunks: AsyncGenerator[TextChunk, None]) -> None:
        """Read a stream up to its first content. Only its first step sees the budget, for that begins the attempt: what
        a generator sets would otherwise be seen by whoever reads it.
        """
        answer.chunks, held = chunks, answer.held
        try:
            token = shared_budget.set(answer.share)
            try:
                chunk = await chunks.__anext__()
            finally:
                shared_budget.reset(token)
            while not holds_content(chunk):
                held.append(chunk)
                chunk = await chunks.__anext__()
            held.append(chunk)
        except StopAsyncIteration:
            pass
        except BaseException:
            await chunks.aclose()
            raise
        now = self.router.clock.monotonic()
        answer.route.lane.streamed.add(now - answer.began, now)

    def _count(self, attempts: int) -> None:
        self.left -= attempts
        if self.outer is not None:
            self.outer.attempts -= attempts

    def end(self, answer: Answer, error: BaseException | None) -> None:
        """An attempt is over."""
        router, route = self.router, answer.route
        router.turns.leave(route.lane)
        now = router.clock.monotonic()
        used = answer.granted - answer.share.attempts
        if used > 1:
            self._count(used - 1)  # by a router below
        if error is None:
            if router.health.rests:
                router.health.forgive(route.places())
            if not self.streaming:
                route.lane.whole.add(now - answer.began, now)
            if self.conversation is not None:
                router.affinity.remember(self.conversation, route)
        elif isinstance(error, Exception):
            if not used and _was_unsent(error):
                self._count(-1)
            route.lane.failures += 1
            self.records += self._add_wait(_list_attempts(route, error, now - answer.began))

    def _add_wait(self, made: Sequence[Attempt]) -> Sequence[Attempt]:
        """The wait of the router belongs to the attempt that came after it."""
        if not self._waited or not made:
            return made
        waited, self._waited = self._waited, 0.0
        return (replace(made[0], waited=made[0].waited + waited), *made[1:])

    # ── failures ──

    def judge(self, route: Route, error: Exception, *, broke: bool = False) -> None:
        """Note who is to blame; raise what ends the call. What `broke` in the middle may be asked again."""
        judged = read_error(error, self.router.also_after)
        now = self.router.clock.monotonic()
        if self.said and route.goes_on and isinstance(error, ValidationError):
            self.said = ""  # it does not go on with it after all: it may begin anew
            self._error = self._error or error
            return
        blame(self.router.health, route, error, judged, now)
        if self._error is None or not _was_unsent(error):
            self._error = error
        if judged.stop:
            raise self.complete_error(error)
        wait = self._find_wait(error, broke=broke)
        ready = None if wait is None else (judged.silent, now + wait)
        for other in self._find_reached(route, judged.reach):
            if ready is None:
                self._out.add(other)
                self._again.pop(other, None)
            elif other not in self._out:
                self._again[other] = ready

    def _find_reached(self, route: Route, reach: str) -> list[Route]:
        """The routes that fail with this one."""
        routes = self.router.routes
        if reach == "name":
            return [other for other in routes if other.name[1] == route.name[1]]
        place = route.place(reach)
        return [other for other in routes if other is route or place in other.places()]

    def _find_wait(self, error: Exception, *, broke: bool) -> float | None:
        """In how many seconds the route may be asked again in this call, where no other is ready; None for never."""
        if not isinstance(error, ProviderError) or (self.outer is not None and not self.outer.repeats):
            return None
        if self._patience is None:
            self._patience = Attempts(self.router.retries, self.router.timeout, self.router.clock)
        error.retryable = error.retryable or broke
        return self._patience.wait_after(error)

    def give_up(self, now: float) -> BaseException:
        """What the call ends with: the last error of a target that was asked, else of one that could not be."""
        if self._error is not None:
            return self.complete_error(self._error)
        if now >= self.deadline:
            return TotalTimeout("the call's time is over", hint="allow more: Router(timeout=…)")
        return ProviderError("the attempts of this call are used up", hint="allow more: Router(retries=…)")

    def complete_error(self, error: BaseException) -> BaseException:
        if isinstance(error, BetterAIError):
            error.attempts = tuple(self.records)
        return error

    # ── after ──

    def lose_before(self) -> None:
        """The streams that broke are no part of the answer."""
        for usage, cost in self.before:
            self.router.hedging.lost.add(usage, cost)
        self.before.clear()

    def complete(self, response: ProviderResponse, answer: Answer) -> ProviderResponse:
        """The response with what came before it. Untouched where nothing did."""
        if not (self.records or self.queued or answer.warnings):
            return response
        timing, before = response.timing or Timing(), answer.began - self.began
        now = self.router.clock.monotonic()
        made = timing.attempts or (_make_attempt(answer.route, now - answer.began),)
        return replace(
            response,
            warnings=(*answer.warnings, *response.warnings),
            timing=replace(
                timing,
                queue=self.queued,
                first_byte=None if timing.first_byte is None else timing.first_byte + before,
                total=now - self.began,
                attempts=(*self.records, *self._add_wait(made)),
            ),
        )


def _list_messages(messages: Messages) -> Any:
    """Messages as a class takes them, too; they are read where they are sent. Raises `ValidationError`."""
    if isinstance(messages, list | tuple):
        return messages
    return ({"role": "user", "content": messages},) if isinstance(messages, str) else read_messages(messages)


def _was_unsent(error: Exception) -> bool:
    """Whether nothing was sent: such a failure says nothing of the target, and is no attempt."""
    return isinstance(error, ValidationError) and not isinstance(error, ProviderError)


def _list_attempts(route: Route, error: Exception, seconds: float) -> Sequence[Attempt]:
    """The attempts as the provider lists them, else one."""
    made = getattr(error, "attempts", ())
    return tuple(made) or (_make_attempt(route, seconds, type(error).__name__, getattr(error, "status", None)),)


def _make_attempt(route: Route, seconds: float, error: str = "", status: int | None = None) -> Attempt:
    provider, model = route.name
    return Attempt(provider=provider, model=model, seconds=seconds, status=status, error=error)
