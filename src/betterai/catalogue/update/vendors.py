"""How the sources name our vendors and their models: `vendors.toml`, typed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from betterai.core.data import Data


class Vendor(Data, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One vendor; what the fields mean is said in `vendors.toml`."""

    litellm: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    genai: tuple[str, ...] = ()
    models_dev: str = ""
    take: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()
    qualify: str = ""
    zero: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[float, float]] = {}

    def name_model(self, name: str) -> str:
        """The vendor's own id for a source's name; "" where it is to be left out."""
        for prefix in self.prefixes:
            name = name.removeprefix(prefix)
        if matches(name, self.skip):
            return ""
        return name if "/" in name else f"{self.qualify}{name}"


def matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def read_vendors() -> dict[str, Vendor]:
    text = Path(__file__).with_name("vendors.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Vendor])
