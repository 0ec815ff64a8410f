"""The base of every value in `core`, and the one strict JSON parser."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct


class Data(Struct, frozen=True, kw_only=True, gc=False):
    """A value: immutable, compared by content. Subclasses say `frozen=True, kw_only=True` again: msgspec does not
    inherit `kw_only`, and type checkers want both. They are made whole and never change, so they cannot be part of a
    cycle, and the garbage collector need not look at them.
    """


def parse_strict_json(text: str | bytes) -> Any:
    """Decode JSON as RFC 8259 has it: no duplicate keys, no NaN or Infinity. Raises `ValueError`."""
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} occurs twice in one JSON object")
    return result


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
