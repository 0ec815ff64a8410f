"""The attempts of one call of a router: where each begins and ends, and what is made of the answer."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from math import inf

from msgspec.structs import replace

from betterai.core.exceptions import BetterAIError
from betterai.core.message import Message, Messages
from betterai.core.response import Attempt, ProviderResponse, TextChunk, Timing
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Cost
from betterai.runtime.attempts import shared_budget
from betterai.runtime.gatherer import holds_content
from betterai.runtime.messages import read_messages
from betterai.runtime.router.answer import Answer
from betterai.runtime.router.asked import fit_settings
from betterai.runtime.router.choosing import RouteChoice, was_unsent
from betterai.runtime.router.routes import Route
from betterai.runtime.router.silence import describe_silence, find_first_byte, find_patience
from betterai.transport.patience import Limit

logger = logging.getLogger("betterai.retries")

CANCELLED = "Cancelled"
"""In the list of attempts: it was left, because another one was quicker."""


class RoutedCall(RouteChoice):
    """The attempts of one call."""

    async def reach(self) -> Answer:
        """The first answer that any route gives. Raises what the last one said, or what ends the call."""
        while True:
            route = await self.choose()
            if self.failed is not None:
                self._log(self.failed, route)
            delay = self.router.find_delay(self, route)
            if delay is not None:
                from betterai.runtime.router.race import race

                answer = await race(self, route, delay)
                if answer is None:
                    continue
                return answer
            try:
                return await self.ask(self.begin(route))
            except Exception as error:
                self.judge(route, error)

    def _log(self, failed: Route, route: Route) -> None:
        error = self._error
        status = getattr(error, "status", None)
        what = f"{type(error).__name__} (HTTP {status})" if status else type(error).__name__
        logger.warning("%s failed with %s: %s is asked now", failed.label, what, route.label)

    async def drop(self, answer: Answer) -> None:
        """Leave an attempt that came second."""
        now = self.router.clock.monotonic()
        self.records.append(_make_attempt(answer.route, now - answer.began, CANCELLED))
        self.end(answer, GeneratorExit())
        await answer.close()

    # ── asking ──

    def begin(self, route: Route, *, beside: bool = False) -> Answer:
        """Here an attempt begins, with a place in its lane; it is over in `end`, whatever came of it. `beside`: while
        another one runs.
        """
        self._count(1)
        route.lane.calls += 1
        now = self.router.clock.monotonic()
        first_byte = find_first_byte(self, route, now) if self.streaming else inf
        return Answer(route, now, 1 if beside else 1 + self.left, self.deadline, first_byte)

    async def ask(self, answer: Answer, *, beside: bool = False) -> Answer:
        """Make the attempt."""
        route, limit = answer.route, None
        try:
            provider = route.open()
            seconds = find_patience(self, route, provider, answer.began, beside=beside)
            limit = Limit(seconds) if seconds < inf else None
            settings, answer.warnings = fit_settings(self.settings, route, self.router)
            messages = self.messages
            if self.said and route.goes_on:
                messages, settings = self._go_on(answer, settings)
            if self.streaming:
                await self._open_stream(answer, provider.generate_stream(messages, route.model, settings))
            else:
                token = shared_budget.set(answer)
                try:
                    answer.response = await provider.generate(messages, route.model, settings)
                finally:
                    shared_budget.reset(token)
        except BaseException as error:
            if limit is not None and limit.took(error):
                late = describe_silence(self, answer, seconds)
                self.end(answer, late)
                raise late from None
            self.end(answer, error)
            raise
        finally:
            if limit is not None:
                limit.end()
        if not self.streaming:
            self.end(answer, None)
        return answer

    def _go_on(self, answer: Answer, settings: GenerationSettings) -> tuple[Messages, GenerationSettings]:
        """What is asked to have what was said gone on with: no longer in all than the caller allows."""
        answer.continues = self.said
        if settings.max_tokens is not None:
            said = sum(usage.output_tokens for usage, _ in self.before)
            settings = settings.replace(max_tokens=max(1, settings.max_tokens - said))
        return (*read_messages(self.messages), Message.assistant(self.said.rstrip())), settings

    async def _open_stream(self, answer: Answer, chunks: AsyncGenerator[TextChunk, None]) -> None:
        """Read a stream up to its first content. Only its first step sees the budget, for that begins the attempt: what
        a generator sets would otherwise be seen by whoever reads it.
        """
        held: list[TextChunk] = []
        answer.chunks, answer.held = chunks, held
        try:
            token = shared_budget.set(answer)
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
            await answer.close()
            raise
        now = self.router.clock.monotonic()
        answer.route.lane.streamed.add(now - answer.began, now)

    def _count(self, attempts: int) -> None:
        self.left -= attempts
        if self.outer is not None:
            self.outer.attempts -= attempts

    def end(self, answer: Answer, error: BaseException | None) -> None:
        """An attempt is over. Said twice, it is over once."""
        if answer.over:
            return
        answer.over = True
        router, route = self.router, answer.route
        router.turns.leave(route.lane)
        now = router.clock.monotonic()
        if (used := answer.used) > 1:
            self._count(used - 1)  # by a router below
        if error is None:
            if router.health.rests:
                router.health.forgive(route.places())
            if router.quota is not None:
                router.quota.give(retried=self.retried)
            if not self.streaming:
                route.lane.whole.add(now - answer.began, now)
            if self.conversation is not None:
                router.affinity.remember(self.conversation, route)
        elif isinstance(error, Exception):
            if not used and was_unsent(error):
                self._count(-1)
            route.lane.failures += 1
            self.records += self._add_wait(_list_attempts(route, error, now - answer.began, counted=used > 0))

    def _add_wait(self, made: Sequence[Attempt]) -> Sequence[Attempt]:
        """The wait of the router belongs to the attempt that came after it."""
        if not self.waited or not made:
            return made
        waited, self.waited = self.waited, 0.0
        return (replace(made[0], waited=made[0].waited + waited), *made[1:])

    # ── after ──

    def lose_before(self) -> None:
        """The streams that broke are no part of the answer."""
        for usage, cost in self.before:
            self.router.hedging.lost.add(usage, cost)
        self.before = ()

    def complete(self, response: ProviderResponse, answer: Answer) -> ProviderResponse:
        """The response with what came before it, and with the cost of what ran beside it. Untouched where nothing did,
        and it says how long it took.
        """
        if not (self.records or self.queued or answer.warnings or response.timing is None):
            return response
        timing, before = response.timing or Timing(), answer.began - self.began
        now = self.router.clock.monotonic()
        made = timing.attempts or (_make_attempt(answer.route, now - answer.began),)
        return replace(
            response,
            warnings=(*answer.warnings, *response.warnings),
            cost=sum((cost for _, cost in self.hedges), response.cost or Cost()) if self.hedges else response.cost,
            timing=replace(
                timing,
                queue=self.queued,
                first_byte=None if timing.first_byte is None else timing.first_byte + before,
                total=now - self.began,
                attempts=(*self.records, *self._add_wait(made)),
            ),
        )


def _list_attempts(route: Route, error: Exception, seconds: float, *, counted: bool) -> Sequence[Attempt]:
    """The attempts as a provider that counts them lists them, else one."""
    made = error.attempts if counted and isinstance(error, BetterAIError) else ()
    return made or (_make_attempt(route, seconds, type(error).__name__, getattr(error, "status", None)),)


def _make_attempt(route: Route, seconds: float, error: str = "", status: int | None = None) -> Attempt:
    provider, model = route.name
    return Attempt(provider=provider, model=model, seconds=seconds, status=status, error=error)
