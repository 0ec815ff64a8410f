"""Where an answer comes from: grounding, whose places are bytes of the text, and recited sources, as citations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from betterai.core.message import AnyPart, Citation, Opaque, Text
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.gemini.shapes import NOTHING, is_given
from betterai.wire.lenient import Reader


class SourceShape(Struct, gc=False):
    uri: str | None = None
    title: str | None = None
    text: str | None = None


class ChunkShape(Struct, gc=False, rename="camel"):
    web: SourceShape | None = None
    maps: SourceShape | None = None
    retrieved_context: SourceShape | None = None
    image: SourceShape | None = None


class SegmentShape(Struct, gc=False, rename="camel"):
    part_index: int | None = None
    start_index: int = 0
    end_index: int | None = None
    text: str | None = None


class SupportShape(Struct, gc=False, rename="camel"):
    segment: SegmentShape | None = None
    grounding_chunk_indices: list[int] | None = None


class GroundingShape(Struct, gc=False, rename="camel"):
    grounding_chunks: list[Raw] | None = None
    grounding_supports: list[SupportShape] | None = None
    web_search_queries: list[str] | None = None


class RecitedShape(Struct, gc=False, rename="camel"):
    start_index: int | None = None
    end_index: int | None = None
    uri: str | None = None
    title: str | None = None


class RecitationsShape(Struct, gc=False, rename="camel"):
    citation_sources: list[RecitedShape] | None = None
    citations: list[RecitedShape] | None = None


_GROUNDING = Reader(GroundingShape)
_RECITATIONS = Reader(RecitationsShape)
_CHUNK = Reader(ChunkShape)

Keep = Callable[[Raw], Opaque]


class Sources:
    """What the replies of one answer say of its sources; later ones go on with the lists of earlier ones, or repeat
    them.
    """

    __slots__ = ("_chunks", "_recited", "_supports", "searches")

    def __init__(self) -> None:
        self._chunks: list[Raw] = []
        self._supports: list[SupportShape] = []
        self._recited: list[RecitedShape] = []
        self.searches = 0

    def __bool__(self) -> bool:
        return bool(self._chunks or self._recited)

    def read(self, grounding: Raw, recitations: Raw = NOTHING) -> None:
        """Take up one reply's. What is not as it should be is passed over: it is no part of the answer."""
        try:
            if is_given(grounding):
                self._read_grounding(_GROUNDING.decode(grounding))
            if is_given(recitations):
                shape = _RECITATIONS.decode(recitations)
                found = shape.citation_sources or shape.citations or []
                self._recited = [*self._recited, *(item for item in found if item not in self._recited)]
        except UNREADABLE:
            return

    def _read_grounding(self, shape: GroundingShape) -> None:
        chunks, before = shape.grounding_chunks or [], 0
        if chunks and chunks[: len(self._chunks)] == self._chunks:
            self._chunks = chunks
        elif chunks:
            before = len(self._chunks)
            self._chunks = [*self._chunks, *chunks]
        for support in shape.grounding_supports or []:
            numbers = [number + before for number in support.grounding_chunk_indices or ()]
            moved = SupportShape(segment=support.segment, grounding_chunk_indices=numbers)
            if moved not in self._supports:
                self._supports.append(moved)
        self.searches = max(self.searches, len(shape.web_search_queries or ()))

    def cite(self, parts: Sequence[AnyPart], keep: Keep) -> list[AnyPart]:
        """The parts with their citations; sources of no certain place stand with the last text."""
        texts = [index for index, part in enumerate(parts) if isinstance(part, Text)]
        if not texts or not self:
            return list(parts)
        found: dict[int, list[Citation]] = {index: [] for index in texts}
        used: set[int] = set()
        ruler = _Ruler(parts, texts)
        for support in self._supports:
            place = ruler.find(support.segment)
            for number in support.grounding_chunk_indices or ():
                if 0 <= number < len(self._chunks):
                    used.add(number)
                    self._add(found, place, self._chunks[number], keep, texts[-1])
        for number, chunk in enumerate(self._chunks):
            if number not in used:
                self._add(found, None, chunk, keep, texts[-1])
        for item in self._recited:
            segment = SegmentShape(start_index=item.start_index or 0, end_index=item.end_index)
            place = ruler.find(segment) if item.end_index is not None else None
            index, start, end = place or (texts[-1], None, None)
            found[index].append(Citation(url=item.uri or "", title=item.title or "", start=start, end=end))
        return [
            msgspec.structs.replace(part, citations=tuple(found[index])) if found.get(index) else part
            for index, part in enumerate(parts)
        ]

    def _add(
        self, found: dict[int, list[Citation]], place: tuple[int, int, int] | None, raw: Raw, keep: Keep, last: int
    ) -> None:
        shape = _CHUNK.decode(raw)
        source = shape.web or shape.maps or shape.retrieved_context or shape.image or SourceShape()
        index, start, end = place or (last, None, None)
        citation = Citation(
            url=source.uri or "",
            title=source.title or "",
            start=start,
            end=end,
            text=source.text or "",
            opaque=keep(raw),
        )
        found[index].append(citation)


