"""The call of a job as JSON, for the store: so that a submit that may be repeated can be, by another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.core.model import Category
from betterai.core.response import CallWarning
from betterai.core.settings import (
    CallSettings,
    ImageSettings,
    SpeechSettings,
    TranscriptionSettings,
    VideoSettings,
)
from betterai.core.wire import Call

SETTINGS: Mapping[Category, type[CallSettings]] = {
    "image": ImageSettings, "video": VideoSettings, "audio": TranscriptionSettings, "tts": SpeechSettings,
}  # fmt: skip
"""The categories whose calls may be jobs."""
_MEDIA = "$media"
_UNSAFE = frozenset({"extra_headers", "extra_query"})
"""Where callers put keys: never stored."""


def dump_call(call: Call[Any, Any]) -> bytes:
    """The input, the settings and the warnings of a call, without what may hold a secret."""
    settings = {name: value for name, value in call.settings.given().items() if name not in _UNSAFE}
    try:
        return msgspec.json.encode(
            {"input": _pack(call.input), "settings": _pack(settings), "now": call.now, "warnings": call.warnings}
        )
    except (TypeError, ValueError) as error:
        raise ValidationError(f"the call cannot be stored: {error}", hint="pass store=None") from error


def load_call(data: bytes, category: Category) -> tuple[Any, CallSettings, float, tuple[CallWarning, ...]]:
    """What `dump_call` wrote: the input, the settings, the time of the call, and its warnings."""
    fields = msgspec.json.decode(data)
    settings = SETTINGS[category](**_unpack(fields["settings"]))
    warnings = msgspec.convert(fields["warnings"], tuple[CallWarning, ...])
    return _unpack(fields["input"]), settings, fields["now"], warnings


def _pack(value: Any) -> Any:
    if isinstance(value, Media):
        return {_MEDIA: value}
    if isinstance(value, Mapping):
        return {name: _pack(item) for name, item in value.items()}
    return [_pack(item) for item in value] if isinstance(value, list | tuple) else value


def _unpack(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_MEDIA}:
            return msgspec.convert(value[_MEDIA], Media)
        return {name: _unpack(item) for name, item in value.items()}
    return [_unpack(item) for item in value] if isinstance(value, list) else value
