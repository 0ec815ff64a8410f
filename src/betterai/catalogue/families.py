"""Traits of model families, read from `families.toml` at first use."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from zlib import crc32

import msgspec

from betterai.core.data import Data
from betterai.core.model import ModelConfig, ModelTraits

TOML = Path(__file__).with_name("families.toml")
COMPILED = TOML.with_suffix(".json")


class Family(Data, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry: model ids that match `pattern` behave as `traits` say."""

    pattern: str
    traits: ModelTraits
    source: str
    as_of: str
    providers: tuple[str, ...] = ()

    def holds_for(self, provider: str, name: str) -> bool:
        """Whether it speaks of the model. The pattern's beginning is compared first: most fail there, at no cost."""
        if self.providers and provider not in self.providers:
            return False
        return name.startswith(_beginning(self.pattern)) and fnmatchcase(name, self.pattern)


class Compiled(Data, frozen=True, kw_only=True):
    """`families.json`: the families as JSON, which loads faster. `checksum` is of the text they are from."""

    checksum: int
    families: tuple[Family, ...]


@cache
def _beginning(pattern: str) -> str:
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0]


@cache
def load_families() -> tuple[Family, ...]:
    """All families in their order. `families.json` is taken where it is made from `families.toml` as it is now."""
    content = TOML.read_bytes()
    if COMPILED.is_file():
        made = msgspec.json.decode(COMPILED.read_bytes(), type=Compiled)
        if made.checksum == crc32(content):
            return made.families
    return parse_families(content)


def parse_families(content: bytes) -> tuple[Family, ...]:
    import tomllib

    return msgspec.convert(tomllib.loads(content.decode())["family"], tuple[Family, ...])


def compile_families(content: bytes) -> bytes:
    """The text of `families.json` for a `families.toml`, one family a line."""
    rows = (msgspec.json.encode(family) for family in parse_families(content))
    return b'{"checksum":%d,"families":[\n%s\n]}\n' % (crc32(content), b",\n".join(rows))


def find_traits(provider: str, model_id: str) -> ModelTraits:
    """The traits of the first family that matches; neutral ones where none does."""
    name = model_id.rpartition("/")[2].lower()
    for family in load_families():
        if family.holds_for(provider, name):
            return family.traits
    return _PLAIN


_PLAIN = ModelTraits()


def with_traits(model: ModelConfig) -> ModelConfig:
    """The model with its family's traits laid under it."""
    family, own = find_traits(model.provider, model.id), model.traits
    if own == _PLAIN:
        traits = family
    else:
        stated = {
            name: value for name in own.__struct_fields__ if (value := getattr(own, name)) != getattr(_PLAIN, name)
        }
        traits = msgspec.structs.replace(family, **stated)
    return model if traits == own else msgspec.structs.replace(model, traits=traits)
