"""When the next answer is asked for: providers that are asked while they answer refuse. Tools count as well."""

from __future__ import annotations

from betterai.core.realtime import SessionError
from betterai.core.realtime_input import Respond


class Turns:
    """Which answers are under way, which calls of tools are open in them, and what was asked for meanwhile.

    `asked` is what asked for an answer that has not begun.
    """

    def __init__(self) -> None:
        self.active: list[str] = []
        self.cut: set[str] = set()
        """Answers that were interrupted: what still comes of their sound is not wanted."""
        self.asked: Respond | None = None
        self.waiting: Respond | None = None
        self._crossed: Respond | None = None
        self._recalled: Respond | None = None
        self._calls: dict[str, str] = {}
        self._wanted: set[str] = set()

    @property
    def busy(self) -> bool:
        return self.asked is not None or bool(self.active)

    def recall(self) -> None:
        """What was asked for is not wanted any more: what waits is forgotten, and what has not begun stopped then."""
        self.waiting = None
        self._recalled = self.asked

    def begin(self, response_id: str) -> bool:
        """It may be what was asked for, or have begun by itself. Whether it is not wanted any more."""
        recalled = self.asked is not None and self.asked is self._recalled
        self.asked, self._crossed = None, self.asked
        if response_id not in self.active:
            self.active.append(response_id)
        return recalled

    def end(self, response_id: str, *, interrupted: bool) -> None:
        """Nobody waits for what the tools of an interrupted answer give: the user has said something else."""
        self._crossed = None
        if response_id in self.active:
            self.active.remove(response_id)
        else:
            self.asked = None
        self.cut.discard(response_id)
        if interrupted:
            self._calls = {call: answer for call, answer in self._calls.items() if answer != response_id}

    def ask_again(self, error: SessionError) -> bool:
        """Whether an answer that was asked for, and turned down because another one had begun, will be asked for again:
        it may not have been told of yet.
        """
        asked = next(
            (one for one in (self.asked, self._crossed) if one is not None and one.event_id == error.about), None
        )
        if asked is None:
            return False
        self.asked = self._crossed = None
        if error.busy and asked is not self._recalled:
            self.waiting = asked
        return error.busy

    def call(self, call_id: str, response_id: str) -> None:
        self._calls[call_id] = response_id

    def answered(self, call_ids: tuple[str, ...], *, respond: bool, ours: bool = False) -> bool:
        """Whether the next answer may now be asked for: all calls of the last one have their results. Where the session
        ran a tool of an answer that was interrupted meanwhile, none is.
        """
        answers = {self._calls.pop(id) for id in call_ids if id in self._calls}
        if not answers:
            return respond and not ours
        if respond:
            self._wanted |= answers
        ready = (answers & self._wanted) - set(self._calls.values())
        self._wanted -= ready
        return bool(ready)

    def forget(self) -> None:
        """The connection broke: nothing of this will come."""
        self.active.clear()
        self.cut.clear()
        self._calls.clear()
        self._wanted.clear()
        self.asked = self._crossed = self._recalled = self.waiting = None
