"""The conversation of a session, as history for the one that takes its place."""

from __future__ import annotations

from betterai.core.message import Message, ToolResult
from betterai.core.realtime import AudioCommitted, InputTranscript, RealtimeOutput, ResponseDone
from betterai.core.realtime_input import AddMessages, AddToolResults, RealtimeInput
from betterai.runtime.realtime.pairing import with_results


class ConversationLog:
    """Turns in their order. What the user says stands where it was said, though its words come later; so do results of
    tools, which may come before the answer that calls them is over.
    """

    def __init__(self) -> None:
        self._turns: dict[str, Message | None] = {}
        self._results: dict[str, ToolResult] = {}
        self._count = 0

    @property
    def messages(self) -> tuple[Message, ...]:
        turns = [turn for turn in self._turns.values() if turn is not None]
        return tuple(message for turn in turns for message in with_results(turn, self._results))

    def _add(self, message: Message, key: str = "") -> None:
        self._count += 1
        self._turns[key or f"#{self._count}"] = message

    def _note(self, message: Message) -> None:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        self._results.update((result.id, result) for result in results)
        if len(results) < len(message.parts):
            self._add(message)

    def sent(self, event: RealtimeInput) -> None:
        if isinstance(event, AddMessages):
            for message in event.messages:
                self._note(message)
        elif isinstance(event, AddToolResults):
            self._results.update((result.id, result) for result in event.results)

    def came(self, event: RealtimeOutput) -> None:
        if isinstance(event, AudioCommitted):
            self._turns.setdefault(event.item_id, None)
        elif isinstance(event, InputTranscript) and event.final and event.text:
            self._add(Message.user(event.text), event.item_id)
        elif isinstance(event, ResponseDone) and event.message is not None and event.message.parts:
            self._add(event.message)
