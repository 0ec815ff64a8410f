"""Categories over one WebSocket: what is given goes out as it comes, what is made comes in meanwhile."""

from __future__ import annotations

from asyncio import CancelledError, create_task, sleep, wait
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec

from betterai.core.exceptions import APIConnectionError, BetterAIError, ProviderError, StreamInterrupted
from betterai.core.price import price_usage
from betterai.core.results import Result
from betterai.core.settings import CallSettings
from betterai.runtime.attempts import Attempts
from betterai.runtime.exchange import ExchangeRunner, Plan, is_duplex
from betterai.runtime.refusing import refuse_dropped
from betterai.runtime.sessions.duplex import DuplexSession, open_session

I = TypeVar("I")  # noqa: E741
S = TypeVar("S", bound=CallSettings)
R = TypeVar("R", bound=Result)
E = TypeVar("E")


class LiveRunner(ExchangeRunner[I, S, R, E]):
    """A runner whose category has sessions as well."""

    async def live(self, input: I, name: str, settings: S, items: AsyncIterator[Any]) -> AsyncGenerator[E, None]:
        """The pieces of a session that is given `items` as they come. The last piece has the result."""
        plan = await self.plan(input, name, settings, stream=True, codec=self.find_duplex(name, settings))
        try:
            refuse_dropped(plan.codec.connect(plan.call).warnings, self._config.unsupported)
        except BetterAIError as error:
            raise error.locate(self.provider.name, plan.call.model.id) from None
        self.endpoint(plan)
        attempts = self.open_attempts()
        session = await open_live(self, plan, attempts)
        pieces: list[E] = []
        try:
            async with aclosing(converse(session, items, self._clock.sleep or sleep)) as events:
                async for piece in events:
                    pieces.append(piece)
                    if getattr(piece, "response", None) is None:
                        yield piece
        except BetterAIError as error:
            if error.provider:
                raise
            if isinstance(error, StreamInterrupted):
                error.partial = self._so_far(session.state, pieces, plan)
            raise self.locate(error, plan, attempts) from error.__cause__
        stated = getattr(pieces[-1], "response", None) if pieces else None
        result = stated if stated is not None else self.join_pieces(pieces, plan.call.model)
        known = plan.call.warnings
        warnings = (*known, *(warning for warning in session.warnings if warning not in known))
        yield self.last_piece(self.complete(result, plan, attempts, session, warnings=warnings))

    def _so_far(self, state: Any, pieces: list[E], plan: Plan) -> Result | None:
        """What came of a session that broke; None where nothing did."""
        if not pieces:
            return None
        result: Result = state.so_far() if hasattr(state, "so_far") else self.join_pieces(pieces, plan.call.model)
        model = plan.call.model
        return msgspec.structs.replace(
            result,
            provider=self.provider.name,
            model=result.model or model.id,
            cost=result.cost or price_usage(result.usage, model.price),
        )

    def find_duplex(self, name: str, settings: S) -> Any:
        """The codec for live sessions: the one that is spoken; else another of the provider, where the model is served
        over it and it carries what is asked for. None where there is none.
        """
        model = self._models.find(name)
        codec = self.find_codec(model)
        if is_duplex(codec):
            return codec
        live = model.traits.live_protocol
        others = {} if self._config.protocol else self.provider.protocols.get(self.category, {})
        for protocol, other in others.items():
            if is_duplex(other) and not getattr(other, "alone", False) and live in ("", protocol):
                return other if getattr(other, "carries", _anything)(settings) else None
        return None


def _anything(settings: CallSettings) -> bool:
    return True


async def open_live(
    runner: ExchangeRunner[Any, Any, Any, Any], plan: Plan, attempts: Attempts
) -> DuplexSession[Any, Any]:
    """The open session of a call; a handshake that failed is tried again as every request is."""
    while True:
        try:
            attempts.start()
            session: DuplexSession[Any, Any] = await open_session(plan.codec, plan.call, runner.connection)
        except BetterAIError as error:
            await runner.note_failure(error, plan, attempts)
            continue
        attempts.record(runner.provider.name, plan.call.model.id, None)
        return session


async def converse(
    session: DuplexSession[I | None, E], items: AsyncIterator[I], pause: Callable[[float], Awaitable[None]] = sleep
) -> AsyncGenerator[E, None]:
    """Send the items as they come, and None when there are no more; give the events of the session to its end.

    What the source of the items raises ends the session, and is raised here. `pause` waits between the looks whether
    something must be sent to keep the session open.
    """
    failure: list[BaseException] = []

    async def put(item: I | None) -> bool:
        """Where the other side has gone, reading says why."""
        try:
            await session.send(item)
        except APIConnectionError:
            return False
        return True

    async def feed() -> None:
        try:
            async for item in items:
                if not await put(item):
                    return
            await put(None)
        except CancelledError:
            raise
        except BaseException as error:
            failure.append(error)
            await session.aclose()

    async def keep_alive() -> None:
        while True:
            await pause(session.state.keep_alive_seconds)  # type: ignore[attr-defined]
            try:
                await session.keep_alive()
            except APIConnectionError:
                return

    beside = [create_task(feed())]
    if hasattr(session.state, "keep_alive"):
        beside.append(create_task(keep_alive()))
    try:
        async with session:
            async for event in session:
                yield event
    except ProviderError:
        if failure:
            raise failure[0] from None
        raise
    finally:
        for task in beside:
            task.cancel()
        await wait(beside)
    if failure:
        raise failure[0]
