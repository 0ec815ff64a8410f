"""A call of a category other than text while it runs, told of as calls of text are."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec

from betterai.core.events import CallEnded, FirstContent, Listener
from betterai.core.model import Category, ModelConfig
from betterai.core.provider import Provider
from betterai.core.results import Result
from betterai.runtime.observing.calls import RunningCall, Subject

R = TypeVar("R", bound=Result)


class RunningResult(RunningCall):
    """`result` is what came, `messages` the text that was given, where it is one."""

    def __init__(
        self,
        declared: Provider,
        model: ModelConfig,
        category: Category,
        given: Any,
        settings: Any,
        connection: Any,
        listener: Listener | None,
        *,
        stream: bool = False,
    ) -> None:
        subject = Subject(declared.name, model.id, category=category, embedded=declared.embedded, connection=connection)
        super().__init__(subject, given if isinstance(given, str) else "", settings, listener, stream=stream)
        self.result: Result | None = None

    async def watch(self, work: Awaitable[R]) -> R:
        """Await a whole result, and tell of it."""
        entered = self._begin()
        try:
            self.result = result = await work
        except BaseException as error:
            self._end(error)
            raise
        else:
            self._end()
            return result
        finally:
            self.leave(entered)

    def _note(self, piece: Any) -> None:
        """The first piece that shows anything, and the one with the result."""
        if self._first is None:
            self._first = self.elapsed()
            self.tell(FirstContent(call=self.info, seconds=self._first))
        if getattr(piece, "response", None) is not None:
            self.result = piece.response

    def _describe_end(self, error: BaseException | None) -> CallEnded:
        left = isinstance(error, GeneratorExit) and self.result is not None
        ended = super()._describe_end(None if left else error)
        result = self.result
        if result is None or (error is not None and not left):
            return ended
        return msgspec.structs.replace(
            ended,
            provider=result.provider,
            model=result.model,
            usage=result.usage,
            cost=result.cost,
            first_content=self._first,
            timing=result.timing,
            request_id=result.request_id,
        )
