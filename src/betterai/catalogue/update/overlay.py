"""`catalogue/overlay.toml`: what the sources lack or have wrong, by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from betterai.catalogue.update.vendors import matches
from betterai.core.data import Data
from betterai.core.model import ModelCapabilities, ModelConfig


class Correction(Data, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields laid over the models of some vendors (all, where none is named) whose ids match a pattern. With `add`, the
    patterns are ids, and models that are not there are added; with `drop`, they are left out.
    """

    ids: tuple[str, ...]
    source: str
    as_of: str
    vendors: tuple[str, ...] = ()
    fields: Mapping[str, Any] = {}
    capabilities: Mapping[str, Any] = {}
    price: Mapping[str, Any] | None = None
    add: bool = False
    drop: bool = False


class Overlay(Data, frozen=True, kw_only=True, forbid_unknown_fields=True):
    correction: tuple[Correction, ...] = ()

    def apply(self, vendor: str, models: Mapping[str, ModelConfig]) -> dict[str, ModelConfig]:
        result = dict(models)
        for item in self.correction:
            if item.vendors and vendor not in item.vendors:
                continue
            if item.add:
                for id in item.ids:
                    result.setdefault(id, ModelConfig(id=id, provider=vendor))
            for id in [id for id in result if matches(id, item.ids)]:
                if item.drop:
                    del result[id]
                else:
                    result[id] = correct(result[id], item)
        return result


def correct(model: ModelConfig, item: Correction) -> ModelConfig:
    """A price is laid over whole, with the correction's source and day; claims one by one."""
    row: dict[str, Any] = {**msgspec.to_builtins(model), **item.fields}
    row["capabilities"] = {**row["capabilities"], **item.capabilities}
    if item.price is not None:
        row["price"] = {**item.price, "source": item.source, "as_of": item.as_of}
    unknown = {*item.capabilities} - {*ModelCapabilities.__struct_fields__}
    if unknown:
        raise msgspec.ValidationError(f"the overlay names no claims of ours: {', '.join(sorted(unknown))}")
    return msgspec.convert(row, ModelConfig)


def read_overlay() -> Overlay:
    text = Path(__file__).parents[1].joinpath("overlay.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Overlay)
