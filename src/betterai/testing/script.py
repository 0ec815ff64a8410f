"""A provider that answers from a script: the embedded echo model, told what to say call by call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from msgspec.structs import replace

from betterai.core.base import BaseTextProvider
from betterai.core.data import Data
from betterai.core.exceptions import BetterAIError, StreamInterrupted, ValidationError
from betterai.core.message import Message
from betterai.core.provider import Provider
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.providers import declared_providers
from betterai.runtime.messages import read_messages
from betterai.runtime.registry import provider_within

_HEEDED = ("n", "logprobs", "top_logprobs", "stream_options")
"""Settings of the caller that change the form of a scripted answer; the others are for the test to look at."""


class ReceivedCall(Data, frozen=True, kw_only=True):
    """One call as it came: for assertions."""

    messages: tuple[Message, ...]
    model: str
    settings: GenerationSettings
    stream: bool

    @property
    def text(self) -> str:
        """What the last message says."""
        return self.messages[-1].text


Step: TypeAlias = "str | Mapping[str, Any] | BetterAIError | Callable[[ReceivedCall], Step]"
"""One answer: a text; options of the echo model (text, pieces, reasoning, tool_calls, usage, finish_reason, error,
error_after, delay, first_delay …); an error to raise; or a function that makes one of these of the call."""


class ScriptExhausted(AssertionError):
    """The script has no answer left. Not a `BetterAIError`: programs that handle those must not handle this."""


class ScriptedProvider(BaseTextProvider):
    """Answers with the steps of `script` in order, and keeps the calls it got in `calls`.

    A `delay` of a step takes no time: it is added to `waited`, unless `sleep` is given, which is then awaited.
    """

    def __init__(self, script: Iterable[Step] = (), *, sleep: Callable[[float], Awaitable[None]] | None = None) -> None:
        self.calls: list[ReceivedCall] = []
        self.waited = 0.0
        self._embedded = next(provider for provider in declared_providers() if provider.embedded)
        self._make: Any = next(iter(self._embedded.protocols["text"].values()))
        self._player: BaseTextProvider = self._make(sleep=sleep or self._pass_time)
        self._steps = [self._check(step) for step in script]

    @property
    def left(self) -> int:
        """How many steps have not been asked for yet."""
        return max(0, len(self._steps) - len(self.calls))

    def add(self, *steps: Step) -> None:
        """More answers at the end of the script."""
        self._steps += [self._check(step) for step in steps]

    async def generate(self, messages: Any, model: str, settings: GenerationSettings) -> ProviderResponse:
        """The next answer, whole. Raises `ScriptExhausted`, and what the script says."""
        step = self._take(messages, model, settings, stream=False)
        try:
            return replace(await self._player.generate(*step), model=model, provider="")
        except BetterAIError as error:
            raise _rename(error, model) from None

    async def generate_stream(
        self, messages: Any, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]:
        """The next answer, in the pieces that the script gives, else a word at a time."""
        step = self._take(messages, model, settings, stream=True)
        try:
            async for chunk in self._player.generate_stream(*step):
                whole = chunk.response and replace(chunk.response, model=model, provider="")
                yield replace(chunk, model=model, response=whole)
        except BetterAIError as error:
            raise _rename(error, model) from None

    def _take(
        self, messages: Any, model: str, settings: GenerationSettings, *, stream: bool
    ) -> tuple[tuple[Message, ...], str, GenerationSettings]:
        """The call as the echo model is asked it."""
        call = ReceivedCall(messages=read_messages(messages), model=model, settings=settings, stream=stream)
        self.calls.append(call)
        if len(self.calls) > len(self._steps):
            raise ScriptExhausted(
                f"the script has {len(self._steps)} answers, and this is call {len(self.calls)}: "
                f"{model} was asked {call.text!r:.200}"
            )
        step: Any = self._steps[len(self.calls) - 1]
        if not isinstance(step, BetterAIError) and callable(step):
            step = self._check(step(call))
        if isinstance(step, BetterAIError):
            raise step
        options = {"text": step} if isinstance(step, str) else dict(step)
        kept = {name: value for name, value in settings.given().items() if name in _HEEDED}
        return call.messages, "echo", GenerationSettings(**kept, options={self._embedded.name: options})

    async def _pass_time(self, seconds: float) -> None:
        self.waited += seconds

    def _check(self, step: Any) -> Any:
        """The step, if it is one: a mistake shows where the script is written, not in the program under test."""
        if isinstance(step, Mapping):
            self._make(**step)
        elif not (isinstance(step, str | BetterAIError) or callable(step)):
            raise ValidationError(
                f"a step of a script cannot be {step!r:.80}",
                hint="pass a text, a dict of options, an error or a function",
            )
        return step


def _rename(error: BetterAIError, model: str) -> BetterAIError:
    """The error as the model that was asked would raise it."""
    error.provider, error.model = "", model
    if isinstance(error, StreamInterrupted) and error.partial is not None:
        error.partial = replace(error.partial, model=model, provider="")
    return error


@contextmanager
def scripted(
    script: Iterable[Step] = (), *, name: str = "scripted", sleep: Callable[[float], Awaitable[None]] | None = None
) -> Iterator[ScriptedProvider]:
    """Answer calls of `name`, whatever the model, with this script: `betterai.generate("scripted/any", …)`.

    The name of a real provider may be given: inside the block its models are answered by the script, without a key.
    """
    provider = ScriptedProvider(script, sleep=sleep)

    def find(**_: Any) -> ScriptedProvider:
        return provider

    declaration = Provider(name=name, title=name, embedded=True, protocols={"text": {"script": find}})
    with provider_within("text", name, declaration):
        yield provider
