"""The turns of a cascade's conversation, and how much of each answer was spoken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from betterai.core.message import AnyPart, Message, Text, ToolCall, ToolResult
from betterai.core.results import Word
from betterai.runtime.realtime.pairing import with_results

ROOT = "root"
MS_PER_CHARACTER = 65.0
"""How long a voice takes for a character, before it is known from what it has spoken."""


class Spoken:
    """How far the words of an answer became sound. `made_ms` of it were made, `given_ms` handed out."""

    def __init__(self) -> None:
        self.text = ""
        self.words: list[Word] = []
        self.made_ms = self.given_ms = 0.0
        self.whole = False
        """All of the text is in the sound that was made."""

    def add_words(self, words: Iterable[Word]) -> None:
        """Times count from the answer's beginning; those of a voice that speaks sentence by sentence begin anew."""
        shift = 0.0
        for word in words:
            if self.words and not shift and word.start < self.words[-1].start:
                shift = self.made_ms / 1000
            self.words.append(replace(word, start=word.start + shift, end=word.end + shift))

    def cut(self, heard_ms: float, pace: float) -> str:
        """The words up to there: by their times where they are known, else by their share of the sound."""
        if self.whole and heard_ms >= self.made_ms - 1:
            return self.text
        if self.words:
            return self._cut_by_words(heard_ms)
        length = heard_ms * len(self.text) / self.made_ms if self.whole and self.made_ms else heard_ms / pace
        if length >= len(self.text):
            return self.text
        return self.text[: self.text.rfind(" ", 0, int(length) + 1) + 1].rstrip()

    def _cut_by_words(self, heard_ms: float) -> str:
        place = 0
        for word in self.words:
            if word.start * 1000 >= heard_ms:
                break
            found = self.text.find(word.text, place)
            place = found + len(word.text) if found >= 0 else place
        return self.text[:place]


class Item:
    """A turn; its message is None while it is not known."""

    def __init__(self, id: str, message: Message | None = None) -> None:
        self.id = id
        self.message = message
        self.spoken: Spoken | None = None


class Conversation:
    """Items in order. Results of tools stand with their calls, whenever they come."""

    def __init__(self, history: Sequence[Message] = ()) -> None:
        self._items: list[Item] = []
        self._results: dict[str, ToolResult] = {}
        self._called: set[str] = set()
        self._count = 0
        self.pace = MS_PER_CHARACTER
        for message in history:
            self.add(message)

    def add(self, message: Message | None = None, *, id: str = "", after: str = "") -> tuple[Item, str]:
        """The new item, and the id of the one that it stands behind. Raises `KeyError` where there is no `after`."""
        self._count += 1
        item = Item(id or f"item_{self._count}", message)
        place = len(self._items) if not after else 0 if after == ROOT else self._place(after) + 1
        self._items.insert(place, item)
        if message is not None:
            self.fill(item, message)
        return item, self._items[place - 1].id if place else ""

    def fill(self, item: Item, message: Message) -> None:
        item.message = message
        self._called.update(call.id for call in message.tool_calls)
        for part in message.parts:
            if isinstance(part, ToolResult):
                self._results[part.id] = part

    def expect(self, call: ToolCall) -> None:
        """A call whose message is not whole yet."""
        self._called.add(call.id)

    def answer(self, result: ToolResult) -> bool:
        """Whether there is a call that this is the result of."""
        if result.id not in self._called:
            return False
        self._results[result.id] = result
        return True

    def find(self, id: str) -> Item | None:
        return next((item for item in self._items if item.id == id), None)

    def delete(self, id: str) -> bool:
        kept = [item for item in self._items if item.id != id]
        gone = len(kept) < len(self._items)
        self._items = kept
        return gone

    def truncate(self, item: Item, heard_ms: float) -> None:
        """Forget what of the item's words was not heard."""
        if item.message is None or item.spoken is None:
            return
        text = item.spoken.cut(heard_ms, self.pace)
        if text == item.spoken.text:
            return
        others: list[AnyPart] = [part for part in item.message.parts if not isinstance(part, Text)]
        said: list[AnyPart] = [Text(text=text)] if text else []
        at = next((n for n, part in enumerate(others) if isinstance(part, ToolCall)), len(others))
        item.message = Message(role="assistant", parts=(*others[:at], *said, *others[at:]))

    def note_pace(self, spoken: Spoken) -> None:
        if spoken.whole and len(spoken.text) > 1 and spoken.made_ms:
            self.pace = spoken.made_ms / len(spoken.text)

    def build(self, instructions: str | None = None) -> list[Message]:
        """What the text model is given: calls without a result are left out, and turns with nothing in them."""
        built = [Message.system(instructions)] if instructions else []
        for item in self._items:
            if item.message is not None and item.message.role != "tool":
                built.extend(with_results(item.message, self._results))
        return built

    def _place(self, id: str) -> int:
        for place, item in enumerate(self._items):
            if item.id == id:
                return place
        raise KeyError(id)
