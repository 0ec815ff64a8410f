"""An answer that another target goes on with: what was said, and the joint between the two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from betterai.core.message import AnyPart, Citation, Message, Text
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Cost, Usage
from betterai.runtime.router.answer import Answer

SHORTEST = 16
"""Of a beginning shorter than this it cannot be told whether it is repeated."""
_OTHER = ("tool_call", "part", "media", "citation", "logprobs", "opaque")
_BY_ITSELF = ("response_format", "reasoning", "logprobs", "n", "modalities")
"""Settings with which an answer cannot be taken up in the middle."""


class Shown:
    """What the caller has been shown of an answer so far."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._plain = True

    def add(self, chunk: TextChunk) -> None:
        if chunk.content:
            self._texts.append(chunk.content)
        if self._plain and (
            chunk.reset or chunk.reasoning or chunk.choice or any(getattr(chunk, name) is not None for name in _OTHER)
        ):
            self._plain = False

    def clear(self) -> None:
        self._texts.clear()
        self._plain = True

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def can_be_continued(self, settings: GenerationSettings) -> bool:
        """Only an answer of plain text, which is long enough to be recognised."""
        given = settings.given()
        return self._plain and len(self.text.rstrip()) >= SHORTEST and not any(given.get(name) for name in _BY_ITSELF)


class Continuation:
    """The chunks of an answer that goes on, as if one model had said all. What it repeats of the beginning is left out:
    some providers do so, and white space at the end was not sent.
    """

    def __init__(self, answer: Answer, before: Sequence[tuple[Usage, Cost]]) -> None:
        self._said = answer.continues
        self._before = before
        self._held: str | None = ""
        self._joined = False
        bare = self._said.rstrip()
        self._repeats = (bare, self._said[len(bare) :])

    def read(self, chunk: TextChunk) -> Iterator[TextChunk]:
        if self._held is not None and not chunk.content and (chunk.part is not None or chunk.finish_reason):
            rest, self._held = self._held, None
            if rest := self._strip(rest):
                yield TextChunk(content=rest)
        if self._held is not None and chunk.content:
            self._held += chunk.content
            if self._may_repeat(self._held):
                return
            rest, self._held = self._strip(self._held), None
            chunk = replace(chunk, content=rest)
        if isinstance(chunk.part, Text) and not self._joined:
            chunk = replace(chunk, part=self._join_text(chunk.part))
        if chunk.response is not None:
            chunk = replace(chunk, response=self._join(chunk.response))
        yield chunk

    def _may_repeat(self, text: str) -> bool:
        """Whether more text is needed to see if it repeats the beginning."""
        whole = self._said
        tail = self._repeats[1]
        return (len(text) < len(whole) and whole.startswith(text)) or (len(text) < len(tail) and tail.startswith(text))

    def _strip(self, text: str) -> str:
        for repeated in self._repeats:
            text = text.removeprefix(repeated)
        return text

    def _join_text(self, part: Text) -> Text:
        new = self._strip(part.text)
        self._joined = True
        shift = len(self._said) + len(new) - len(part.text)
        return replace(part, text=self._said + new, citations=tuple(_shift(item, shift) for item in part.citations))

    def _join(self, response: ProviderResponse) -> ProviderResponse:
        message = response.message or Message.assistant(response.content)
        parts: list[AnyPart] = list(message.parts)
        place = next((index for index, part in enumerate(parts) if isinstance(part, Text)), None)
        if place is None:
            parts.insert(0, Text(text=self._said))
        else:
            text: Any = parts[place]
            parts[place] = self._join_text(text)
        usage, cost = response.usage, response.cost
        for earlier, its_cost in self._before:
            usage = None if usage is None else earlier + usage
            cost = its_cost + (cost or Cost())
        return replace(
            response,
            content=self._said + self._strip(response.content),
            message=replace(message, parts=tuple(parts)),
            usage=usage,
            tokens_used=usage.total_tokens if usage is not None else None,
            cost=cost,
        )


def _shift(citation: Citation, characters: int) -> Citation:
    if citation.start is None or citation.end is None:
        return citation
    return replace(citation, start=citation.start + characters, end=citation.end + characters)
