"""Categories over one WebSocket: what is given goes out as it comes, what is made comes in meanwhile."""

from __future__ import annotations

from asyncio import CancelledError, create_task, wait
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, TypeVar

from betterai.core.exceptions import BetterAIError, ProviderError
from betterai.core.realtime import RealtimeOutput
from betterai.core.realtime_input import RealtimeInput
from betterai.core.realtime_session import RealtimeSession
from betterai.core.results import Result
from betterai.core.settings import CallSettings
from betterai.runtime.attempts import Attempts
from betterai.runtime.duplex import DuplexSession, open_session
from betterai.runtime.exchange import ExchangeRunner, Plan, is_duplex

I = TypeVar("I")  # noqa: E741
S = TypeVar("S", bound=CallSettings)
R = TypeVar("R", bound=Result)
E = TypeVar("E")


class NoReply:
    """In the place of a reply, where there is none: a session has no headers."""

    headers: Mapping[str, str] = {}


class LiveRunner(ExchangeRunner[I, S, R, E]):
    """A runner whose category has sessions as well."""

    async def live(self, input: I, name: str, settings: S, items: AsyncIterator[Any]) -> AsyncGenerator[E, None]:
        """The pieces of a session that is given `items` as they come. The last piece has the result."""
        plan = await self.plan(input, name, settings, stream=True, codec=self.find_duplex(name))
        self.endpoint(plan)
        attempts = self.open_attempts()
        session = await open_live(self, plan, attempts)
        pieces: list[E] = []
        try:
            async for piece in converse(session, items):
                pieces.append(piece)
                if getattr(piece, "response", None) is None:
                    yield piece
        except BetterAIError as error:
            raise self.locate(error, plan, attempts) from error.__cause__
        stated = getattr(pieces[-1], "response", None) if pieces else None
        result = stated if stated is not None else self.join_pieces(pieces, plan.call.model)
        yield self.last_piece(self.complete(result, plan, attempts, NoReply(), warnings=plan.call.warnings))

    def find_duplex(self, name: str) -> Any:
        """The codec for live sessions: the one that is spoken, or another of the provider; None where there is none."""
        codec = self.find_codec(self._models.find(name))
        if is_duplex(codec):
            return codec
        others = () if self._config.protocol else self.provider.protocols.get(self.category, {}).values()
        return next((other for other in others if is_duplex(other)), None)


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


async def converse(session: DuplexSession[I | None, E], items: AsyncIterator[I]) -> AsyncGenerator[E, None]:
    """Send the items as they come, and None when there are no more; give the events of the session to its end.

    What the source of the items raises ends the session, and is raised here.
    """
    failure: list[BaseException] = []

    async def feed() -> None:
        try:
            async for item in items:
                await session.send(item)
            await session.send(None)
        except CancelledError:
            raise
        except BaseException as error:
            failure.append(error)
            await session.aclose()

    sending = create_task(feed())
    try:
        async with session:
            async for event in session:
                yield event
    except ProviderError:
        if failure:
            raise failure[0] from None
        raise
    finally:
        sending.cancel()
        await wait([sending])
    if failure:
        raise failure[0]


class CodecRealtimeSession(RealtimeSession):
    """A realtime session of a codec."""

    def __init__(self, session: DuplexSession[RealtimeInput, RealtimeOutput]) -> None:
        self._session = session

    async def send(self, event: RealtimeInput) -> None:
        await self._session.send(event)

    def __aiter__(self) -> AsyncIterator[RealtimeOutput]:
        return self._session.__aiter__()

    async def aclose(self) -> None:
        await self._session.aclose()
