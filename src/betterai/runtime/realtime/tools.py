"""Tools inside a session: functions that it runs by itself, while both sides go on speaking."""

from __future__ import annotations

from asyncio import Task, create_task, current_task, gather
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from betterai.core.exceptions import BetterAIError, UnsupportedParam
from betterai.core.message import Message, ToolCall, ToolResult
from betterai.core.realtime import RealtimeOutput, SessionError, ToolCalled, ToolRan
from betterai.core.realtime_input import AddMessages, AddToolResults, RealtimeInput
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.runs import ToolOutcome
from betterai.runtime.observing.listeners import is_heard
from betterai.runtime.observing.tools import RunningTool
from betterai.runtime.tools.calls import answer_call
from betterai.runtime.tools.functions import ToolFunction
from betterai.runtime.tools.media import move_media


class SessionTools:
    """`send` takes the results, `put` what goes in beside them, `tell` the events. Tools that are no functions are left
    to the caller.
    """

    def __init__(
        self,
        settings: RealtimeSettings,
        send: Callable[[AddToolResults], Awaitable[None]],
        put: Callable[[RealtimeInput], Awaitable[None]],
        tell: Callable[[RealtimeOutput], None],
    ) -> None:
        self._send = send
        self._put = put
        self._tell = tell
        self._running: dict[str, Task[None]] = {}
        self._beside: set[Task[None]] = set()
        self.update(settings)

    def update(self, settings: RealtimeSettings) -> None:
        self._functions = {tool.name: tool for tool in settings.tools or () if isinstance(tool, ToolFunction)}

    def take(self, event: ToolCalled) -> ToolCalled:
        """The event; its tool runs where it is one of ours."""
        if event.call.name not in self._functions:
            return event
        self._running[event.call.id] = create_task(self._run(event.call))
        return replace(event, handled=True)

    async def _run(self, call: ToolCall) -> None:
        work = answer_call(self._functions, call)
        try:
            outcome = await (RunningTool(call.name, call.id).run(work) if is_heard(None) else work)
            self._running.pop(call.id, None)
            self._tell(ToolRan(call=call, result=outcome.result, seconds=outcome.seconds))
            await self._answer(outcome)
        except BetterAIError as error:
            self._tell(SessionError(error=error, about=call.id))

    async def _answer(self, outcome: ToolOutcome) -> None:
        """Where the provider takes no media in results, they follow as a message of the user's."""
        try:
            await self._send(AddToolResults(results=(outcome.result,)))
        except UnsupportedParam as error:
            if error.param != "media":
                raise
            moved = move_media([Message(role="tool", parts=(outcome.result,))])
            results = tuple(part for part in moved[0].parts if isinstance(part, ToolResult))
            await self._put(AddMessages(messages=tuple(moved[1:])))
            await self._send(AddToolResults(results=results))

    def beside(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something of the session's own meanwhile: it ends with the session, and where it fails, that is told."""

        async def told() -> None:
            try:
                await work()
            except BetterAIError as error:
                self._tell(SessionError(error=error))

        task = create_task(told())
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def cancel(self, ids: tuple[str, ...]) -> None:
        """The results of these are not wanted any more."""
        for id in ids:
            if (task := self._running.pop(id, None)) is not None:
                task.cancel()

    def cancel_all(self) -> None:
        self.cancel(tuple(self._running))

    async def aclose(self) -> None:
        """A tool that closes its session itself goes on."""
        tasks = [task for task in (*self._running.values(), *self._beside) if task is not current_task()]
        for task in tasks:
            task.cancel()
        await gather(*tasks, return_exceptions=True)
