"""Loading media that a codec cannot send as it is: files are read, URLs fetched through the guarded transport."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from betterai.core.config import Timeout
from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, ToolResult
from betterai.core.wire import WireRequest

if TYPE_CHECKING:
    from betterai.transport.http import HTTPTransport

MAX_MEDIA_BYTES = 100 * 1024 * 1024

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"), (b"ID3", "audio/mpeg"), (b"OggS", "audio/ogg"), (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"), (b"\xff\xfb", "audio/mpeg"), (b"\xff\xf3", "audio/mpeg"),
)  # fmt: skip


def sniff_mime_type(data: bytes) -> str:
    """The MIME type that the first bytes show; "" where they show none."""
    for magic, mime_type in _MAGIC:
        if data.startswith(magic):
            return mime_type
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12], "")
    return "video/mp4" if data[4:8] == b"ftyp" else ""


def media_sizes(messages: Sequence[Message]) -> int:
    """How many bytes of media the messages hold, roughly."""
    return sum(len(media.data or media.base64 or b"") for media in _media(messages))


def _media(messages: Sequence[Message]) -> list[Media]:
    found = []
    for message in messages:
        for part in message.parts:
            if isinstance(part, MediaPart):
                found.append(part.media)
            elif isinstance(part, ToolResult):
                found.extend(item.media for item in part.parts if isinstance(item, MediaPart))
    return found


def needs_loading(messages: Sequence[Message], accepts: Mapping[str, frozenset[str]]) -> bool:
    """Whether some media must be loaded, or looked at, before a codec that `accepts` these forms can write it."""
    return any(
        media.form not in accepts.get(media.kind, frozenset()) or (media.data is not None and not media.mime_type)
        for media in _media(messages)
    )


async def load_media(
    messages: Sequence[Message], accepts: Mapping[str, frozenset[str]], transport: HTTPTransport, limits: Timeout
) -> tuple[Message, ...]:
    """The messages with all media in a form that the codec accepts. Raises `UnsupportedParam` where there is none."""
    loaded = []
    for message in messages:
        parts = [await _load_part(part, accepts, transport, limits) for part in message.parts]
        loaded.append(msgspec.structs.replace(message, parts=tuple(parts)))
    return tuple(loaded)


async def _load_part(
    part: Any, accepts: Mapping[str, frozenset[str]], transport: HTTPTransport, limits: Timeout
) -> Any:
    if isinstance(part, MediaPart):
        media = await load_one(part.media, accepts.get(part.media.kind, frozenset()), transport, limits)
        return msgspec.structs.replace(part, media=media)
    if isinstance(part, ToolResult):
        items = [await _load_part(item, accepts, transport, limits) for item in part.parts]
        return msgspec.structs.replace(part, parts=tuple(items))
    return part


async def load_one(media: Media, forms: frozenset[str], transport: HTTPTransport, limits: Timeout) -> Media:
    """One medium in one of these forms."""
    if media.form in forms and media.form != "bytes":
        return media
    if "bytes" not in forms:
        wanted = " or ".join(sorted(forms)) or "nothing of this kind"
        raise UnsupportedParam(
            f"media: {media.kind} as {media.form} cannot be sent here; taken is {wanted}", param="media"
        )
    if media.form == "path":
        return await _read_file(media)
    if media.form == "url":
        return await _fetch(media, transport, limits)
    if media.form == "file_id":
        raise UnsupportedParam(f"media: a file id of {media.kind} cannot be sent here: pass the bytes", param="media")
    if not media.mime_type and media.data is not None:
        return msgspec.structs.replace(media, mime_type=sniff_mime_type(media.data) or _default_type(media))
    return media


async def _read_file(media: Media) -> Media:
    from asyncio import to_thread

    path = Path(media.path or "")
    try:
        size = (await to_thread(path.stat)).st_size
        if size > MAX_MEDIA_BYTES:
            raise ValidationError(f"{path.name} has {size} bytes; at most {MAX_MEDIA_BYTES} can be sent")
        data = await to_thread(path.read_bytes)
    except OSError as error:
        raise ValidationError(f"cannot read {path}: {error.strerror or error}") from error
    mime_type = media.mime_type or sniff_mime_type(data) or mimetypes.guess_type(path.name)[0] or _default_type(media)
    return Media(kind=media.kind, mime_type=mime_type, data=data, filename=media.filename or path.name)


async def _fetch(media: Media, transport: HTTPTransport, limits: Timeout) -> Media:
    from betterai.transport.http import Endpoint

    request = WireRequest(url=media.url or "", method="GET", reply="bytes", trust="foreign", safe_to_repeat=True)
    reply = await transport.send(request, Endpoint(), limits)
    if reply.status != 200:
        raise ValidationError(f"{media.url} answered HTTP {reply.status}", hint="check the URL, or pass the bytes")
    said = reply.headers.get("content-type", "").partition(";")[0]
    mime_type = media.mime_type or sniff_mime_type(reply.content) or said or _default_type(media)
    return Media(kind=media.kind, mime_type=mime_type, data=reply.content, filename=media.filename)


def _default_type(media: Media) -> str:
    defaults = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4", "document": "application/pdf"}
    return mimetypes.guess_type(media.filename)[0] or defaults[media.kind]
