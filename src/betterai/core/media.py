"""Media as a value: bytes, base64 text, a path, a URL or a vendor's file id. Loading is `runtime/media/loading.py`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Literal

from betterai.core.data import Data

MediaKind = Literal["image", "audio", "video", "document"]
MediaForm = Literal["bytes", "url", "file_id"]


_SLICE, _LETTERS = 3 * 128 * 1024, 4 * 128 * 1024
"""So many bytes, or letters, are turned at once: in between, other threads have their turn, and so the event loop."""


def decode_base64(text: str | memoryview) -> bytes:
    """The bytes of a base64 text, or of its letters. Raises `ValueError` where it is damaged."""
    if len(text) <= _LETTERS:
        return b64decode(text, validate=True)
    pieces = []
    for at in range(0, len(text), _LETTERS):
        letters = text[at : at + _LETTERS]
        if letters[-1] in ("=", b"="[0]) and at + _LETTERS < len(text):
            raise ValueError("there is padding within the base64 text")
        pieces.append(b64decode(letters, validate=True))
    return b"".join(pieces)


class Media(Data, frozen=True, kw_only=True):
    """One picture, sound, film or document. Exactly one of the five sources is set.

    `base64` holds text that arrived encoded, so that it can be passed on without decoding it.
    `path` is read by the runner before a codec sees the media. `owner` says whose account a `file_id` belongs to
    (`FileHandle.owner`): it is sent nowhere else.
    """

    kind: MediaKind
    mime_type: str = ""
    data: bytes | None = None
    base64: str | None = None
    path: str | None = None
    url: str | None = None
    file_id: str | None = None
    filename: str = ""
    transcript: str = ""
    owner: str = ""

    @property
    def form(self) -> MediaForm | Literal["path"]:
        if self.data is not None or self.base64 is not None:
            return "bytes"
        if self.url is not None:
            return "url"
        return "file_id" if self.file_id is not None else "path"

    def to_base64(self) -> str:
        """The content as base64 text (RFC 4648, padded). Only for media whose `form` is "bytes"."""
        if self.base64 is not None:
            return self.base64
        data = memoryview(self.data or b"")
        return b"".join([b64encode(data[at : at + _SLICE]) for at in range(0, len(data), _SLICE)]).decode("ascii")

    def to_bytes(self) -> bytes:
        """The content as bytes. Raises `ValueError` where the base64 text is damaged."""
        if self.data is not None:
            return self.data
        return decode_base64(self.base64 or "")

    def to_data_url(self) -> str:
        return f"data:{self.mime_type or 'application/octet-stream'};base64,{self.to_base64()}"


def parse_data_url(kind: MediaKind, url: str, filename: str = "") -> Media:
    """Media from a `data:` URL (RFC 2397), its base64 text kept as it came; from any other URL, by reference."""
    if not url.startswith("data:"):
        return Media(kind=kind, url=url, filename=filename)
    head, comma, payload = url[5:].partition(",")
    if not comma or not head.endswith(";base64"):
        return Media(kind=kind, url=url, filename=filename)
    return Media(kind=kind, mime_type=head[:-7], base64=payload, filename=filename)


def kind_of(mime_type: str) -> MediaKind:
    """The kind of media that a MIME type names; what is neither picture nor sound nor film is a document."""
    beginning = mime_type.partition("/")[0]
    return beginning if beginning in ("image", "audio", "video") else "document"  # type: ignore[return-value]
