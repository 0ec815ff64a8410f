"""The runner of the categories other than text: a codec and the transport, in the order that text has as well:

resolve → normalise → load media → build → merge extra_body, encode → sign, send → frame → parse → price → warnings.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from random import getrandbits
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

from betterai.config.providers import ALL_MODELS
from betterai.core.base import BaseProvider
from betterai.core.config import CoreConfig
from betterai.core.data import Data
from betterai.core.exceptions import (
    APIConnectionError,
    BetterAIError,
    ModelNotFoundError,
    ProviderError,
    StreamInterrupted,
)
from betterai.core.model import Category, ModelConfig
from betterai.core.price import price_usage
from betterai.core.provider import Provider
from betterai.core.response import Timing
from betterai.core.results import Result
from betterai.core.settings import CallSettings
from betterai.core.wire import Call, Event, WireRequest, WireResponse
from betterai.runtime.attempts import SYSTEM_CLOCK, Attempts, Clock
from betterai.runtime.connection import Connection, TransportSource, find_secrets
from betterai.runtime.encoding import LARGE, check_size, encode_request
from betterai.runtime.lookup import ModelFinder, check_model
from betterai.runtime.media.calls import find_call_media, load_call_media, media_bytes
from betterai.runtime.refusing import refuse_dropped
from betterai.runtime.registry import check_options, choose_protocol
from betterai.runtime.stream_pieces import is_stream
from betterai.wire.errors import read_request_id
from betterai.wire.framing import Framer, open_framer

if TYPE_CHECKING:
    from betterai.runtime.jobs.steps import StepsRun
    from betterai.runtime.sessions.duplex import DuplexSession
    from betterai.transport.http import Endpoint, Reply

I = TypeVar("I")  # noqa: E741
S = TypeVar("S", bound=CallSettings)
R = TypeVar("R", bound=Result)
E = TypeVar("E")

ENDING_SECONDS = 1.0
_FRAMED = frozenset({"sse", "ndjson", "event_stream"})


class Plan(Data, frozen=True, kw_only=True):
    """A call, made ready. `request` is None for a job, which asks by itself."""

    codec: Any
    call: Any
    request: WireRequest | None


class ExchangeRunner(BaseProvider, Generic[I, S, R, E]):
    """What the providers made of codecs share. One is made for each configuration; it holds no connection of its own.

    A category that streams states how a whole result comes in pieces (`pieces_of`), how pieces make a result
    (`join_pieces`), and the piece that states the result (`last_piece`).
    """

    category: ClassVar[Category]

    def __init__(
        self,
        provider: Provider,
        codec: Any,
        config: CoreConfig,
        model: ModelConfig,
        *,
        transport: TransportSource | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.provider = provider
        self.codec = codec
        self.model = model
        self.connection = Connection(provider, config, transport)
        self._config = config
        self._clock = clock
        self._models = ModelFinder(provider, model, self.category)

    def pieces_of(self, result: R) -> Sequence[E]:
        """A whole result as the pieces of a stream."""
        raise NotImplementedError

    def join_pieces(self, pieces: Sequence[E], model: ModelConfig) -> R:
        """The result that the pieces of a stream make, where its codec gave none."""
        raise NotImplementedError

    def last_piece(self, result: R) -> E:
        """The piece that states the result, and nothing else."""
        raise NotImplementedError

    @property
    def streams(self) -> bool:
        """Whether the codec reads streams: jobs do not, nor do codecs that say so."""
        return not is_job(self.codec) and not is_duplex(self.codec) and getattr(self.codec, "streams", True)

    async def ask(self, input: I, name: str, settings: S, *, total: float | None = None) -> R:
        """One whole result. `total` are the seconds that are left of a call that takes several of these."""
        plan = await self.plan(input, name, settings)
        limits = self.connection.timeout
        if total is not None:
            limits = msgspec.structs.replace(limits, total=min(total, limits.total))
        endpoint = self.endpoint(plan)
        attempts = Attempts(self.connection.retries, limits, self._clock, self.connection.quota)
        if plan.request is None:
            return await self._ask_by_job(plan, attempts)
        request, asked, first_byte = plan.request, 0, None
        while True:
            status = None
            try:
                opened = await self.connection.transport.open(request, endpoint, attempts.start())
                status, stood = opened.status, attempts.elapsed()
                reply = await (opened.save() if request.reply == "file" and status < 300 else opened.read())
                if not 200 <= status < 300:
                    raise plan.codec.parse_error(reply)
                first_byte = first_byte or stood
                result = await self._parse(plan, reply)
            except BetterAIError as error:
                await self._after(error, plan, attempts, status)
                continue
            attempts.record(*self._whom(plan), status)
            if isinstance(result, WireRequest):
                asked += 1
                request = self._follow(result, plan, attempts, asked)
                continue
            return self.complete(result, plan, attempts, opened, first_byte)

    async def ask_stream(self, input: I, name: str, settings: S) -> AsyncGenerator[E, None]:
        """The pieces of one result; what broke before the first of them is tried again. The last has the result."""
        plan = await self.plan(input, name, settings, stream=True)
        assert plan.request is not None
        endpoint = self.endpoint(plan)
        attempts = self.open_attempts()
        first_byte = None
        while True:
            pieces: list[E] = []
            status = None
            try:
                reply = await self.connection.transport.open(plan.request, endpoint, attempts.start())
                try:
                    status = reply.status
                    if not 200 <= status < 300:
                        raise plan.codec.parse_error(await reply.read())
                    first_byte = first_byte or attempts.elapsed()
                    async for piece in self._read_stream(plan, reply, pieces):
                        yield piece
                finally:
                    reply.close()
            except BetterAIError as error:
                await self._after(error, plan, attempts, status, shown=bool(pieces))
                continue
            attempts.record(*self._whom(plan), status)
            break
        stated = getattr(pieces[-1], "response", None) if pieces else None
        result = stated if stated is not None else self.join_pieces(pieces, plan.call.model)
        yield self.last_piece(self.complete(result, plan, attempts, reply, first_byte))

    async def _read_stream(self, plan: Plan, reply: Any, pieces: list[E]) -> AsyncGenerator[E, None]:
        """The pieces as they come, all of them kept in `pieces`. One that states the result is kept and not shown."""
        assert plan.request is not None
        framing = plan.request.reply
        if framing in _FRAMED and not is_stream(reply.headers):
            whole = await self._parse(plan, await reply.read())
            if isinstance(whole, WireRequest):
                raise ProviderError("the reply to a stream asks for one more request", code="unreadable_reply")
            for piece in self.pieces_of(whole):
                pieces.append(piece)
                yield piece
            pieces.append(self.last_piece(whole))
            return
        state = plan.codec.open_stream(plan.call)
        framer: Framer = open_framer(framing) if framing in _FRAMED else _Pieces()  # type: ignore[arg-type]
        data, broke = b"-", None
        while data and not state.done:
            try:
                data = await reply.next_piece()
            except APIConnectionError as error:
                if not pieces:
                    raise
                broke, data = error, b""
            for event in framer.feed(data) if data else framer.flush():
                for piece in state.parse_event(event):
                    pieces.append(piece)
                    if getattr(piece, "response", None) is None:
                        yield piece
                if state.done:
                    break
            if state.ending:
                reply.expire_in(ENDING_SECONDS)
        if broke is not None and framing not in _FRAMED:
            raise StreamInterrupted("the connection broke before the reply was whole") from broke
        try:
            last = state.finish()
        except StreamInterrupted as error:
            raise error from broke
        for piece in last:
            pieces.append(piece)
            if getattr(piece, "response", None) is None:
                yield piece

    # ── before ──

    async def plan(self, input: I, name: str, settings: S, *, stream: bool = False, codec: Any = None) -> Plan:
        """The call made ready, and its request where it is one. Raises `BetterAIError`, located."""
        model = self._models.find(name)
        try:
            codec = codec or self.find_codec(model)
            unread = check_options(settings.options, self.provider.name) if settings.options else ()
            if not is_duplex(codec):
                accepts = getattr(codec, "accepts", {})
                input, settings = await load_call_media(input, settings, accepts, self.connection)
            call: Call[I, S] = Call(
                model=model,
                input=input,
                settings=settings,
                stream=stream,
                id=f"{getrandbits(128):032x}",
                now=self._clock.now(),
                warnings=(*unread, *check_model(model, self.category, getattr(codec, "categories", ()))),
                provider_settings=self.connection.codec_settings(),
            )
            if is_job(codec) or is_duplex(codec):
                return Plan(codec=codec, call=call, request=None)
            large = media_bytes(find_call_media(input, settings)) > LARGE
            request = await to_thread(self._build, codec, call, large=True) if large else self._build(codec, call)
            check_size(request, getattr(codec, "max_body_bytes", None), self.provider)
            return Plan(codec=codec, call=call, request=request)
        except BetterAIError as error:
            raise error.locate(self.provider.name, model.id) from error.__cause__

    def _build(self, codec: Any, call: Any, *, large: bool = False) -> WireRequest:
        request: WireRequest = codec.build_request(call)
        refuse_dropped(request.warnings, self._config.unsupported)
        return encode_request(request, call.settings.extra_body, large=large)

    def find_codec(self, model: ModelConfig) -> Any:
        """A model may be served over another protocol than the one that this provider was made for."""
        if model is self.model or self._config.protocol:
            return self.codec
        return choose_protocol(self.provider, self.category, model)

    def endpoint(self, plan: Plan) -> Endpoint:
        try:
            return self.connection.endpoint()
        except BetterAIError as error:
            raise error.locate(*self._whom(plan)) from None

    def open_attempts(self, since: float = 0.0) -> Attempts:
        """Those of a call that begins now, or has run `since` then (Unix seconds)."""
        connection = self.connection
        attempts = Attempts(connection.retries, connection.timeout, self._clock, connection.quota)
        if since:
            attempts.began -= max(0.0, self._clock.now() - since)
        return attempts

    # ── after ──

    async def _parse(self, plan: Plan, reply: WireResponse) -> R | WireRequest:
        large = isinstance(reply.body, bytes) and len(reply.body) > LARGE
        parse = plan.codec.parse_response
        result: R | WireRequest = await to_thread(parse, plan.call, reply) if large else parse(plan.call, reply)
        return result

    def _follow(self, request: WireRequest, plan: Plan, attempts: Attempts, asked: int) -> WireRequest:
        if asked >= self._config.hops:
            error = ProviderError(f"one result took more than {asked} requests", hint="CoreConfig(hops=…)")
            raise self.locate(error, plan, attempts)
        attempts.go_on()
        return encode_request(request)

    async def _ask_by_job(self, plan: Plan, attempts: Attempts) -> R:
        job = self.open_job(plan)
        try:
            result = await job.run()
        except BetterAIError as error:
            attempts.records += job.records
            raise self.locate(error, plan, attempts) from error.__cause__
        attempts.records += job.records
        return self.finish_job(result, plan, job, attempts)

    def open_job(
        self, plan: Plan, state: Mapping[str, Any] | None = None, total: float | None = None
    ) -> StepsRun[Any, R]:
        """The run of a call whose codec works on it as a job, from the beginning or from a stored `state`."""
        from betterai.runtime.jobs.steps import StepsRun

        job: StepsRun[Any, R] = StepsRun(
            plan.codec, plan.call, self.connection, state=state, total=total, clock=self._clock
        )
        job.on_request = lambda request: refuse_dropped(request.warnings, self._config.unsupported)
        return job

    def finish_job(self, result: R, plan: Plan, job: StepsRun[Any, R], attempts: Attempts) -> R:
        """The result of a job with what only the runner knows. `attempts` are those of all its runs."""
        return self.complete(result, plan, attempts, job, warnings=(*plan.call.warnings, *job.warnings))

    async def note_failure(self, error: BetterAIError, plan: Plan, attempts: Attempts) -> None:
        """Wait for the next try of a session that could not be opened, or raise."""
        await self._after(error, plan, attempts, error.status)

    async def _after(
        self, error: BetterAIError, plan: Plan, attempts: Attempts, status: int | None, *, shown: bool = False
    ) -> None:
        """Wait for the next attempt, or raise the error with all that is known of the call."""
        self.connection.look_again()
        attempts.record(*self._whom(plan), status, type(error).__name__)
        if isinstance(error, ProviderError) and not shown:
            error.retryable = error.retryable or isinstance(error, StreamInterrupted)
            wait = attempts.wait_after(error)
            if wait is not None:
                await attempts.pause(wait)
                return
        raise self.locate(error, plan, attempts) from error.__cause__

    def locate(self, error: BetterAIError, plan: Plan, attempts: Attempts) -> BetterAIError:
        error.attempts = tuple(attempts.records)
        if isinstance(error, ModelNotFoundError) and (like := ALL_MODELS.near(*self._whom(plan))):
            error.hint = f"did you mean {' or '.join(like)}?"
        secrets = [*self.connection.secrets(), *find_secrets(plan.call.settings)]
        return error.locate(*self._whom(plan)).redact(secrets)

    def _whom(self, plan: Plan) -> tuple[str, str]:
        return self.provider.name, plan.call.model.id

    def complete(
        self,
        result: R,
        plan: Plan,
        attempts: Attempts,
        reply: Reply | StepsRun[Any, R] | DuplexSession[Any, E],
        first_byte: float | None = None,
        *,
        warnings: Iterable[Any] | None = None,
    ) -> R:
        """The result with what only the runner knows: price, warnings, request id, timing."""
        if warnings is None:
            warnings = plan.request.warnings if plan.request is not None else ()
        return msgspec.structs.replace(
            result,
            provider=self.provider.name,
            model=result.model or plan.call.model.id,
            warnings=(*warnings, *result.warnings),
            cost=result.cost or price_usage(result.usage, plan.call.model.price),
            headers=reply.headers,
            request_id=read_request_id(reply.headers) or result.request_id,
            timing=Timing(
                connect=getattr(reply, "connect", None),
                first_byte=first_byte,
                total=attempts.elapsed(),
                attempts=tuple(attempts.records),
            ),
        )


def is_job(codec: Any) -> bool:
    """Whether a codec is of the shape Steps: it asks by itself, more than once."""
    return hasattr(codec, "run")


def is_duplex(codec: Any) -> bool:
    """Whether a codec is of the shape Duplex: one session over a WebSocket."""
    return hasattr(codec, "connect") and hasattr(codec, "open")


class _Pieces:
    """No framing: each piece of the network is an event."""

    def feed(self, data: bytes) -> Sequence[Event]:
        return (Event(data=data),)

    def flush(self) -> Sequence[Event]:
        return ()
