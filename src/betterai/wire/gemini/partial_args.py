"""Arguments of a function call that come piece by piece, each with its place (`partialArgs`), as one JSON object."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Raw

from betterai.wire.gemini.shapes import is_given

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\[\"((?:[^\"\\]|\\.)*)\"\]")
_MAX_INDEX = 10_000
"""A list longer than this is not built for a single index."""


class PartialCall:
    """A function call whose arguments are still coming. `fields` are those of the part it began with."""

    __slots__ = ("_arguments", "_fields", "_head", "_pieces")

    def __init__(self, fields: Mapping[str, Raw], call: Mapping[str, Raw]) -> None:
        self._fields = dict(fields)
        self._head = {name: call[name] for name in ("id", "name") if name in call}
        self._pieces: list[Raw] = []
        self._arguments: Raw | None = None

    def add(self, call: Mapping[str, Raw]) -> None:
        if is_given(call.get("partialArgs")):
            self._pieces.append(call["partialArgs"])
        if is_given(call.get("args")):
            self._arguments = call["args"]

    def close(self) -> Raw:
        """The part as it would have come whole."""
        arguments = self._arguments or Raw(join_partial_args(self._pieces).encode())
        call = Raw(msgspec.json.encode({**self._head, "args": arguments}))
        return Raw(msgspec.json.encode({**self._fields, "functionCall": call}))


def join_partial_args(pieces: Iterable[Raw]) -> str:
    """The object that the pieces make, as JSON text. Texts with the same place are joined (RFC 9535 for places)."""
    root: dict[str, Any] = {}
    for piece in pieces:
        for item in msgspec.json.decode(piece, type=list[dict[str, Any]]):
            steps = _read_path(str(item.get("jsonPath") or ""))
            if steps and isinstance(steps[0], str):
                _put(root, steps, item)
    return msgspec.json.encode(root).decode()


def _read_path(path: str) -> list[str | int]:
    steps: list[str | int] = []
    for name, index, single, double in _STEP.findall(path.removeprefix("$")):
        steps.append(int(index) if index else name or single or double)
    return steps


def _put(root: dict[str, Any], steps: list[str | int], item: dict[str, Any]) -> None:
    at: Any = root
    for step, following in pairwise(steps):
        inner = _get(at, step)
        if not isinstance(inner, list if isinstance(following, int) else dict):
            inner = [] if isinstance(following, int) else {}
            _set(at, step, inner)
        at = inner
    last = steps[-1]
    value = next((item[name] for name in ("stringValue", "numberValue", "boolValue") if name in item), None)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    known = _get(at, last)
    _set(at, last, known + value if isinstance(known, str) and isinstance(value, str) else value)


def _get(at: Any, step: str | int) -> Any:
    if isinstance(at, dict):
        return at.get(str(step))
    return at[step] if isinstance(step, int) and step < len(at) else None


def _set(at: Any, step: str | int, value: Any) -> None:
    if isinstance(at, dict):
        at[str(step)] = value
    elif isinstance(step, int) and step < _MAX_INDEX:
        at.extend([None] * (step + 1 - len(at)))
        at[step] = value