class _Ruler:
    """From bytes of the answer, or of one part, to characters of a part."""

    def __init__(self, parts: Sequence[AnyPart], texts: Sequence[int]) -> None:
        self._parts = len(parts)
        self._texts = {index: _encode(parts[index]) for index in texts}

    def find(self, segment: SegmentShape | None) -> tuple[int, int, int] | None:
        """The part and the characters of a segment: in the part that is named, else in all texts as one, else where its
        words are found. None where it is nowhere.
        """
        if segment is None:
            return None
        said = None if segment.text is None else segment.text.encode("utf-8", "surrogatepass")
        start, end = segment.start_index, segment.end_index
        if end is None:
            end = start + len(said or b"")
        if segment.part_index in self._texts and (place := self._match(segment.part_index, start, end, said)):
            return place
        before = 0
        for index, text in self._texts.items():
            if start - before < len(text) or end - before <= len(text):
                place = self._match(index, start - before, end - before, said)
                if place:
                    return place
                break
            before += len(text)
        return self._search(said)

    def _match(self, index: int | None, start: int, end: int, said: bytes | None) -> tuple[int, int, int] | None:
        text = self._texts[index or 0]
        if not 0 <= start <= end <= len(text) or (said is not None and text[start:end] != said):
            return None
        return (index or 0, _length(text[:start]), _length(text[:end]))

    def _search(self, said: bytes | None) -> tuple[int, int, int] | None:
        for index, text in self._texts.items():
            at = text.find(said) if said else -1
            if at >= 0 and said:
                return index, _length(text[:at]), _length(text[: at + len(said)])
        return None


def _encode(part: Any) -> bytes:
    text: str = part.text
    return text.encode("utf-8", "surrogatepass")


def _length(text: bytes) -> int:
    """Characters; a cut in the middle of one does not count it."""
    return len(text.decode("utf-8", "ignore"))


def build_grounding(parts: Sequence[AnyPart]) -> dict[str, Any] | None:
    """The citations of an answer as `groundingMetadata`, whose places are bytes of a part."""
    chunks: list[dict[str, Any]] = []
    supports: list[dict[str, Any]] = []
    for index, part in enumerate(parts):
        for item in part.citations if isinstance(part, Text) else ():
            chunk = {"web": {"uri": item.url, "title": item.title}}
            if chunk not in chunks:
                chunks.append(chunk)
            if item.start is None or item.end is None or not isinstance(part, Text):
                continue
            start, end = (len(part.text[:place].encode("utf-8", "replace")) for place in (item.start, item.end))
            said = part.text[item.start : item.end]
            segment = {"partIndex": index, "startIndex": start, "endIndex": end, "text": said}
            supports.append({"segment": segment, "groundingChunkIndices": [chunks.index(chunk)]})
    if not chunks:
        return None
    return {"groundingChunks": chunks, "groundingSupports": supports} if supports else {"groundingChunks": chunks}
