"""Pictures, films, sounds and documents as the protocol has them, both ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from betterai.core.media import Media, MediaKind
from betterai.core.message import MediaPart
from betterai.wire.report import Report

FORMATS: Mapping[MediaKind, Mapping[str, str]] = {
    "image": {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"},
    "document": {
        "pdf": "application/pdf", "csv": "text/csv", "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "html": "text/html", "txt": "text/plain", "md": "text/markdown",
    },
    "video": {
        "mkv": "video/x-matroska", "mov": "video/quicktime", "mp4": "video/mp4", "webm": "video/webm",
        "flv": "video/x-flv", "mpeg": "video/mpeg", "mpg": "video/mpg", "wmv": "video/x-ms-wmv",
        "three_gp": "video/3gpp",
    },
    "audio": {
        "mp3": "audio/mpeg", "opus": "audio/opus", "wav": "audio/wav", "aac": "audio/aac", "flac": "audio/flac",
        "mp4": "audio/mp4", "ogg": "audio/ogg", "mkv": "audio/x-matroska", "mka": "audio/x-mka",
        "x-aac": "audio/x-aac", "m4a": "audio/x-m4a", "mpeg": "audio/x-mpeg", "mpga": "audio/mpga", "pcm": "audio/pcm",
        "webm": "audio/webm",
    },
}  # fmt: skip
"""The formats of botocore 1.44 and the media types they stand for."""

_BY_TYPE = {(kind, mime): word for kind, words in FORMATS.items() for word, mime in words.items()}
_ALIASES = {
    "image/jpg": "jpeg", "audio/mp3": "mp3", "audio/x-wav": "wav", "audio/wave": "wav", "audio/vnd.wave": "wav",
    "audio/m4a": "m4a", "audio/x-flac": "flac", "text/x-markdown": "md", "application/csv": "csv",
    "application/xhtml+xml": "html", "video/3gp": "three_gp",
}  # fmt: skip

REFERENCE = "s3://"


class Names:
    """Names of documents: of letters, digits, single spaces, hyphens, brackets and (as recorded) underscores; each only
    once in a request (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html).
    """

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._by_content: dict[tuple[str, int], str] = {}

    def give(self, filename: str, report: Report) -> str:
        name = re.sub(r"\s+", " ", re.sub(r"[^A-Za-z0-9_\s()\[\]-]", "-", filename)).strip()[:200] or "document"
        if filename and name != filename:
            report.translate("media.filename", f"document names take few characters here: {name!r} was sent")
        unique, count = name, 1
        while unique in self._used:
            count += 1
            unique = f"{name} ({count})"
        if unique != name and filename:
            report.translate("media.filename", f"each document needs a name of its own here: {unique!r} was sent")
        self._used.add(unique)
        return unique


def build_media(part: MediaPart, names: Names, report: Report) -> dict[str, Any]:
    """One block. Raises `UnsupportedParam` for a format or a place that the protocol does not know."""
    media = part.media
    format = find_format(media)
    if not format:
        what = f"{media.kind} of type {media.mime_type or 'unknown'}"
        report.drop("media", f"{what} cannot be sent here", hint=f"taken are {', '.join(FORMATS[media.kind])}")
    if part.detail:
        report.drop("media.detail", "the resolution of pictures cannot be chosen here")
    body: dict[str, Any] = {"format": format}
    if media.kind == "document":
        body["name"] = names.give(media.filename, report)
    body["source"] = _build_source(media, report)
    return {media.kind: body}


def find_format(media: Media) -> str:
    """The protocol's word for a media type; "" where it has none."""
    mime = media.mime_type.partition(";")[0].strip().lower()
    found = _BY_TYPE.get((media.kind, mime)) or _ALIASES.get(mime, "")
    if not found and media.file_id is not None:
        ending = media.file_id.rpartition(".")[2].lower()
        found = {"jpg": "jpeg", "3gp": "three_gp"}.get(ending, ending)
    return found if found in FORMATS[media.kind] else ""


def _build_source(media: Media, report: Report) -> dict[str, Any]:
    if media.form == "bytes":
        return {"bytes": media.to_base64()}
    if media.file_id is not None and media.file_id.startswith(REFERENCE):
        return {"s3Location": {"uri": media.file_id}}
    report.drop(
        "media",
        f"{media.kind} as {media.form} cannot be sent here",
        hint=f"pass its bytes, or a file_id that begins with {REFERENCE}",
    )
    return {}


def read_media(kind: MediaKind, format: str, source: dict[str, Any], name: str = "") -> Media | None:
    """Media from a block whose fields are taken out of `source`; None where that names none of the known places."""
    mime = FORMATS[kind].get(format, f"{kind}/{format}" if format else "")
    if isinstance(data := source.get("bytes"), str):
        del source["bytes"]
        return Media(kind=kind, mime_type=mime, base64=data, filename=name)
    if isinstance(place := source.get("s3Location"), Mapping) and isinstance(uri := place.get("uri"), str):
        rest = {key: value for key, value in place.items() if key != "uri"}
        if rest:
            source["s3Location"] = rest
        else:
            del source["s3Location"]
        return Media(kind=kind, mime_type=mime, file_id=uri, filename=name)
    return _read_written(mime or "text/plain", source, name) if kind == "document" else None


def _read_written(mime: str, source: dict[str, Any], name: str) -> Media | None:
    """A document given as text, or as pieces of text: `source` keeps how."""
    if isinstance(text := source.get("text"), str):
        source["text"] = ""
        return Media(kind="document", mime_type=mime, data=text.encode(), filename=name)
    if isinstance(content := source.get("content"), list):
        texts = [str(piece.get("text", "")) for piece in content if isinstance(piece, Mapping)]
        return Media(kind="document", mime_type=mime, data="\n".join(texts).encode(), filename=name)
    return None
