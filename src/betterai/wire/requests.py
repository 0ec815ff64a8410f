"""What the server halves of all protocols read alike: the model, the messages, whether to stream, and the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from betterai.core.exceptions import BadRequestError
from betterai.core.response import CallWarning
from betterai.core.settings import GenerationSettings
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.objects import Fields
from betterai.wire.residue import refuse


def take_model(fields: Fields, in_url: str = "") -> str:
    """The model that the body names, else the URL. Raises `BadRequestError` where neither does."""
    model = fields.pop("model", None) or in_url
    if not isinstance(model, str) or not model:
        raise refuse("model", "is missing", "missing_required_parameter")
    return model


def take_messages(fields: Fields) -> list[Any]:
    messages = fields.pop("messages", None)
    if not isinstance(messages, list):
        raise refuse("messages", "must be a list", "missing_required_parameter")
    return messages


def take_stream(fields: Fields, warnings: list[CallWarning]) -> bool | None:
    """Whether a stream is asked for; None where nothing is said, as null says nothing."""
    stream = fields.pop("stream", UNSET)
    if isinstance(stream, bool):
        return stream
    if stream is None:
        warnings.append(CallWarning(code="translated", field="stream", message="null was read as not set"))
    elif stream is not UNSET:
        raise refuse("stream", "must be true or false")
    return None


def make_settings(given: Mapping[str, Any]) -> GenerationSettings:
    """Settings of what was read. Raises `BadRequestError` for values that they cannot have."""
    try:
        return GenerationSettings(**given)
    except ValueError as error:
        raise BadRequestError(str(error), code="invalid_type", status=400) from error


def check_schema(schema: Any, where: str) -> None:
    """Raises `BadRequestError` for what is no JSON Schema of an object."""
    if schema is not None and not isinstance(schema, Mapping):
        raise refuse(where, "must be an object")


def add_spelling(settings: GenerationSettings, *names: str) -> GenerationSettings:
    """The settings with more of how the request was written."""
    return settings.replace(spelling=frozenset(names) | (settings.spelling or frozenset()))


def rename_model(body: bytes, model: str | None) -> bytes:
    """The same object for another model, or for none; every other field stays as it was written."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, Raw])
    except UNREADABLE as error:
        raise refuse("the body", f"is not a JSON object: {error}", "invalid_json") from error
    if model is not None:
        fields["model"] = Raw(msgspec.json.encode(model))
    elif fields.pop("model", None) is None:
        return body
    return msgspec.json.encode(fields)
