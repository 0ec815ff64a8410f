"""Loading media that a codec cannot send as it is: files are read, URLs fetched through the guarded transport."""

from __future__ import annotations

import mimetypes
from base64 import b64decode
from collections.abc import Mapping, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from betterai.core.config import Timeout
from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.media import Media, parse_data_url
from betterai.core.message import MediaPart, Message, ToolResult
from betterai.core.sniffing import sniff_mime_type
from betterai.core.wire import WireRequest
from betterai.runtime.media.checks import check_media

if TYPE_CHECKING:
    from betterai.runtime.connection import Connection
    from betterai.transport.http import HTTPTransport

MAX_MEDIA_BYTES = 100 * 1024 * 1024

_HEAD = 64


def find_mime_type(media: Media, head: bytes, said: str = "") -> str:
    """The MIME type of media: as it is stated, else as its first bytes show, its name, or whoever sent it says."""
    if media.mime_type:
        return media.mime_type
    shown = sniff_mime_type(head)
    if media.kind == "audio" and shown in ("video/mp4", "video/webm"):
        shown = shown.replace("video", "audio")
    name = media.filename or media.path or ""
    defaults = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4", "document": "application/pdf"}
    return shown or mimetypes.guess_type(name)[0] or said or defaults[media.kind]


def media_sizes(messages: Sequence[Message]) -> int:
    """How many bytes of media the messages hold, roughly."""
    return sum(len(media.data or media.base64 or b"") for media in find_media(messages))


def find_media(messages: Sequence[Message]) -> list[Media]:
    """All media of the messages, those in tool results too."""
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
        media.form not in accepts.get(media.kind, frozenset())
        or (media.form == "bytes" and not media.mime_type)
        or (media.url or "").startswith("data:")
        for media in find_media(messages)
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
    if media.url is not None and media.url.startswith("data:"):
        media = _read_data_url(media, forms)
    if media.form in forms and media.form != "bytes":
        return media
    if "bytes" not in forms:
        raise _refuse(media, forms)
    if media.form == "path":
        return await _read_file(media)
    if media.form == "url":
        return await _fetch(media, transport, limits)
    if media.form == "file_id":
        raise UnsupportedParam(f"media: a file id of {media.kind} cannot be sent here: pass the bytes", param="media")
    return (
        media
        if media.mime_type
        else msgspec.structs.replace(media, mime_type=find_mime_type(media, first_bytes(media)))
    )


_HINTS = {"image": "betterai models --can vision", "audio": "betterai models --can audio", "document": "send its text"}
_FORMS = {"url": "a URL", "file_id": "the id of a file that was uploaded"}


def _refuse(media: Media, forms: frozenset[str]) -> UnsupportedParam:
    if not forms:
        said, hint = f"no {media.kind} can be sent to this provider over this protocol", _HINTS.get(media.kind, "")
    else:
        wanted = " or ".join(_FORMS[form] for form in sorted(forms))
        said, hint = f"{media.kind} from {media.form} cannot be sent here", f"give {wanted}"
    return UnsupportedParam(f"media: {said}", hint=hint, param="media")


def first_bytes(media: Media) -> bytes:
    """The first bytes, without decoding the rest."""
    if media.data is not None:
        return media.data[:_HEAD]
    try:
        return b64decode((media.base64 or "")[:_HEAD])
    except ValueError:
        return b""


def _read_data_url(media: Media, forms: frozenset[str]) -> Media:
    """The media inside a `data:` URL: what is already here is not fetched."""
    found = parse_data_url(media.kind, media.url or "", media.filename)
    if found.base64 is None and "url" not in forms:
        raise ValidationError(f"media: this data URL of {media.kind} cannot be read", hint="it must be in base64")
    if found.base64 is None or "bytes" not in forms:
        return media
    return msgspec.structs.replace(found, mime_type=media.mime_type or found.mime_type, transcript=media.transcript)


def read_path(media: Media) -> Path:
    """Where a medium is that has neither bytes nor a URL. Raises `ValidationError` where it has no path either."""
    if media.path is None:
        raise ValidationError("media: there is nothing in it", hint="pass path=…, data=…, url=… or file_id=…")
    return Path(media.path)


async def _read_file(media: Media) -> Media:
    from asyncio import to_thread

    path = read_path(media)
    data = await to_thread(_read_path, path)
    mime_type = find_mime_type(media, data[:_HEAD])
    return msgspec.structs.replace(
        media, mime_type=mime_type, data=data, path=None, filename=media.filename or path.name
    )


def check_file(path: Path) -> tuple[int, bytes]:
    """The size of a file that can be read, and its first bytes. Raises `ValidationError`."""
    try:
        found = path.stat()
        if not S_ISREG(found.st_mode):
            raise OSError("it is not a file")
        with path.open("rb") as file:
            return found.st_size, file.read(_HEAD)
    except (OSError, ValueError) as error:
        raise ValidationError(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}") from error


def check_owners(messages: Sequence[Message], connection: Connection) -> None:
    """Raises `UnsupportedParam` where a file of another provider or account stands in the messages, and
    `ValidationError` for what can be no media.
    """
    found = find_media(messages)
    check_media(found)
    for media in found:
        if media.owner:
            connection.check_owner(media.owner)


def _read_path(path: Path) -> bytes:
    try:
        found = path.stat()
        if not S_ISREG(found.st_mode):
            raise OSError("it is not a file")
        if found.st_size > MAX_MEDIA_BYTES:
            raise OSError(f"it has {found.st_size} bytes, and at most {MAX_MEDIA_BYTES} can be sent")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise ValidationError(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}") from error


async def _fetch(media: Media, transport: HTTPTransport, limits: Timeout) -> Media:
    from betterai.transport.http import Endpoint

    shown = show_url(media.url or "")
    request = WireRequest(url=media.url or "", method="GET", reply="bytes", trust="foreign", safe_to_repeat=True)
    reply = await transport.send(request, Endpoint(), limits)
    if reply.status != 200:
        raise ValidationError(f"{shown} answered HTTP {reply.status}", hint="check the URL, or pass the bytes")
    said = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media.kind != "document" and said.startswith("text/"):
        raise ValidationError(f"{shown} answered {said}, which is no {media.kind}", hint="pass the media itself")
    mime_type = find_mime_type(media, reply.content[:_HEAD], said)
    return msgspec.structs.replace(media, mime_type=mime_type, data=reply.content, url=None)


def show_url(url: str) -> str:
    """A URL for messages: without what may be a secret, and never the whole of a long one. Raises `ValidationError`."""
    try:
        parts = urlsplit(url)
        host, right = parts.hostname, parts.scheme in ("https", "http")
    except ValueError:
        host, right = None, False
    if not host or not right:
        cut = url.rpartition("@")[2].partition("?")[0][:100]
        raise ValidationError(f"{cut!r} is not an http or https URL", hint="pass a file as path=")
    return f"{parts.scheme}://{host}{parts.path}"[:200]
