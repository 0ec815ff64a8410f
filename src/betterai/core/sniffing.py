"""What the first bytes of media show: magic numbers (https://www.iana.org/assignments/media-types)."""

from __future__ import annotations

from base64 import b64decode

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"), (b"ID3", "audio/mpeg"), (b"OggS", "audio/ogg"), (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"), (b"BM", "image/bmp"), (b"II*\x00", "image/tiff"), (b"MM\x00*", "image/tiff"),
    (b"\xff\xfb", "audio/mpeg"), (b"\xff\xf3", "audio/mpeg"),
)  # fmt: skip


_BRANDS = {b"avif": "image/avif", b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif",
           b"M4A ": "audio/mp4", b"qt  ": "video/quicktime"}  # fmt: skip
_LETTERS = 88
"""So many letters of base64 hold all the bytes that are looked at."""


def sniff_mime_type(data: bytes) -> str:
    """The MIME type that the first bytes show; "" where they show none."""
    for magic, mime_type in _MAGIC:
        if data.startswith(magic):
            return mime_type
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12], "")
    return _BRANDS.get(data[8:12], "video/mp4") if data[4:8] == b"ftyp" else ""


def sniff_base64(text: str) -> str:
    """The same for base64 text, of which no more than its beginning is decoded."""
    try:
        return sniff_mime_type(b64decode(text[:_LETTERS]))
    except ValueError:
        return ""
