"""A conversation as data: messages made of parts. What a provider answered goes back as it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Raw

from betterai.core.data import Data, parse_strict_json
from betterai.core.exceptions import ValidationError
from betterai.core.media import Media

Role = Literal["system", "developer", "user", "assistant", "tool"]


class Opaque(Data, frozen=True, kw_only=True):
    """What only one protocol (and, where set, one provider and model) understands: JSON as received, never decoded.

    Codecs of the same protocol write it back; others drop it with a warning.
    """

    protocol: str
    provider: str = ""
    model: str = ""
    data: Raw

    @property
    def value(self) -> Any:
        """Raises `ValidationError` where what was received is no JSON inside."""
        try:
            return msgspec.json.decode(self.data)
        except (ValueError, RecursionError) as error:
            raise ValidationError(
                f"what {self.provider or self.protocol} alone understands is not readable: {error}",
                hint="leave its message out of the history",
            ) from error


class Citation(Data, frozen=True, kw_only=True):
    """Where a statement comes from. `start` and `end` are character offsets into the part's text, where given."""

    url: str = ""
    title: str = ""
    start: int | None = None
    end: int | None = None
    text: str = ""
    opaque: Opaque | None = None


class CacheMark(Data, frozen=True, kw_only=True):
    """A prompt-cache breakpoint: all up to this part may be cached. `ttl` is the vendor's word ("5m", "1h")."""

    ttl: str = ""
    mode: str = ""


class Part(Data, frozen=True, kw_only=True, tag_field="type"):
    opaque: Opaque | None = None
    cache: CacheMark | None = None


class Text(Part, frozen=True, kw_only=True, tag="text"):
    text: str
    citations: tuple[Citation, ...] = ()


class Refusal(Part, frozen=True, kw_only=True, tag="refusal"):
    """The model's own words for why it will not answer."""

    text: str


class Reasoning(Part, frozen=True, kw_only=True, tag="reasoning"):
    """Thoughts. A signature, an encrypted blob or a redacted block is in `opaque`, and `text` may then be empty."""

    text: str = ""


class ToolCall(Part, frozen=True, kw_only=True, tag="tool_call"):
    """The model asks for a tool. `arguments` is the text as received: JSON for functions, free text for custom tools.

    `server` marks a tool that the provider runs by itself.
    """

    id: str
    name: str
    arguments: str = ""
    index: int = 0
    kind: Literal["function", "custom"] = "function"
    server: bool = False

    def parse_arguments(self) -> Any:
        """The arguments as a JSON value, read strictly; no arguments at all are `{}`. Raises `ValueError`."""
        return parse_strict_json(self.arguments) if self.arguments.strip() else {}


class MediaPart(Part, frozen=True, kw_only=True, tag="media"):
    """`detail` is the resolution asked for, in the vendor's words ("low", "high", "auto" …)."""

    media: Media
    detail: str = ""


class ToolResult(Part, frozen=True, kw_only=True, tag="tool_result"):
    """The answer to the tool call with the same `id`."""

    id: str
    parts: tuple[Text | MediaPart, ...] = ()
    name: str = ""
    is_error: bool = False

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Text))


AnyPart: TypeAlias = Text | Refusal | Reasoning | ToolCall | ToolResult | MediaPart


class Message(Data, frozen=True, kw_only=True):
    """One turn. `msgspec.json.encode` and `decode` give its stable JSON form for storing."""

    role: Role
    parts: tuple[AnyPart, ...] = ()
    name: str = ""
    opaque: Opaque | None = None

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def reasoning(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Reasoning))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    @staticmethod
    def system(text: str) -> Message:
        return Message(role="system", parts=(_as_text(text),))

    @staticmethod
    def user(text: str, *media: Media) -> Message:
        for item in media:
            if not isinstance(item, Media):
                raise ValidationError(f"a text and Media make a message, not {type(item).__name__}", hint=_AS_MEDIA)
        return Message(role="user", parts=(_as_text(text), *(MediaPart(media=item) for item in media)))

    @staticmethod
    def assistant(text: str) -> Message:
        return Message(role="assistant", parts=(_as_text(text),))

    @staticmethod
    def tool(id: str, text: str, *, is_error: bool = False) -> Message:
        return Message(role="tool", parts=(ToolResult(id=id, parts=(_as_text(text),), is_error=is_error),))


def _as_text(text: object) -> Text:
    if not isinstance(text, str):
        raise ValidationError(f"the text of a message is str, not {type(text).__name__}")
    return Text(text=text)


_AS_MEDIA = 'betterai.Media(kind="image", path=…), or data=…, or url=…'

Messages: TypeAlias = str | Message | Sequence[Message | Mapping[str, Any]]
"""What a caller may pass as a conversation: a text, our messages, or the field's usual dicts with role and content."""
