"""Values of the types that official SDKs publish: what a protocol may say, by those who made it."""

from __future__ import annotations

import types
import typing
from enum import Enum
from random import Random
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

DEPTH = 8


class Values:
    """Values of one seed. `chance` is how often an optional field is there, `nulls` how often it is null then.
    `texts` are all texts that were made up, each one only once, with their places.
    """

    def __init__(self, seed: int, chance: float, nulls: float = 0.0) -> None:
        self._random = Random(seed)
        self._chance = chance
        self._nulls = nulls
        self.texts: dict[str, str] = {}

    def make(self, kind: Any, place: str = "", depth: int = 0) -> Any:
        origin = get_origin(kind)
        if origin in (Union, types.UnionType):
            return self._make_one_of(get_args(kind), place, depth)
        if origin is Literal:
            return self._random.choice(get_args(kind))
        if origin is typing.Annotated:
            return self.make(get_args(kind)[0], place, depth)
        if origin in (list, tuple):
            count = 0 if depth >= DEPTH else self._random.randint(1, 2)
            return [self.make(get_args(kind)[0], f"{place}/*", depth + 1) for _ in range(count)]
        if origin is dict:
            return {self._text(f"{place}/*"): self.make(get_args(kind)[1], f"{place}/*", depth + 1)}
        if kind in (Any, object):
            return {self._text(f"{place}/*"): self._text(f"{place}/*")}
        return self._make_plain(kind, place, depth) if isinstance(kind, type) else self._text(place)

    def _make_one_of(self, kinds: tuple[Any, ...], place: str, depth: int) -> Any:
        if type(None) in kinds and self._random.random() < self._nulls:
            return None
        return self.make(self._random.choice([kind for kind in kinds if kind is not type(None)]), place, depth)

    def _make_plain(self, kind: type, place: str, depth: int) -> Any:
        if issubclass(kind, BaseModel):
            return {
                field.alias or name: self.make(field.annotation, f"{place}/{field.alias or name}", depth + 1)
                for name, field in kind.model_fields.items()
                if field.is_required() or (depth < DEPTH and self._random.random() < self._chance)
            }
        if issubclass(kind, Enum):
            return self._random.choice([item.value for item in kind] or [""])
        if issubclass(kind, bool):
            return self._random.random() < 0.5
        if issubclass(kind, int):
            return self._random.randrange(50)
        if issubclass(kind, float):
            return self._random.randrange(500) / 100
        return "QUJD" if issubclass(kind, bytes) else self._text(place)

    def _text(self, place: str) -> str:
        text = f"text{len(self.texts)}"
        self.texts[f"{text}."] = place
        return f"{text}."


def kinds_of(kind: Any) -> list[Any]:
    """The members of a union."""
    if get_origin(kind) is typing.Annotated:
        return kinds_of(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return [member for item in get_args(kind) for member in kinds_of(item)]
    return [kind]
