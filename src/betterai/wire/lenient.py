"""Reading replies into shapes: "1" is taken for 1, and a null that a shape does not know for a field that is absent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

_NULL = re.compile(r"got `null` - at `\$(.+)`$")
_STEP = re.compile(r"\.[^.\[\]]+|\[\d+\]|\[\.\.\.\]")
_MOST = 32
"""In so many places of a shape nulls are left out of one reply: the same place of all elements of a list is one."""


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
            if found is None or not _leave_out(value, _STEP.findall(found[1])):
                break
            try:
                return self._decode(msgspec.json.encode(value))
            except msgspec.ValidationError as another:
                error = another
        raise error


def _leave_out(value: Any, path: Sequence[str]) -> int:
    """How many nulls were taken out of a value: fields, or elements of a list. What is said of one element holds for
    all of the list, and so for all values by names that a shape does not know, which `msgspec` shows as "[...]".
    """
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        if rest:
            return sum(_leave_out(item, rest) for item in value)
        kept = [item for item in value if item is not None]
        count, value[:] = len(value) - len(kept), kept
        return count
    if not isinstance(value, dict):
        return 0
    names = list(value) if step == "[...]" else [step[1:]] if step[1:] in value else []
    if rest:
        return sum(_leave_out(value[name], rest) for name in names)
    nulls = [name for name in names if value[name] is None]
    for name in nulls:
        del value[name]
    return len(nulls)
