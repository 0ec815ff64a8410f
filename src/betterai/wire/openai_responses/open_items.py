"""Items of a stream being written whose end has not come."""

from __future__ import annotations

from betterai.core.message import AnyPart, Citation, Reasoning, Text
from betterai.wire.openai_responses.answers import Item

CALL_EVENTS = {
    "function_call": "response.function_call_arguments",
    "custom_tool_call": "response.custom_tool_call_input",
}
ARGUMENTS = {"function_call": "arguments", "custom_tool_call": "input"}
"""The names of the events that show a call's arguments, and of the fields that hold them."""


class OpenItem:
    """An item whose end has not come. `pieces` are what was shown of it."""

    __slots__ = ("cited", "closed", "index", "item", "kind", "logprobs", "parts", "pieces")

    def __init__(self, kind: str, index: int, item: Item) -> None:
        self.kind = kind
        self.index = index
        self.item = item
        self.pieces: list[str] = []
        self.cited: list[Citation] = []
        self.logprobs: list[Item] = []
        self.parts: list[AnyPart] = []
        self.closed = False

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def text_of(part: AnyPart) -> str:
    return part.text if isinstance(part, Text | Reasoning) else ""


def begins(shown: OpenItem, part: AnyPart) -> bool:
    """Whether a part is only the beginning of what was shown."""
    text = text_of(part)
    return bool(text) and len(text) < len(shown.text) and shown.text.startswith(text)


def begun(item: Item) -> Item:
    """What an item that comes whole says while it begins."""
    return {"status": "in_progress"} if item.get("status") == "completed" else {}
