"""Text generation of the embedded provider: finds the engine, and plays its answer as a stream or at one go."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, get_args
from zlib import crc32

from msgspec.structs import replace

from betterai.core.accumulate import Accumulator
from betterai.core.base import BaseTextProvider
from betterai.core.exceptions import ValidationError
from betterai.core.response import FinishReason, ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.providers.local.answer import Answer, Reply, Turn
from betterai.providers.local.options import FILE_PREFIX, GGUF_ONLY, LocalOptions, read_options


class LocalTextProvider(BaseTextProvider):
    """Answers from this process: `echo`, a deterministic test double, `eliza`, a small conversation program, and
    `gguf:PATH`, a model file of yours.

    Keyword arguments are `LocalOptions` for every call; `settings.options["local"]` goes before them. `sleep` is
    awaited for delays, in place of asyncio's.
    """

    def __init__(
        self, api_key: str = "", *, sleep: Callable[[float], Awaitable[None]] | None = None, **options: Any
    ) -> None:
        self._options = read_options(options)
        self._sleep = sleep

    async def check_ready(self, model: str) -> None:
        if model.removeprefix("local/").startswith(FILE_PREFIX):
            from betterai.providers.local.gguf import read_path
            from betterai.providers.local.gguf_engine import load_package
            from betterai.providers.local.threads import in_thread

            await in_thread(load_package, read_path(model))
        else:
            from betterai.providers.local.models import find_model

            find_model(model)

    async def generate(self, messages: Any, model: str, settings: GenerationSettings) -> ProviderResponse:
        """The response that the stream would end with, after the same time."""
        response: ProviderResponse | None = None
        async for chunk in self._open(messages, model, settings, stream=False):
            response = chunk.response or response
        assert response is not None, "a stream ends with its response"
        return response

    def generate_stream(
        self, messages: Any, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]:
        """The answer in pieces; the last chunk carries the whole `response`."""
        return self._open(messages, model, settings, stream=True)

    async def aclose(self) -> None:
        """Free the files that were loaded."""
        from betterai.providers.local.gguf_engine import release

        await release(self)

    def _open(
        self, messages: Any, model: str, settings: GenerationSettings, *, stream: bool
    ) -> AsyncGenerator[TextChunk, None]:
        """What answers: an engine of ours, or a file."""
        if not model.removeprefix("local/").startswith(FILE_PREFIX):
            return self._play(messages, model, settings, stream=stream)
        from betterai.providers.local.gguf import read_path, stream_answer

        return stream_answer(read_path(model), model, messages, settings, self._read_options(settings), self)

    async def _play(
        self, messages: Any, model: str, settings: GenerationSettings, *, stream: bool
    ) -> AsyncGenerator[TextChunk, None]:
        """The chunks at their pace, with the faults that are asked for."""
        from betterai.providers.local.faults import build_error
        from betterai.providers.local.stream import build_chunks

        turn = self._read_turn(messages, model, settings, stream=stream)
        options, id = turn.options, turn.model.id
        reply = _answer(turn)
        await self._pause(options.get("first_delay", 0))
        break_after = options.get("error_after")
        if "error" in options and break_after is None:
            raise build_error(options, id)
        so_far = Accumulator(id)
        for count, chunk in enumerate(build_chunks(turn, reply)):
            if break_after is not None and (count >= break_after or chunk.response is not None):
                raise build_error(options, id, so_far.response())
            if count:
                await self._pause(options.get("delay", 0))
            so_far.add(chunk)
            yield chunk

    async def _pause(self, seconds: float) -> None:
        if seconds and self._sleep is not None:
            await self._sleep(seconds)
        elif seconds:
            from asyncio import sleep

            await sleep(seconds)

    def _read_turn(self, messages: Any, model: str, settings: GenerationSettings, *, stream: bool) -> Turn:
        from betterai.providers.local.conversation import describe_message, read_messages
        from betterai.providers.local.models import find_model

        conversation = read_messages(messages)
        options = self._read_options(settings)
        for name in GGUF_ONLY:
            if name in options:
                raise ValidationError(f"the option {name!r} is for local/gguf:PATH", provider="local", model=model)
        said = repr([(message.role, describe_message(message)) for message in conversation])
        return Turn(
            model=find_model(model),
            messages=conversation,
            settings=settings,
            options=options,
            stream=stream,
            fingerprint=crc32(said.encode()),
        )

    def _read_options(self, settings: GenerationSettings) -> LocalOptions:
        given = (settings.options or {}).get("local")
        return read_options(given, self._options) if given else self._options


def _answer(turn: Turn) -> Reply:
    """The engine's reply, cut to the caller's limits, with the scripted finish reason if there is one."""
    from betterai.providers.local.limits import limit_answer

    count = turn.settings.n
    if count is not None and count < 1:
        raise ValidationError(f"n must be at least 1, not {count}", provider="local", model=turn.model.id)
    reply = _find_engine(turn.model.id)(turn)
    answers = [limit_answer(answer, turn.settings) for answer in reply.answers]
    word = turn.options.get("finish_reason")
    return replace(reply, answers=tuple(_finish(answer, word) if word else answer for answer in answers))


def _finish(answer: Answer, word: str) -> Answer:
    reason = word if word in get_args(FinishReason) else "other"
    return replace(answer, finish_reason=reason, raw_finish_reason=word)


def _find_engine(model: str) -> Callable[[Turn], Reply]:
    """Loads no more than the engine that is asked."""
    if model == "echo":
        from betterai.providers.local.echo import answer_turn as answer_echo

        return answer_echo
    from betterai.providers.local.eliza import answer_turn as answer_eliza

    return answer_eliza
