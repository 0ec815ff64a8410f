"""What the categories other than text give back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from betterai.core.data import Data
from betterai.core.media import Media, MediaKind, kind_of
from betterai.core.response import CallWarning, Timing
from betterai.core.usage import Cost, Usage


class Result(Data, frozen=True, kw_only=True):
    """What every result has beside its content. `body` is the reply as received: empty for streams, for files, and
    where several requests were made.
    """

    model: str = ""
    provider: str = ""
    usage: Usage | None = None
    cost: Cost | None = None
    warnings: tuple[CallWarning, ...] = ()
    request_id: str = ""
    headers: Mapping[str, str] = {}
    timing: Timing | None = None
    body: bytes = b""

    @property
    def raw(self) -> Any:
        """The reply's body as JSON values, with all that our types do not name; None where there is none."""
        return msgspec.json.decode(self.body) if self.body else None


class ImageResponse(Result, frozen=True, kw_only=True):
    images: tuple[Media, ...] = ()
    revised_prompt: str = ""


class ImageChunk(Data, frozen=True, kw_only=True):
    """A picture of a stream: an unfinished one with its `index` among those of its kind, or a `final` one. The last
    chunk has `response`, the whole answer.
    """

    image: Media | None = None
    index: int = 0
    final: bool = False
    response: ImageResponse | None = None


class VideoResponse(Result, frozen=True, kw_only=True):
    videos: tuple[Media, ...] = ()


class Word(Data, frozen=True, kw_only=True):
    """One spoken word; `start` and `end` in seconds, `confidence` from 0 to 1."""

    text: str
    start: float
    end: float
    speaker: str | None = None
    confidence: float | None = None


class Segment(Data, frozen=True, kw_only=True):
    text: str
    start: float
    end: float
    speaker: str | None = None
    confidence: float | None = None


class Transcript(Result, frozen=True, kw_only=True):
    """`words` and `segments` are None where the provider gives none: not the same as an empty recording."""

    text: str
    language: str | None = None
    seconds: float | None = None
    words: tuple[Word, ...] | None = None
    segments: tuple[Segment, ...] | None = None

    def to_srt(self) -> str:
        """As SubRip subtitles. Raises `ValidationError` for a transcript that says nothing of times."""
        from betterai.core.subtitles import write_srt

        return write_srt(self)

    def to_vtt(self) -> str:
        """As WebVTT subtitles. Raises `ValidationError` for a transcript that says nothing of times."""
        from betterai.core.subtitles import write_vtt

        return write_vtt(self)


class TranscriptChunk(Data, frozen=True, kw_only=True):
    """A piece of a live transcript. An interim piece (`final` False) is replaced by the next one.

    Where the provider hears turns, `turn` counts them from 0, and `event` says what happened to one: it started; it
    will probably end (time to prepare an answer); it went on after all; it ended.
    """

    text: str = ""
    final: bool = False
    words: tuple[Word, ...] | None = None
    turn: int | None = None
    event: Literal["", "turn_started", "turn_ending", "turn_resumed", "turn_ended"] = ""
    response: Transcript | None = None


class Speech(Result, frozen=True, kw_only=True):
    audio: Media
    sample_rate: int | None = None
    words: tuple[Word, ...] | None = None


class SpeechChunk(Data, frozen=True, kw_only=True):
    """A piece of audio, playable in order."""

    audio: bytes = b""
    words: tuple[Word, ...] | None = None
    response: Speech | None = None


class Voice(Data, frozen=True, kw_only=True):
    """A voice that a provider speaks with: `id` is what `SpeechSettings.voice` takes. `languages` are as the provider
    writes them, `labels` its own words for what the voice is like.
    """

    id: str
    name: str = ""
    languages: tuple[str, ...] = ()
    description: str = ""
    preview_url: str = ""
    labels: Mapping[str, str] = {}


class EmbeddingResponse(Result, frozen=True, kw_only=True):
    """`vectors` in the order of the inputs; `encoding` is what they are made of (see `EmbeddingSettings`)."""

    vectors: tuple[tuple[float, ...], ...] = ()
    encoding: str = "float"


class RerankInput(Data, frozen=True, kw_only=True):
    """What is to be ranked."""

    query: str
    documents: tuple[str, ...]


class Ranked(Data, frozen=True, kw_only=True):
    """One document: `index` among those that were given, and how well it answers, on the model's own scale."""

    index: int
    score: float
    document: str = ""


class RerankResponse(Result, frozen=True, kw_only=True):
    """Best first; `index` points into the documents given."""

    ranking: tuple[Ranked, ...] = ()


class ModerationVerdict(Data, frozen=True, kw_only=True):
    flagged: bool
    categories: Mapping[str, bool] = {}
    scores: Mapping[str, float] = {}


class ModerationResponse(Result, frozen=True, kw_only=True):
    verdicts: tuple[ModerationVerdict, ...] = ()


class TokenCount(Result, frozen=True, kw_only=True):
    """How many input tokens a call would have. `estimated` is False where the provider counted them itself."""

    tokens: int
    estimated: bool = False


class FileUpload(Data, frozen=True, kw_only=True):
    """What is to be uploaded: `media` holds bytes or a path, `size` in bytes. `expires_in` are seconds from now."""

    media: Media
    filename: str
    mime_type: str
    size: int
    purpose: str = ""
    expires_in: int | None = None


class FileHandle(Data, frozen=True, kw_only=True):
    """A file at a provider. It remembers its owner, so that it is never sent to another account: `account` is a
    fingerprint of the key, from which the key cannot be had. `reference` is what messages name it by, where that is not
    its id; `expires_at` in Unix seconds; `state` is the provider's own word for how far it is.
    """

    id: str
    provider: str = ""
    account: str = ""
    filename: str = ""
    size: int | None = None
    mime_type: str = ""
    expires_at: float | None = None
    purpose: str = ""
    reference: str = ""
    state: str = ""

    @property
    def owner(self) -> str:
        return f"{self.provider}#{self.account}" if self.provider and self.account else ""

    def media(self, kind: MediaKind | None = None) -> Media:
        """The file for use in messages. Its kind shows in the MIME type; where that is not known it is a document."""
        return Media(
            kind=kind or kind_of(self.mime_type),
            mime_type=self.mime_type,
            file_id=self.reference or self.id,
            filename=self.filename,
            owner=self.owner,
        )
