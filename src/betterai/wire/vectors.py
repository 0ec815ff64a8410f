"""Vectors as vendors write them: lists of numbers, or base64 of little-endian ones."""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from betterai.core.exceptions import ProviderError

Vector: TypeAlias = tuple[float, ...]
CODES: Mapping[str, tuple[str, int]] = {
    "float": ("f", 4), "int8": ("b", 1), "uint8": ("B", 1), "binary": ("b", 1), "ubinary": ("B", 1),
}  # fmt: skip
"""How numbers of each encoding are packed (`struct`'s letters), and in how many bytes."""
TASKS: Sequence[str] = ("query", "document", "similarity", "classification", "clustering")
"""The uses that every vendor has a word for, where it asks for them."""


def read_vector(value: Sequence[float] | str, encoding: str = "float") -> Vector:
    """One vector. Raises `ProviderError` for base64 that is none."""
    if not isinstance(value, str):
        return tuple(value)
    code, size = CODES[encoding]
    try:
        packed = b64decode(value, validate=True)
        return struct.unpack(f"<{len(packed) // size}{code}", packed)
    except (ValueError, struct.error) as error:
        raise ProviderError(f"a vector is not base64 of {encoding}: {error}", code="unreadable_reply") from error
