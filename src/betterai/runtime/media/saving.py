"""Media into files: bytes are written, files copied, URLs fetched through the guarded transport, never held whole."""

from __future__ import annotations

import mimetypes
import os
import shutil
from asyncio import to_thread
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING

from betterai.core.config import Timeout
from betterai.core.exceptions import ValidationError
from betterai.core.media import Media, parse_data_url
from betterai.core.wire import WireRequest
from betterai.runtime.media.loading import find_mime_type, show_url

if TYPE_CHECKING:
    from betterai.transport.http import HTTPTransport

_SUFFIXES = {
    "image/jpeg": ".jpg", "audio/mpeg": ".mp3", "audio/wav": ".wav", "image/webp": ".webp", "audio/mp4": ".m4a",
    "audio/ogg": ".ogg", "audio/opus": ".opus", "audio/flac": ".flac", "video/mp4": ".mp4", "video/webm": ".webm",
}  # fmt: skip


async def save_to(media: Media, target: Path, transport: HTTPTransport, limits: Timeout) -> Path:
    """Write media to `target`, or into it under a new name where it is a folder. The file is whole or not there.

    Raises `ValidationError`, and `ProviderError` where a URL cannot be fetched.
    """
    if not isinstance(media, Media):
        raise ValidationError(
            f"Media is saved, not {type(media).__name__}", hint="pass response.images[0], speech.audio …"
        )
    if media.url is not None and media.url.startswith("data:"):
        media = parse_data_url(media.kind, media.url, media.filename)
    if media.form == "file_id":
        raise ValidationError("media: a file that is kept at a provider is not here", hint="betterai.files")
    if media.form != "url":
        return await to_thread(_write, media, target)
    fetched = await _download(media, transport, limits)
    try:
        return await to_thread(_write, fetched, target)
    finally:
        await to_thread(os.unlink, fetched.path or "")


async def _download(media: Media, transport: HTTPTransport, limits: Timeout) -> Media:
    """The media in a temporary file."""
    from betterai.transport.http import Endpoint

    url = media.url or ""
    shown = show_url(url)
    request = WireRequest(url=url, method="GET", reply="file", trust="foreign", safe_to_repeat=True)
    reply = await transport.send(request, Endpoint(), limits)
    if reply.status != 200 or not isinstance(reply.body, Path):
        hint = "links to media often end after some minutes: save them at once"
        raise ValidationError(f"{shown} answered HTTP {reply.status}", hint=hint)
    said = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Media(kind=media.kind, mime_type=media.mime_type or said, path=str(reply.body), filename=media.filename)


def _write(media: Media, target: Path) -> Path:
    target = target.expanduser()
    try:
        with NamedTemporaryFile(dir=target if target.is_dir() else target.parent, prefix=".", delete=False) as file:
            try:
                head = _copy(media, file)
                place = _choose_name(media, target, head) if target.is_dir() else target
                os.chmod(file.name, 0o666 & ~_read_mask())
                os.replace(file.name, place)
            except BaseException:
                os.unlink(file.name)
                raise
    except (OSError, ValueError) as error:
        raise ValidationError(f"cannot save {str(target)!r}: {getattr(error, 'strerror', None) or error}") from None
    return place


def move_to(content: bytes | Path, target: Path, name: str) -> Path:
    """Move what was downloaded to `target`, or into it under its own name where it is a folder. The file is whole or
    not there. Raises `ValidationError`.
    """
    place = _choose_free(target, name) if target.is_dir() else target
    try:
        if isinstance(content, bytes):
            place.write_bytes(content)
        else:
            os.chmod(content, 0o666 & ~_read_mask())
            shutil.move(content, place)
    except OSError as error:
        if isinstance(content, Path):
            content.unlink(missing_ok=True)
        raise ValidationError(f"cannot save {str(target)!r}: {error.strerror or error}") from None
    return place


def _choose_free(folder: Path, name: str) -> Path:
    """A name that is not taken yet: `report.pdf`, `report-1.pdf` …; what the provider calls it leads nowhere else."""
    bare = Path(name.replace("\\", "/")).name.lstrip(".") or "file"
    place, number = folder / bare, 0
    while place.exists():
        number += 1
        place = folder / f"{Path(bare).stem}-{number}{Path(bare).suffix}"
    return place


def _copy(media: Media, file: IO[bytes]) -> bytes:
    """Copy the content into an open file; its first bytes."""
    if media.path is None:
        content = media.to_bytes()
        file.write(content)
        return content[:64]
    with open(Path(media.path).expanduser(), "rb") as source:
        shutil.copyfileobj(source, file)
        source.seek(0)
        return source.read(64)


def _choose_name(media: Media, folder: Path, head: bytes) -> Path:
    """A name of its own that is not taken yet: `image-1.png`, `image-2.png` …"""
    mime_type = find_mime_type(media, head)
    suffix = _SUFFIXES.get(mime_type) or mimetypes.guess_extension(mime_type) or ".bin"
    number = 1
    while (place := folder / f"{media.kind}-{number}{suffix}").exists():
        number += 1
    return place


def _read_mask() -> int:
    """The mask for the rights of new files, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
