"""Events of streams that are no conversation: pictures, texts and sound as they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from betterai.wire.error_bodies import UNREADABLE, read_error_value
from betterai.wire.errors import make_error, make_unreadable_event


class EventShape(Struct):
    """What every such event may say; those of a protocol say more."""

    type: str = ""
    error: Any = None


E = TypeVar("E", bound=EventShape)


def read_event(data: bytes, decode: Callable[[bytes], E]) -> E:
    """An event. Raises `ProviderError` for what cannot be read, and for an error that it states."""
    try:
        shape = decode(data)
    except UNREADABLE as error:
        raise make_unreadable_event(data, error) from error
    if shape.error is not None or shape.type == "error":
        found = read_error_value(msgspec.json.decode(data))
        raise make_error(found.likely_status, {}, code=found.code, message=found.message, body=data)
    return shape
