"""Sound in requests, in the form that Chat and Responses share: base64 and the name of its format."""

from __future__ import annotations

from betterai.core.media import Media
from betterai.wire.objects import Fields, need_text
from betterai.wire.report import Report

_FORMATS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav"}
_MIME_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}


def build_sound(media: Media, report: Report) -> dict[str, str]:
    """The `input_audio` of a content part."""
    format = _FORMATS.get(media.mime_type) or media.mime_type.removeprefix("audio/")
    if not format:
        report.drop("media", "the format of the sound is not known", hint="set its mime_type")
    return {"data": media.to_base64(), "format": format}


def take_sound(fields: Fields, where: str) -> Media:
    """Take what `build_sound` writes out of the fields. Raises `BadRequestError` naming the place."""
    format, data = need_text(fields, "format", where), need_text(fields, "data", where)
    return Media(kind="audio", mime_type=_MIME_TYPES.get(format, f"audio/{format}"), base64=data)
