"""Values of the types that official SDKs have for what goes over the wire: whole, lean, and in between."""

from __future__ import annotations

import enum
import random
import types
import typing
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pydantic

DEEP = 7
PLAIN: dict[Any, tuple[Any, ...]] = {
    bool: (True, False), str: ("", "text", "YWJjZA=="), int: (0, 1, 1500), float: (0, 0.5, 2),
    bytes: ("YWJjZA==",), datetime: ("2026-01-01T00:00:00Z",), Any: (1, "x", {"a": 1}), object: (1, "x", {"a": 1}),
    dict: ({},), list: ([],),
}  # fmt: skip
NEVER = ("PIL", "Callable", "ClientSession")
"""What an SDK takes from its caller, and never sends."""


def members(union: Any) -> tuple[Any, ...]:
    """The types of a discriminated union."""
    while get_origin(union) is Annotated:
        union = get_args(union)[0]
    found: tuple[Any, ...] = get_args(union)
    return found


def samples(kind: Any, seeds: int = 6) -> Iterator[Any]:
    """The leanest value, whole ones, and some with this and that."""
    for seed in range(seeds):
        for fullness in (0.0, 0.5, 1.0):
            yield Maker(random.Random(seed), fullness).make(kind)


class Maker:
    """`fullness` is the share of what may be left out that is there."""

    def __init__(self, chance: random.Random, fullness: float) -> None:
        self._chance, self._fullness = chance, fullness

    def make(self, kind: Any, depth: int = 0) -> Any:
        origin = get_origin(kind)
        if origin is Annotated:
            return self.make(get_args(kind)[0], depth)
        if origin is Literal:
            return self._chance.choice(get_args(kind))
        if origin in (Union, types.UnionType):
            fitting = [one for one in get_args(kind) if one is not type(None) and not any(n in str(one) for n in NEVER)]
            return self.make(self._chance.choice(fitting), depth) if fitting else None
        if origin in (list, tuple):
            size = self._chance.choice([1, 2]) if self._fullness and depth < DEEP else 0
            return [self.make(get_args(kind)[0], depth + 1) for _ in range(size)]
        if origin is dict:
            return {"k": self.make(get_args(kind)[1], depth + 1)} if self._fullness and depth < DEEP else {}
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return self._chance.choice([item.value for item in kind])
        if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
            return self._make_model(kind, depth)
        if isinstance(kind, typing.TypeVar | typing.ForwardRef | str):
            return {}
        return self._chance.choice(PLAIN[kind])

    def _make_model(self, kind: type[pydantic.BaseModel], depth: int) -> dict[str, Any]:
        made = {}
        for name, field in kind.model_fields.items():
            if not field.is_required() and (depth >= DEEP or self._chance.random() >= self._fullness):
                continue
            if (value := self.make(field.annotation, depth + 1)) is not None:
                made[field.serialization_alias or field.alias or name] = value
        return made
