"""The text runner: a codec and the transport as a text provider. Its order is fixed:

resolve → normalise → load media → build → merge extra_body, encode → sign, send → frame → parse → price → warnings.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from random import getrandbits
from typing import TYPE_CHECKING, Any

import msgspec

from betterai.config.providers import ALL_MODELS, unlisted_model
from betterai.core.codec import Steps, TextCall, TextExchange
from betterai.core.config import CoreConfig
from betterai.core.data import Data
from betterai.core.exceptions import (
    APIConnectionError,
    BetterAIError,
    ModelNotFoundError,
    ProviderError,
    StreamInterrupted,
    UnsupportedParam,
)
from betterai.core.message import MediaPart, Message, Messages, Text, ToolResult
from betterai.core.model import ModelConfig
from betterai.core.price import price_usage
from betterai.core.provider import Provider
from betterai.core.response import ProviderResponse, TextChunk, Timing
from betterai.core.results import TokenCount
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, WireRequest
from betterai.runtime.attempts import SYSTEM_CLOCK, Attempts, Clock
from betterai.runtime.claims import check_claims
from betterai.runtime.connection import Connection, TransportSource, find_secrets
from betterai.runtime.encoding import check_size, encode_request
from betterai.runtime.gatherer import Gatherer, WholeAnswer
from betterai.runtime.hops import LARGE_BODY, Hops
from betterai.runtime.media.loading import check_owners, load_media, media_sizes, needs_loading
from betterai.runtime.messages import read_messages
from betterai.runtime.observing.calls import ObservedTextProvider, Subject
from betterai.runtime.refusing import refuse_dropped
from betterai.runtime.registry import check_options, choose_protocol
from betterai.runtime.schema import parse_output, prepare_settings
from betterai.runtime.stream_pieces import finish_stream, is_stream, read_piece, with_response
from betterai.wire.errors import read_request_id
from betterai.wire.framing import open_framer

if TYPE_CHECKING:
    from betterai.runtime.jobs.steps import StepsRun
    from betterai.transport.http import Endpoint, Reply

ENDING_SECONDS = 1.0
"""How long to wait for usage and a terminator once an answer is complete."""

_MEDIA = (MediaPart, ToolResult)
_NO_SETTINGS = GenerationSettings()


class Plan(Data, frozen=True, kw_only=True):
    """A call, made ready to be sent."""

    codec: TextExchange
    call: TextCall
    request: WireRequest
    parse: Callable[[str], Any] | None


class CodecTextProvider(ObservedTextProvider):
    """A text provider made of a codec. One is made for each configuration; it holds no connection of its own."""

    def __init__(
        self,
        provider: Provider,
        codec: TextExchange,
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
        self._models: dict[str, ModelConfig] = {}

    def _describe(self, name: str) -> Subject:
        model = self._find_model(name)
        try:
            protocol = self._find_codec(model).protocol
        except BetterAIError:
            protocol = ""  # the call will say it
        return Subject(self.provider.name, model.id, protocol, connection=self.connection)

    async def _generate(self, messages: Messages, model: str, settings: GenerationSettings) -> ProviderResponse:
        plan = await self._plan(messages, model, settings, stream=False)
        endpoint = self._endpoint(plan)
        attempts = self._open_attempts()
        background = getattr(plan.codec, "background", None)
        if background is not None and (steps := background(plan.call)) is not None:
            return await self._generate_by_job(steps, plan, attempts)
        codec, call, request, hops, first_byte = plan.codec, plan.call, plan.request, None, None
        while True:
            status = None
            try:
                opened = await self.connection.transport.open(request, endpoint, attempts.start())
                status, stood = opened.status, attempts.elapsed()
                reply = await opened.read()
                if not 200 <= status < 300:
                    raise codec.parse_error(reply)
                first_byte = first_byte or stood
                result = codec.parse_response(call, reply)
            except BetterAIError as error:
                await self._after(error, plan, attempts, status, hops)
                continue
            attempts.record(self.provider.name, plan.call.model.id, status)
            if hops is None:
                if isinstance(result, ProviderResponse) and result.finish_reason != "pause":
                    return self._complete(result, plan, attempts, opened, first_byte)
                hops = Hops(codec, plan.call, plan.request, self._config.hops)
            following = await self._follow(hops, result, plan, attempts)
            if following is None:
                return self._complete(hops.response(), plan, attempts, opened, first_byte)
            call, request = hops.call, following

    async def _generate_stream(
        self, messages: Messages, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]:
        plan = await self._plan(messages, model, settings, stream=True)
        endpoint = self._endpoint(plan)
        attempts = self._open_attempts()
        codec, call, request, hops, first_byte = plan.codec, plan.call, plan.request, None, None
        while True:
            shown, status, whole = False, None, None
            gathered = Gatherer(plan.call.model.id, hops)
            try:
                reply = await self.connection.transport.open(request, endpoint, attempts.start())
                try:
                    status = reply.status
                    if not 200 <= status < 300:
                        raise codec.parse_error(await reply.read())
                    first_byte = first_byte or attempts.elapsed()
                    if not is_stream(reply.headers):
                        whole = codec.parse_response(call, await reply.read())
                    state = codec.open_stream(call) if whole is None else WholeAnswer(whole)
                    framer = open_framer(request.reply)  # type: ignore[arg-type]
                    broke, piece = None, b"-"
                    while piece and not state.done:
                        try:
                            piece = await reply.next_piece()
                        except APIConnectionError as error:
                            if not shown:
                                raise
                            broke, piece = error, b""
                        said = read_piece(state, framer, piece, gathered)
                        for chunk in said if shown else gathered.hold_back(said):
                            shown = True
                            yield chunk if hops is None else hops.shift(chunk)
                        if state.ending:
                            reply.expire_in(ENDING_SECONDS)
                    final = finish_stream(state, gathered, broke)
                finally:
                    reply.close()
            except BetterAIError as error:
                await self._after(error, plan, attempts, status, hops, gathered if shown else None)
                continue
            attempts.record(*self._whom(plan), status)
            result = whole if whole is not None else gathered.response()
            if hops is None:
                if isinstance(result, ProviderResponse) and result.finish_reason != "pause":
                    answer = result
                    break
                hops = Hops(codec, plan.call, plan.request, self._config.hops)
            following = await self._follow(hops, result, plan, attempts)
            if following is None:
                answer = hops.response()
                break
            for chunk in final:
                yield chunk
            call, request = hops.call, following
        response = self._complete(answer, plan, attempts, reply, first_byte)
        for chunk in with_response([*final, *gathered.last_chunks(response.usage)], response):
            yield chunk

    async def count_tokens(
        self, messages: Messages, model: str = "", settings: GenerationSettings | None = None
    ) -> TokenCount:
        """How many input tokens a call would have: counted by the provider where it can, else estimated."""
        from betterai.runtime.count import count_tokens

        return await count_tokens(self, messages, model, settings or _NO_SETTINGS)

    # ── before ──

    async def plan(self, messages: Messages, name: str, settings: GenerationSettings) -> Plan:
        """A call, checked and made ready as `generate` sends it. Raises `BetterAIError`."""
        return await self._plan(messages, name, settings, stream=False)

    async def _plan(self, messages: Messages, name: str, settings: GenerationSettings, *, stream: bool) -> Plan:
        model = self._find_model(name)
        try:
            codec = self._find_codec(model)
            prepared, parse = prepare_settings(settings)
            unread = check_options(prepared.options, self.provider.name) if prepared.options else ()
            history = read_messages(messages)
            media = has_media(history)
            if media:
                check_owners(history, self.connection)
            if media and needs_loading(history, codec.accepts):
                limits = self.connection.timeout
                history = await load_media(history, codec.accepts, self.connection.transport, limits)
            call: TextCall = Call(
                model=model,
                input=history,
                settings=prepared,
                stream=stream,
                id=getrandbits(128).to_bytes(16).hex(),
                now=self._clock.now(),
                warnings=(*unread, *check_claims(model, history, settings.given(), media=media)),
                provider_settings=self.connection.codec_settings(),
            )
            if media and media_sizes(history) > LARGE_BODY:
                from asyncio import to_thread

                plan = await to_thread(self._build, codec, call, parse, large=True)
                check_size(plan.request, getattr(plan.codec, "max_body_bytes", None), self.provider)
                return plan
            return self._build(codec, call, parse)
        except BetterAIError as error:
            raise error.locate(self.provider.name, model.id) from None

    def _endpoint(self, plan: Plan) -> Endpoint:
        try:
            return self.connection.endpoint()
        except BetterAIError as error:
            raise error.locate(*self._whom(plan)) from None

    def _build(
        self, codec: TextExchange, call: TextCall, parse: Callable[[str], Any] | None, *, large: bool = False
    ) -> Plan:
        try:
            request = codec.build_request(call)
        except UnsupportedParam as error:
            codec = self._find_other(codec, call.model, error)
            try:
                request = codec.build_request(call)
            except UnsupportedParam:
                raise error from None
        refuse_dropped(request.warnings, self._config.unsupported)
        request = encode_request(request, call.settings.extra_body, large=large)
        return Plan(codec=codec, call=call, request=request, parse=parse)

    def _find_codec(self, model: ModelConfig) -> TextExchange:
        """A model may be served over another protocol than the one that this provider was made for."""
        if model is self.model or self._config.protocol:
            return self.codec
        chosen: TextExchange = choose_protocol(self.provider, "text", model)
        return chosen

    def _find_other(self, codec: TextExchange, model: ModelConfig, error: UnsupportedParam) -> TextExchange:
        """The protocol that carries what the first one cannot, where the vendor serves the model over both, and the
        caller has chosen none (docs/decisions/0013-the-call-chooses.md).
        """
        other = self.provider.protocols["text"].get(getattr(codec, "instead", ""))
        if other is None or self._config.protocol or model.protocol or model.traits.protocol:
            raise error
        found: TextExchange = other
        return found

    def _find_model(self, name: str) -> ModelConfig:
        """The model of this provider; names that the catalogue does not list are asked for as they are."""
        if not name or name == self.model.id:
            return self.model
        found = self._models.get(name)
        if found is None:
            if len(self._models) > 1024:
                self._models.clear()
            found = self._models[name] = self._look_up(name)
        return found

    def _look_up(self, name: str) -> ModelConfig:
        if name == self.model.key:
            return self.model
        prefix = f"{self.provider.name}/"
        for key in (f"{prefix}{name}", name):
            if (listed := ALL_MODELS.find(key)) is not None and listed.provider == self.provider.name:
                return listed
        return unlisted_model(self.provider.name, name.removeprefix(prefix), known=not self.provider.models())

    async def _generate_by_job(
        self, steps: Steps[TextCall, ProviderResponse], plan: Plan, attempts: Attempts
    ) -> ProviderResponse:
        from betterai.runtime.jobs.steps import StepsRun

        job = StepsRun(steps, plan.call, self.connection, clock=self._clock)
        try:
            result = await job.run()
        except BetterAIError as error:
            attempts.records += job.records
            raise self._locate(error, plan, attempts, None, None) from error.__cause__
        attempts.records += job.records
        return self._complete(result, plan, attempts, job)

    def _open_attempts(self) -> Attempts:
        connection = self.connection
        return Attempts(connection.retries, connection.timeout, self._clock, connection.quota)

    # ── after ──

    async def _follow(
        self, hops: Hops, result: ProviderResponse | WireRequest, plan: Plan, attempts: Attempts
    ) -> WireRequest | None:
        try:
            following = await hops.follow(result)
        except BetterAIError as error:
            raise self._locate(error, plan, attempts, hops, None) from error.__cause__
        if following is not None:
            attempts.go_on()
        return following

    async def _after(
        self,
        error: BetterAIError,
        plan: Plan,
        attempts: Attempts,
        status: int | None,
        hops: Hops | None,
        shown: Gatherer | None = None,
    ) -> None:
        """Wait for the next attempt, or raise the error with all that is known of the call."""
        self.connection.look_again()
        attempts.record(*self._whom(plan), status, type(error).__name__)
        if isinstance(error, ProviderError) and shown is None:
            error.retryable = error.retryable or isinstance(error, StreamInterrupted)
            wait = attempts.wait_after(error)
            if wait is not None:
                await attempts.pause(wait)
                return
        raise self._locate(error, plan, attempts, hops, shown)

    def _locate(
        self, error: BetterAIError, plan: Plan, attempts: Attempts, hops: Hops | None, shown: Gatherer | None
    ) -> BetterAIError:
        error.attempts = tuple(attempts.records)
        if isinstance(error, ModelNotFoundError) and (like := ALL_MODELS.near(*self._whom(plan))):
            error.hint = f"did you mean {' or '.join(like)}?"
        error.locate(*self._whom(plan)).redact([*self.connection.secrets(), *find_secrets(plan.call.settings)])
        return error if hops is None else hops.interrupt(error, None if shown is None else shown.response())

    def _whom(self, plan: Plan) -> tuple[str, str]:
        return self.provider.name, plan.call.model.id

    def _complete(
        self,
        result: ProviderResponse,
        plan: Plan,
        attempts: Attempts,
        reply: Reply | StepsRun[TextCall, ProviderResponse],
        first_byte: float | None = None,
    ) -> ProviderResponse:
        """The response with what only the runner knows: price, warnings, request id, timing, the parsed answer."""
        connect, total = getattr(reply, "connect", None), attempts.elapsed()
        response = msgspec.structs.replace(
            result,
            provider=self.provider.name,
            warnings=(*plan.request.warnings, *result.warnings),
            cost=result.cost or price_usage(result.usage, plan.call.model.price),
            headers=reply.headers,
            request_id=read_request_id(reply.headers),
            timing=Timing(connect=connect, first_byte=first_byte, total=total, attempts=tuple(attempts.records)),
        )
        if plan.parse is None:
            return response
        try:
            return parse_output(response, plan.parse)
        except BetterAIError as error:
            raise error.locate(*self._whom(plan)) from error.__cause__


def has_media(messages: Sequence[Message]) -> bool:
    """Whether there is anything but texts, thoughts and tool calls: what may need loading, or judging."""
    for message in messages:
        for part in message.parts:
            if part.__class__ is not Text and isinstance(part, _MEDIA):
                return True
    return False
