"""What a caller gives as media: whether it can be some at all. Nothing is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from betterai.core.exceptions import ValidationError
from betterai.core.media import Media

_KINDS: Mapping[str, tuple[type, ...]] = {
    "kind": (str,), "mime_type": (str,), "data": (bytes, bytearray), "base64": (str,), "path": (str, os.PathLike),
    "url": (str,), "file_id": (str,), "filename": (str,), "transcript": (str,), "owner": (str,),
}  # fmt: skip
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]+:")
_HEAD = 64
_NO_LETTER = re.compile(r"[^A-Za-z0-9+/=\s_-]")


def check_media(media: Iterable[Media]) -> None:
    """Raises `ValidationError` for what can be no media, such as a text in place of bytes, or a URL that is none."""
    for item in media:
        _check(item)


def _check(media: Any) -> None:
    if not isinstance(media, Media):
        hint = 'write betterai.Media(kind="image", path=…), or data=…, or url=…'
        raise ValidationError(f"media are Media, not {type(media).__name__}", hint=hint)
    for name, kinds in _KINDS.items():
        value = getattr(media, name)
        if value is not None and not isinstance(value, kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            hint = _HINTS.get(name, "")
            raise ValidationError(f"media: {name} must be {wanted}, not {type(value).__name__}", hint=hint)
    given = [name for name in ("data", "base64", "path", "url") if getattr(media, name) is not None]
    if len(given) > 1:
        raise ValidationError(f"media: {' and '.join(given)} are set, and one of them is enough")
    if media.url is not None and (not _SCHEME.match(media.url) or media.url.lower().startswith("file:")):
        shown = media.url.partition("?")[0]
        raise ValidationError(
            f"media: {shown!r:.80} is not an http or https URL", hint="it begins with https://; a file is path=…"
        )
    if media.path is not None and not os.fspath(media.path):
        raise ValidationError("media: cannot read '': the path is empty")
    if media.base64 is not None and _NO_LETTER.search(media.base64[:_HEAD]):
        hint = "pass it as url=…" if media.base64.startswith("data:") else "pass bytes as data=…, a file as path=…"
        raise ValidationError("media: base64 is no base64 text", hint=hint)


_HINTS = {"data": "a file is path=…, a base64 text is base64=…", "base64": "bytes are data=…"}
