"""The attempts of one call of a router: where each begins and ends, and what is made of the answer."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from msgspec.structs import replace

from betterai.core.exceptions import BetterAIError, TotalTimeout
from betterai.core.message import Message
from betterai.core.response import Attempt, ProviderResponse, TextChunk, Timing
from betterai.runtime.attempts import Budget, shared_budget
from betterai.runtime.gatherer import holds_content
from betterai.runtime.messages import read_messages
from betterai.runtime.router.answer import Answer
from betterai.runtime.router.asked import fit_settings
from betterai.runtime.router.choosing import RouteChoice, was_unsent
from betterai.runtime.router.routes import Route

logger = logging.getLogger("betterai.retries")

CANCELLED = "Cancelled"
"""In the list of attempts: it was left, because another one was quicker."""


class RoutedCall(RouteChoice):
    """The attempts of one call."""

    async def reach(self) -> Answer:
        """The first answer that any route gives. Raises what the last one said, or what ends the call."""
        while True:
            route = await self.choose()
            if self._error is not None:
                said = "%s/%s is asked now: the attempt before failed with %s"
                logger.warning(said, *route.name, type(self._error).__name__)
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
        share = Budget(1 if beside else 1 + self.left, self.deadline, repeats=False)
        return Answer(route, self.router.clock.monotonic(), share)

    async def ask(self, answer: Answer) -> Answer:
        """Make the attempt."""
        try:
            provider = answer.route.open()
            if hasattr(provider, "connection"):
                await self._ask(answer, provider)
            else:
                await self._ask_in_time(answer, provider)
        except BaseException as error:
            self.end(answer, error)
            raise
        if not self.streaming:
            self.end(answer, None)
        return answer

    async def _ask_in_time(self, answer: Answer, provider: Any) -> None:
        """Classes know no deadline."""
        from asyncio import timeout

        left = self.deadline - answer.began
        try:
            async with timeout(left) as limit:
                await self._ask(answer, provider)
        except TimeoutError:
            if not limit.expired():
                raise
            raise TotalTimeout(
                f"no answer within the {left:.3g} s that were left of the call", hint="allow more: Router(timeout=…)"
            ) from None

    async def _ask(self, answer: Answer, provider: Any) -> None:
        settings, answer.warnings = fit_settings(self.settings, answer.route, self.router)
        messages, model = self._fit_messages(answer), answer.route.model
        if self.streaming:
            await self._open_stream(answer, provider.generate_stream(messages, model, settings))
            return
        token = shared_budget.set(answer.share)
        try:
            answer.response = await provider.generate(messages, model, settings)
        finally:
            shared_budget.reset(token)

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
        used = answer.granted - answer.share.attempts
        if used > 1:
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
        self.before.clear()

    def complete(self, response: ProviderResponse, answer: Answer) -> ProviderResponse:
        """The response with what came before it. Untouched where nothing did, and it says how long it took."""
        if not (self.records or self.queued or answer.warnings or response.timing is None):
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


def _list_attempts(route: Route, error: Exception, seconds: float, *, counted: bool) -> Sequence[Attempt]:
    """The attempts as a provider that counts them lists them, else one."""
    made = error.attempts if counted and isinstance(error, BetterAIError) else ()
    return made or (_make_attempt(route, seconds, type(error).__name__, getattr(error, "status", None)),)


def _make_attempt(route: Route, seconds: float, error: str = "", status: int | None = None) -> Attempt:
    provider, model = route.name
    return Attempt(provider=provider, model=model, seconds=seconds, status=status, error=error)
