"""A function of the caller's while `run_tools` runs it: told of as calls are."""

from __future__ import annotations

from collections.abc import Awaitable

from betterai.core.events import Listener, ToolEnded, ToolInfo, ToolStarted
from betterai.core.runs import ToolOutcome
from betterai.runtime.observing.listeners import Running, read_outcome


class RunningTool(Running):
    """One run of a function. `outcome` is for listeners that may know what it was given and gave."""

    def __init__(self, name: str, call_id: str, listener: Listener | None = None) -> None:
        super().__init__(listener)
        self.outcome: ToolOutcome | None = None
        self._name = name
        self._call_id = call_id

    async def run(self, work: Awaitable[ToolOutcome]) -> ToolOutcome:
        """Await what it gives, and tell of it."""
        parent = self.start()
        self.info = ToolInfo(id=self.id, name=self._name, call_id=self._call_id, parent=parent)
        entered = self.begin_with(ToolStarted(tool=self.info))
        try:
            self.outcome = await work
        except BaseException as error:
            self._end(error)
            raise
        else:
            self._end(self.outcome.error)
            return self.outcome
        finally:
            self.leave(entered)

    def _end(self, error: BaseException | None) -> None:
        name = type(error).__name__ if error is not None else ""
        self.tell(ToolEnded(tool=self.info, kind=read_outcome(error), seconds=self.elapsed(), error=name))
