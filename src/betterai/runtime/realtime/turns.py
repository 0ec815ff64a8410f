"""When the next answer is asked for: providers that are asked while they answer refuse. Tools count as well."""

from __future__ import annotations

from betterai.core.realtime_input import Respond


class Turns:
    """Which answers are under way, which calls of tools are open in them, and what was asked for meanwhile.

    `asked` is set from an answer being asked for until it begins.
    """

    def __init__(self) -> None:
        self.active: list[str] = []
        self.cut: set[str] = set()
        """Answers that were interrupted: what still comes of their sound is not wanted."""
        self.asked = False
        self.waiting: Respond | None = None
        self._calls: dict[str, str] = {}
        self._wanted: set[str] = set()

    @property
    def busy(self) -> bool:
        return self.asked or bool(self.active)

    def begin(self, response_id: str) -> None:
        self.asked = False
        if response_id not in self.active:
            self.active.append(response_id)

    def end(self, response_id: str, *, interrupted: bool) -> None:
        """Nobody waits for what the tools of an interrupted answer give: the user has said something else."""
        self.asked = False
        if response_id in self.active:
            self.active.remove(response_id)
        self.cut.discard(response_id)
        if interrupted:
            self._calls = {call: answer for call, answer in self._calls.items() if answer != response_id}

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
        self.asked, self.waiting = False, None
