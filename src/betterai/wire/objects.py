"""JSON objects of requests, read field by field for server halves: strict in type, and each error names the place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.wire import WireRequest
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.residue import refuse

_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode
Fields = dict[str, Any]
"""An object that is being read: what is known is taken out, and what is left is residue."""


def read_body(request: WireRequest) -> Fields:
    """The body of a request as an object of its own. Raises `BadRequestError` where it is none."""
    if isinstance(request.body, Mapping):
        return dict(request.body)
    try:
        body = msgspec.json.decode(request.body if isinstance(request.body, bytes) else b"")
    except UNREADABLE as error:
        raise refuse("the body", f"is not JSON: {error}", "invalid_json") from error
    if not isinstance(body, dict):
        raise refuse("the body", "must be a JSON object", "invalid_json")
    return body


def read_object(value: Any, where: str) -> Fields:
    """A copy of an object, to take fields out of."""
    if not isinstance(value, Mapping):
        raise refuse(where, "must be an object")
    return dict(value)


def is_object(text: str) -> bool:
    """Whether a text is a JSON object."""
    try:
        _decode_fields(text)
    except UNREADABLE:
        return False
    return True


def take_text(fields: Fields, name: str) -> str:
    """Take a text out of the fields; anything else, null and "" too, stays there as it was written."""
    value = fields.get(name)
    return fields.pop(name) if isinstance(value, str) and value else ""


def need_text(fields: Fields, name: str, where: str) -> str:
    """Take a text that must be there out of the fields."""
    if not isinstance(value := fields.pop(name, None), str):
        raise refuse(f"{where}.{name}", "is missing" if value is None else "must be a text")
    return value
