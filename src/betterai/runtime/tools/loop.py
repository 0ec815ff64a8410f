"""The loop of a model with tools: ask, run what it calls, tell it the results, until it has answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias

from msgspec.structs import replace

from betterai.core.events import Listener
from betterai.core.exceptions import OutputInvalidError, StepLimitReached, UnsupportedParam, ValidationError
from betterai.core.message import Message, ToolCall, ToolResult
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.runs import ToolOutcome, ToolRun, ToolStep
from betterai.core.settings import GenerationSettings
from betterai.core.tools import ServerTool, ToolChoice
from betterai.runtime.observing.listeners import is_heard
from betterai.runtime.observing.tools import RunningTool
from betterai.runtime.spending import Spending
from betterai.runtime.tools.calls import answer_call, call_function
from betterai.runtime.tools.functions import ToolFunction
from betterai.runtime.tools.media import MOVED, has_result_media, move_media

Ask: TypeAlias = Callable[[Sequence[Message], GenerationSettings], AsyncGenerator[TextChunk, None]]
"""One call of the model; the last chunk holds the whole response."""
Approve: TypeAlias = Callable[[ToolCall], bool | Awaitable[bool]]
"""Asked before each call of a tool, one after another; False tells the model that it was not allowed."""

_CUT_OFF = ("length", "content_filter", "error")


class ToolLoop:
    """One run. `chunks` makes it; `run` is what was done so far, at any time and after any error."""

    def __init__(
        self,
        ask: Ask,
        messages: Sequence[Message],
        settings: GenerationSettings,
        *,
        max_steps: int = 8,
        approve: Approve | None = None,
        spending: Spending | None = None,
        listener: Listener | None = None,
    ) -> None:
        if isinstance(max_steps, bool) or not isinstance(max_steps, int) or max_steps < 1:
            raise ValidationError(f"max_steps must be a whole number from 1, not {max_steps!r}")
        if (settings.n or 1) > 1:
            raise ValidationError("a run of tools follows one answer, so n must be 1")
        self._ask = ask
        self._settings = settings
        self._max_steps = max_steps
        if approve is not None and not callable(approve):
            raise ValidationError(f"approve is a function of the call, not {approve!r:.60}")
        self._approve = approve
        self._spending = spending or Spending()
        self._listener = listener
        self._functions = _read_tools(settings)
        self._messages = list(messages)
        self._steps: list[ToolStep] = []
        self._finished = False

    @property
    def run(self) -> ToolRun:
        return ToolRun(messages=tuple(self._messages), steps=tuple(self._steps), finished=self._finished)

    async def chunks(self) -> AsyncGenerator[TextChunk, None]:
        """The chunks of all answers; between them, each tool's result as a part. Raises `BetterAIError`."""
        calls = _find_unanswered(self._messages)
        while len(self._steps) < self._max_steps:
            for outcome in await self._answer_calls(calls):
                yield TextChunk(part=outcome.result)
            async with aclosing(self._make_step()) as chunks:
                async for chunk in chunks:
                    yield chunk
            if self._finished:
                return
            calls = _own_calls(self._messages[-1])
        raise StepLimitReached(
            f"the model has not finished after {self._max_steps} steps",
            hint="raise max_steps, or go on with error.run.messages",
            run=self.run,
        )

    async def _make_step(self) -> AsyncGenerator[TextChunk, None]:
        """One answer. Where the provider takes no media in results, it is asked again with the media behind them."""
        try:
            async with aclosing(self._follow(self._messages)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except UnsupportedParam as error:
            if error.param != "media" or not has_result_media(self._messages):
                raise
            async with aclosing(self._follow(move_media(self._messages), MOVED)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def _follow(self, messages: Sequence[Message], *warnings: CallWarning) -> AsyncGenerator[TextChunk, None]:
        """One call of the model. Its answer is taken into the run as soon as it is whole."""
        self._spending.check()
        chunks = self._ask(tuple(messages), self._settings)
        whole = False
        try:
            async for chunk in chunks:
                if chunk.response is not None:
                    whole = True
                    response = replace(chunk.response, warnings=(*warnings, *chunk.response.warnings))
                    self._take(response)
                    chunk = replace(chunk, response=response)
                yield chunk
        except BaseException as error:
            if not whole:
                self._spending.add_failure(error)
            raise
        finally:
            await chunks.aclose()

    def _take(self, response: ProviderResponse) -> None:
        self._spending.add(response.usage, response.cost)
        message = response.message or Message.assistant(response.content)
        calls = _own_calls(message)
        if calls and response.finish_reason in _CUT_OFF:
            raise OutputInvalidError(
                f"the answer was cut off ({response.finish_reason}) where it calls tools: none of them was run",
                hint="raise max_tokens" if response.finish_reason == "length" else "",
                response=response,
                provider=response.provider,
                model=response.model,
            )
        self._messages.append(message)
        self._steps.append(ToolStep(response=response))
        self._finished = not calls and response.finish_reason != "pause"

    async def _answer_calls(self, calls: Sequence[ToolCall]) -> tuple[ToolOutcome, ...]:
        """All results, in the order of the calls. From then on no call is forced, so that the run can end."""
        if not calls:
            return ()
        allowed = [self._approve is None or bool(await call_function(self._approve, call)) for call in calls]
        async with asyncio.TaskGroup() as group:
            work = map(self._answer_call, calls, allowed)
            tasks = [group.create_task(item) for item in work]
        outcomes = tuple(task.result() for task in tasks)
        self._messages.append(Message(role="tool", parts=tuple(outcome.result for outcome in outcomes)))
        if self._steps:
            self._steps[-1] = ToolStep(response=self._steps[-1].response, outcomes=outcomes)
        self._settings = _relax_choice(self._settings)
        return outcomes

    async def _answer_call(self, call: ToolCall, allowed: bool) -> ToolOutcome:
        if not is_heard(self._listener):
            return await answer_call(self._functions, call, allowed=allowed)
        return await RunningTool(call.name, call.id, self._listener).run(
            answer_call(self._functions, call, allowed=allowed)
        )


def _read_tools(settings: GenerationSettings) -> dict[str, ToolFunction[..., Any]]:
    functions: dict[str, ToolFunction[..., Any]] = {}
    for tool in settings.tools or ():
        if isinstance(tool, ServerTool):
            continue
        if not isinstance(tool, ToolFunction):
            raise ValidationError(
                f"the tool {tool.name!r} has no function that could be run",
                hint="make it one with betterai.tool, or run your own loop over generate()",
            )
        if tool.name in functions:
            raise ValidationError(f"two tools are called {tool.name!r}")
        functions[tool.name] = tool
    return functions


def _own_calls(message: Message) -> list[ToolCall]:
    """The calls that are ours to answer."""
    return [call for call in message.tool_calls if not call.server]


def _find_unanswered(messages: Sequence[Message]) -> list[ToolCall]:
    """The calls at the end of a history that nobody has answered yet."""
    answered: set[str] = set()
    for message in reversed(messages):
        if message.role != "tool":
            return [call for call in _own_calls(message) if call.id not in answered]
        answered |= {part.id for part in message.parts if isinstance(part, ToolResult)}
    return []


def _relax_choice(settings: GenerationSettings) -> GenerationSettings:
    """The settings for what follows a call: a choice that forces one would force calls for ever."""
    choice = settings.tool_choice
    if isinstance(choice, ToolChoice) and choice.mode == "required" and (choice.allowed or len(choice.names) > 1):
        return settings.replace(tool_choice=ToolChoice(names=choice.names, kind=choice.kind, allowed=choice.allowed))
    forced = choice.mode == "required" if isinstance(choice, ToolChoice) else choice not in (None, "auto", "none")
    return settings.replace(tool_choice="auto") if forced else settings
