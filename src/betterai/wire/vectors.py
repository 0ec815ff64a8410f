"""Vectors as vendors write them: lists of numbers, or base64 of little-endian ones."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from betterai.core.exceptions import ProviderError

Vector: TypeAlias = tuple[float, ...]
CODES: Mapping[str, str] = {"float": "f", "int8": "b", "uint8": "B", "binary": "b", "ubinary": "B"}
"""How numbers of each encoding are packed (`array`'s letters): floats in 32 bits, all others in bytes."""
TASKS: Sequence[str] = ("query", "document", "similarity", "classification", "clustering")
"""The uses that every vendor has a word for, where it asks for them."""


def read_vector(value: Sequence[float] | str, encoding: str = "float") -> Vector:
    """One vector. Raises `ProviderError` for base64 that is none."""
    if not isinstance(value, str):
        return tuple(value)
    numbers = array(CODES[encoding])
    try:
        numbers.frombytes(b64decode(value, validate=True))
    except ValueError as error:
        raise ProviderError(f"a vector is not base64 of {encoding}: {error}", code="unreadable_reply") from error
    if sys.byteorder == "big":
        numbers.byteswap()
    return tuple(numbers)
