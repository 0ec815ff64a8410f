"""The call of a job as JSON, for the store: so that a submit that may be repeated can be, by another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.exceptions import ValidationError
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
from betterai.runtime.packing import pack, pack_settings, unpack, unpack_settings

SETTINGS: Mapping[Category, type[CallSettings]] = {
    "image": ImageSettings, "video": VideoSettings, "audio": TranscriptionSettings, "tts": SpeechSettings,
}  # fmt: skip
"""The categories whose calls may be jobs."""


def dump_call(call: Call[Any, Any]) -> bytes:
    """The input, the settings and the warnings of a call, without what may hold a secret."""
    try:
        settings = pack_settings(call.settings)
        return msgspec.json.encode(
            {"input": pack(call.input), "settings": settings, "now": call.now, "warnings": call.warnings}
        )
    except (TypeError, ValueError) as error:
        raise ValidationError(f"the call cannot be stored: {error}", hint="pass store=None") from error


def load_call(data: bytes, category: Category) -> tuple[Any, CallSettings, float, tuple[CallWarning, ...]]:
    """What `dump_call` wrote: the input, the settings, the time of the call, and its warnings."""
    fields = msgspec.json.decode(data)
    settings = SETTINGS[category](**unpack_settings(fields["settings"]))
    warnings = msgspec.convert(fields["warnings"], tuple[CallWarning, ...])
    return unpack(fields["input"]), settings, fields["now"], warnings
