"""Traits of model families, read from `families.toml` at first use."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import msgspec

from betterai.core.data import Data
from betterai.core.model import ModelTraits


class Family(Data, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry: model ids that match `pattern` behave as `traits` say."""

    pattern: str
    traits: ModelTraits
    source: str
    as_of: str
    providers: tuple[str, ...] = ()


@cache
def load_families() -> tuple[Family, ...]:
    text = (files(__package__) / "families.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["family"], tuple[Family, ...])


def find_traits(provider: str, model_id: str) -> ModelTraits:
    """The traits of the first family that matches; neutral ones where none does."""
    name = model_id.rpartition("/")[2].lower()
    for family in load_families():
        if (not family.providers or provider in family.providers) and fnmatchcase(name, family.pattern):
            return family.traits
    return ModelTraits()
