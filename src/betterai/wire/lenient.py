"""Reading replies into shapes: "1" is taken for 1, and a null that a shape does not know for a field that is absent."""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

_NULL = re.compile(r"got `null` - at `\$(.+)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|(\[\.\.\.\])")
_MOST = 100
"""So many nulls are left out of one reply."""


class Reader(Generic[T]):
    """Reads JSON into a shape. Raises what `msgspec` raises for bytes that do not fit it."""

    __slots__ = ("_decode",)

    def __init__(self, shape: type[T]) -> None:
        self._decode = msgspec.json.Decoder(shape, strict=False).decode

    def decode(self, data: bytes | bytearray | str | msgspec.Raw) -> T:
        try:
            return self._decode(data)
        except msgspec.ValidationError as error:
            if "got `null` - at" not in str(error):
                raise
            return self._decode_without_nulls(msgspec.json.decode(data), error)

    def _decode_without_nulls(self, value: Any, error: msgspec.ValidationError) -> T:
        for _ in range(_MOST):
            found = _NULL.search(str(error))
            if found is None or not _leave_out(value, found[1]):
                break
            try:
                return self._decode(msgspec.json.encode(value))
            except msgspec.ValidationError as another:
                error = another
        raise error


def _leave_out(value: Any, path: str) -> bool:
    """Whether what is at the path could be taken out of the value: a field, or an element of a list. Among names that a
    shape does not know, which `msgspec` shows as "[...]", it is each null.
    """
    *steps, last = [any_name or (int(index) if index else name) for name, index, any_name in _STEP.findall(path)]
    try:
        for step in steps:
            value = value[step]
        if last != "[...]":
            del value[last]
            return True
        nulls = [name for name, item in value.items() if item is None]
        for name in nulls:
            del value[name]
        return bool(nulls)
    except (LookupError, TypeError, AttributeError):
        return False
