"""`-a PATH|URL`: files and addresses as parts of a message. Plain text is sent as text, all else as media."""

from __future__ import annotations

import mimetypes
import sys
from pathlib import Path
from typing import cast, get_args

from betterai.core.exceptions import ValidationError
from betterai.core.media import Media, MediaKind
from betterai.core.message import MediaPart, Text
from betterai.core.sniffing import sniff_mime_type

STDIN = "-"
LARGEST_TEXT = 10 * 1024 * 1024
_HEAD = 64
_KINDS: tuple[str, ...] = get_args(MediaKind)


def read_attachment(word: str) -> Text | MediaPart:
    """What a word of the command line stands for: a path, an http, https or data URL, `KIND:URL`, or "-" for stdin.
    Raises `ValidationError`; the bytes of media files are read with the call.
    """
    kind, colon, rest = word.partition(":")
    if colon and kind in _KINDS and _is_url(rest):
        return _refer(cast(MediaKind, kind), rest)
    if _is_url(word):
        return _refer(_guess_kind(word), word)
    if word == STDIN:
        return _read_bytes(sys.stdin.buffer.read() if sys.stdin is not None else b"", "stdin")
    return _read_path(Path(word).expanduser())


def _is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://", "data:"))


def _refer(kind: MediaKind, url: str) -> MediaPart:
    return MediaPart(media=Media(kind=kind, url=url))


def _guess_kind(url: str) -> MediaKind:
    path = url if url.lower().startswith("data:") else url.partition("?")[0].partition("#")[0]
    kind = _kind_of(mimetypes.guess_type(path)[0] or "")
    if kind is None:
        shown = url.partition("?")[0].rpartition("@")[2][:100]
        raise ValidationError(
            f"{shown} does not show what it is", hint="write image:URL, audio:URL, video:URL or document:URL"
        )
    return kind


def _kind_of(mime_type: str) -> MediaKind | None:
    kind = mime_type.partition("/")[0]
    if kind in ("image", "audio", "video"):
        return cast(MediaKind, kind)
    return "document" if kind == "application" else None


def _read_path(path: Path) -> Text | MediaPart:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if not head:
                raise ValidationError(f"{path} is empty")
            shown = sniff_mime_type(head)
            content = b"" if shown else head + file.read(LARGEST_TEXT)
    except OSError as error:
        raise ValidationError(f"cannot attach {str(path)!r}: {error.strerror or error}") from None
    if shown or (text := _as_text(content)) is None:
        return MediaPart(media=Media(kind=_choose_kind(shown, path.name), path=str(path)))
    if len(content) > LARGEST_TEXT:
        raise ValidationError(f"{path} is too long: text may have {LARGEST_TEXT // 1024 // 1024} MiB")
    return _name_text(text, path.name)


def _read_bytes(content: bytes, name: str) -> Text | MediaPart:
    if not content:
        raise ValidationError(f"{name} is empty")
    shown = sniff_mime_type(content[:_HEAD])
    if not shown and (text := _as_text(content)) is not None:
        return _name_text(text, name)
    return MediaPart(media=Media(kind=_choose_kind(shown, name), data=content))


def _choose_kind(mime_type: str, name: str) -> MediaKind:
    """The kind of a file's first bytes, else of its name; where these are of a film, its name may say that it is a
    sound. Raises `ValidationError` where neither shows it.
    """
    named = _kind_of(mimetypes.guess_type(name)[0] or "")
    kind = _kind_of(mime_type) or named
    if kind is None:
        raise ValidationError(
            f"{name} is neither UTF-8 text nor of a kind that its bytes or its name show",
            hint="save text as UTF-8, or give the file its usual ending",
        )
    return "audio" if kind == "video" and named == "audio" else kind


def _as_text(content: bytes) -> str | None:
    try:
        return None if b"\0" in content else content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _name_text(text: str, name: str) -> Text:
    return Text(text=f'<file name="{name}">\n{text.rstrip()}\n</file>')
