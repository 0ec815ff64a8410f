"""Providers whose calls are told of, and a call while it runs: the one place where that is done."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Iterable
from functools import lru_cache
from logging import DEBUG
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from betterai.core.base import BaseTextProvider
from betterai.core.events import CallEnded, CallInfo, CallStarted, FirstContent, Listener
from betterai.core.exceptions import BetterAIError, OutputInvalidError, StreamInterrupted
from betterai.core.message import Messages
from betterai.core.model import Category
from betterai.core.response import ProviderResponse, TextChunk, Timing
from betterai.core.settings import GenerationSettings
from betterai.runtime.connection import Connection, find_secrets
from betterai.runtime.gatherer import holds_content
from betterai.runtime.observing.listeners import Entered, Running, calls, is_heard, read_outcome

_NO_SETTINGS = GenerationSettings()


class Subject(NamedTuple):
    """Who is asked. `secrets` and those of the `connection` are never told."""

    provider: str
    model: str
    protocol: str = ""
    wraps: bool = False
    embedded: bool = False
    connection: Connection | None = None
    category: Category = "text"
    secrets: tuple[str, ...] = ()


class ObservedTextProvider(BaseTextProvider):
    """A text provider whose calls are told of. Where nobody listens, that costs one look."""

    listener: Listener | None = None
    """Told of the calls of this provider, and of those that they are made of."""

    async def generate(
        self, messages: Messages, model: str = "", settings: GenerationSettings | None = None
    ) -> ProviderResponse:
        """Generate one answer. Raises `BetterAIError`."""
        settings = settings or _NO_SETTINGS
        if not is_heard(self.listener):
            return await self._generate(messages, model, settings)
        call = RunningCall(self._describe(model), messages, settings, self.listener)
        return await call.run(self._generate(messages, model, settings))

    def generate_stream(
        self, messages: Messages, model: str = "", settings: GenerationSettings | None = None
    ) -> AsyncGenerator[TextChunk, None]:
        """Stream one answer. Raises `BetterAIError`; what broke before the first content is tried again."""
        settings = settings or _NO_SETTINGS
        if not is_heard(self.listener):
            return self._generate_stream(messages, model, settings)
        call = RunningCall(self._describe(model), messages, settings, self.listener, stream=True)
        return call.follow(self._generate_stream(messages, model, settings))

    @abstractmethod
    def _describe(self, model: str) -> Subject:
        """Who is asked for this model. Raises nothing."""

    @abstractmethod
    async def _generate(self, messages: Messages, model: str, settings: GenerationSettings) -> ProviderResponse: ...

    @abstractmethod
    def _generate_stream(
        self, messages: Messages, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]: ...


class RunningCall(Running):
    """A call of a model. `messages`, `settings` and `response` are for listeners that may know of them."""

    def __init__(
        self,
        subject: Subject,
        messages: Messages,
        settings: GenerationSettings,
        listener: Listener | None = None,
        *,
        stream: bool = False,
    ) -> None:
        super().__init__(listener)
        self.messages = messages
        self.settings = settings
        self.response: ProviderResponse | None = None
        self._subject = subject
        self._stream = stream
        self._first: float | None = None

    async def run(self, work: Awaitable[ProviderResponse]) -> ProviderResponse:
        """Await a whole answer, and tell of it."""
        entered = self._begin()
        try:
            self.response = await work
        except BaseException as error:
            self._end(error)
            raise
        else:
            self._end()
            return self.response
        finally:
            self.leave(entered)

    async def follow(self, chunks: AsyncGenerator[TextChunk, None]) -> AsyncGenerator[TextChunk, None]:
        """Pass chunks on, and tell of them. The call is current while the provider works, not while the reader does."""
        self.leave(self._begin())
        failure: BaseException | None = None
        try:
            while True:
                entered = self.enter()
                try:
                    chunk = await chunks.__anext__()
                    if self._first is None or chunk.response is not None:
                        self._note(chunk)
                except StopAsyncIteration:
                    break
                finally:
                    self.leave(entered)
                yield chunk
        except BaseException as error:
            failure = error
            raise
        finally:
            entered = self.enter()
            try:
                await chunks.aclose()
            finally:
                self._end(failure)
                self.leave(entered)

    def _note(self, chunk: TextChunk) -> None:
        if self._first is None and holds_content(chunk):
            self._first = self.elapsed()
            self.tell(FirstContent(call=self.info, seconds=self._first))
        if chunk.response is not None:
            self.response = chunk.response

    def _begin(self) -> Entered:
        """Tell of the start. What listeners put around the call holds from then on."""
        parent = self.start()
        asked = self._subject
        host, port = _find_host(asked.connection)
        self.info = CallInfo(
            id=self.id,
            parent=parent,
            provider=asked.provider,
            model=asked.model,
            protocol=asked.protocol,
            stream=self._stream,
            wraps=asked.wraps,
            embedded=asked.embedded,
            category=asked.category,
            host=host,
            port=port,
        )
        return self.begin_with(CallStarted(call=self.info))

    def _end(self, error: BaseException | None = None) -> None:
        """A stream that was left after its response had come was answered."""
        left = isinstance(error, GeneratorExit) and self.response is not None
        event = self._describe_end(None if left else error)
        if secrets := self._known_secrets():
            event = _redact(event, secrets)
        self.tell(event)
        self._log(event)

    def _describe_end(self, error: BaseException | None) -> CallEnded:
        seconds = self.elapsed()
        response = self.response if error is None else None
        if response is not None:
            return CallEnded(
                call=self.info,
                kind="answered",
                seconds=seconds,
                provider=response.provider,
                model=response.model,
                usage=response.usage,
                cost=response.cost,
                finish_reason=response.finish_reason,
                first_content=self._first,
                timing=response.timing,
                id=response.id,
                request_id=response.request_id,
            )
        ours = error if isinstance(error, BetterAIError) else None
        came = _find_answer(error)
        return CallEnded(
            call=self.info,
            kind=read_outcome(error),
            seconds=seconds,
            usage=came.usage if came is not None else None,
            cost=came.cost if came is not None else None,
            first_content=self._first,
            timing=Timing(total=seconds, attempts=ours.attempts) if ours is not None else None,
            error="" if error is None or isinstance(error, GeneratorExit) else type(error).__name__,
            status=ours.status if ours is not None else None,
            request_id=ours.request_id if ours is not None else "",
        )

    def _known_secrets(self) -> list[str]:
        asked = self._subject
        known = [*asked.secrets, *find_secrets(self.settings)]
        return known if asked.connection is None else [*known, *asked.connection.secrets()]

    def _log(self, event: CallEnded) -> None:
        if not calls.isEnabledFor(DEBUG):
            return
        usage, cost = event.usage, event.cost
        calls.debug(
            "%s/%s%s %s%s in %.3f s, %d attempts, tokens %s in, %s out, $%s, request id %s",
            self.info.provider,
            self.info.model,
            " (stream)" if self.info.stream else "",
            event.kind,
            event.error and " with " + event.error,
            event.seconds,
            len(event.timing.attempts) if event.timing is not None else 0,
            usage.input_tokens if usage is not None else "?",
            usage.output_tokens if usage is not None else "?",
            cost.amount if cost is not None and cost.amount is not None else "?",
            event.request_id or "unknown",
        )


def _find_answer(error: BaseException | None) -> ProviderResponse | None:
    """What came, and was paid for, though the call failed."""
    if isinstance(error, OutputInvalidError):
        return error.response
    return error.partial if isinstance(error, StreamInterrupted) else None


def _find_host(connection: Connection | None) -> tuple[str, int | None]:
    if connection is None:
        return "", None
    try:
        return _read_host(connection.endpoint().base_url)
    except BetterAIError:
        return "", None


@lru_cache(maxsize=256)
def _read_host(base_url: str) -> tuple[str, int | None]:
    parts = urlsplit(base_url)
    return parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _redact(event: CallEnded, secrets: Iterable[str]) -> CallEnded:
    """Providers echo keys, in names and ids too."""
    told = "\n".join(_read_told(event))
    for secret in secrets:
        if len(secret) >= 4 and secret in told:
            hidden = {name: getattr(event, name).replace(secret, "***") for name in _TOLD}
            event = msgspec.structs.replace(event, **hidden)
    return event


_TOLD = ("provider", "model", "id", "request_id")
_read_told = attrgetter(*_TOLD)
