"""Reading replies into shapes: "1" is taken for 1, 1 for "1", and a null that a shape does not know for no field."""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

_MISFIT = re.compile(r"^Expected `(?P<wanted>[^`]+)`, got `(?P<got>null|int|float)` - at `\$(?P<path>.+)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|(\[\.\.\.\])")
_MOST = 100
"""So many misfits are mended in one reply."""


class Reader(Generic[T]):
    """Reads JSON into a shape. Raises what `msgspec` raises for bytes that do not fit it."""

    __slots__ = ("_decode",)

    def __init__(self, shape: type[T]) -> None:
        self._decode = msgspec.json.Decoder(shape, strict=False).decode

    def decode(self, data: bytes | bytearray | str | msgspec.Raw) -> T:
        try:
            return self._decode(data)
        except msgspec.ValidationError as error:
            if _MISFIT.match(str(error)) is None:
                raise
            return self._decode_mended(msgspec.json.decode(data), error)

    def _decode_mended(self, value: Any, error: msgspec.ValidationError) -> T:
        for _ in range(_MOST):
            found = _MISFIT.match(str(error))
            if found is None or not _mend(value, **found.groupdict()):
                break
            try:
                return self._decode(msgspec.json.encode(value))
            except msgspec.ValidationError as another:
                error = another
        raise error


def _mend(value: Any, wanted: str, got: str, path: str) -> bool:
    """Whether what is at the path, a field or an element of a list, could be made to fit: a null is taken out, a number
    written as the text that it should be. Among names that a shape does not know, which `msgspec` shows as "[...]",
    it is each null.
    """
    *steps, last = [any_name or (int(index) if index else name) for name, index, any_name in _STEP.findall(path)]
    try:
        for step in steps:
            value = value[step]
        if got != "null":
            value[last] = str(value[last])
            return "str" in wanted.split(" | ")
        if last != "[...]":
            del value[last]
            return True
        nulls = [name for name, item in value.items() if item is None]
        for name in nulls:
            del value[name]
        return bool(nulls)
    except (LookupError, TypeError, AttributeError):
        return False
