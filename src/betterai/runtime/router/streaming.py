"""A streamed answer of a router, and what becomes of one that breaks."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from betterai.core.exceptions import StreamInterrupted
from betterai.core.message import Messages
from betterai.core.price import price_usage
from betterai.core.response import TextChunk
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Usage
from betterai.runtime.router.answer import Answer
from betterai.runtime.router.call import RoutedCall
from betterai.runtime.router.continuing import Continuation, Shown
from betterai.runtime.router.hedging import estimate_usage

if TYPE_CHECKING:
    from betterai.runtime.router.router import Router


async def stream_answer(
    router: Router, messages: Messages, settings: GenerationSettings
) -> AsyncGenerator[TextChunk, None]:
    """The chunks of the first answer that comes whole; where one broke in the middle, what `on_break` says."""
    call = RoutedCall(router, messages, settings, streaming=True)
    answer = await call.reach()
    shown = Shown() if call.router.on_break == "continue" else None
    anew = False
    while True:
        error: BaseException | None = GeneratorExit()
        texts = [chunk.content for chunk in answer.held]
        try:
            if anew:
                yield TextChunk(reset=True)
            join = Continuation(answer, call.before) if answer.continues else None
            for chunk in answer.held:
                for piece in _read(chunk, call, answer, shown, join):
                    yield piece
            if answer.chunks is not None:
                async for chunk in answer.chunks:
                    texts.append(chunk.content)
                    if shown is None and chunk.response is None:
                        yield chunk
                        continue
                    for piece in _read(chunk, call, answer, shown, join):
                        yield piece
            error = None
        except Exception as caught:
            error = caught
        except BaseException as caught:
            error = caught
            raise
        finally:
            call.end(answer, error)
            await answer.close()
        if error is None:
            return
        assert isinstance(error, Exception)
        await _bill(call, answer, error, "".join(texts))
        answer = await _begin_again(call, answer, error, shown)
        anew = not answer.continues


def _read(
    chunk: TextChunk, call: RoutedCall, answer: Answer, shown: Shown | None, join: Continuation | None
) -> Iterator[TextChunk]:
    for piece in (chunk,) if join is None else join.read(chunk):
        if shown is not None:
            shown.add(piece)
        yield piece if piece.response is None else replace(piece, response=call.complete(piece.response, answer))


async def _begin_again(call: RoutedCall, answer: Answer, error: Exception, shown: Shown | None) -> Answer:
    """The answer that takes the place of one that broke, or goes on with it. Raises the error where there is none: what
    was shown then stands.
    """
    if call.router.on_break == "fail":
        call.note(answer.route, error)
        call.lose_before()
        raise call.complete_error(error)
    call.said = ""
    call.judge(answer.route, error, broke=True)
    call.said = shown.text if shown is not None and shown.can_be_continued(call.settings) else ""
    try:
        following = await call.reach()
    except Exception as later:
        call.lose_before()
        raise call.complete_error(error) from (later if later is not error else None)
    if not following.continues:
        call.lose_before()
        if shown is not None:
            shown.clear()
    return following


async def _bill(call: RoutedCall, answer: Answer, error: Exception, said: str) -> None:
    """What the broken answer cost: it belongs to the response if that goes on from it, and else is lost. A thread makes
    the estimate: long prompts take a while.
    """
    partial = error.partial if isinstance(error, StreamInterrupted) else None
    usage: Usage | None = partial.usage if partial is not None else None
    if usage is None:
        content = (partial.content if partial is not None else said).removeprefix(answer.continues)
        usage = await to_thread(estimate_usage, call, answer.route, content)
    call.before = (*call.before, (usage, price_usage(usage, answer.route.price)))
