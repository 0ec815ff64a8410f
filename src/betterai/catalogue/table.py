"""The models of one vendor as its folder's `models.json` holds them: read at first use, each decoded when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from betterai.catalogue.families import with_traits
from betterai.core.data import Data
from betterai.core.exceptions import ModelNotFoundError
from betterai.core.model import ModelConfig

FILE = "models.json"


class TableFile(Data, frozen=True, kw_only=True):
    """What the file holds: which sources were read (name → version), other names of models, and the models by id."""

    sources: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}
    models: Mapping[str, Raw] = {}


class ModelTable(Mapping[str, ModelConfig]):
    """A mapping from model id to `ModelConfig` over a generated file; the models bear their families' traits.

    Without a file it is empty. `betterai models update` writes the file; `catalogue/overlay.toml` is for what its
    sources lack or have wrong.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TableFile | None = None
        self._models: dict[str, ModelConfig] = {}

    @classmethod
    def beside(cls, file: str) -> ModelTable:
        """The table in the folder of a module: `ModelTable.beside(__file__)`."""
        return cls(Path(file).with_name(FILE))

    def read(self) -> TableFile:
        """The file, with each model still as its bytes."""
        if self._file is None:
            try:
                content = self._path.read_bytes()
            except FileNotFoundError:
                content = b"{}"
            self._file = msgspec.json.decode(content, type=TableFile)
        return self._file

    def __getitem__(self, id: str) -> ModelConfig:
        """Raises `ModelNotFoundError`, a `KeyError`, with near names."""
        found = self._find(id)
        if found is None:
            raise self._missing(id)
        return found

    def _find(self, id: str) -> ModelConfig | None:
        found = self._models.get(id)
        if found is None and id in self:
            row = msgspec.json.decode(self.read().models[id], type=ModelConfig)
            found = self._models.setdefault(id, with_traits(row))
        return found

    if not TYPE_CHECKING:  # typed as every mapping's

        def get(self, id: str, default: Any = None) -> Any:
            """Without a search for near names."""
            found = self._find(id)
            return default if found is None else found

    def _missing(self, id: object) -> ModelNotFoundError:
        vendor = self._path.parent.name
        like = get_close_matches(str(id), self, n=3, cutoff=0.7)
        listed = f"`betterai models --provider {vendor}` lists those there are"
        hint = f"did you mean {', '.join(like)}?" if like else listed
        return ModelNotFoundError(f"there is no model {id!r:.80}", hint=hint, provider=vendor)

    def __contains__(self, id: object) -> bool:
        return id in self.read().models

    def __iter__(self) -> Iterator[str]:
        return iter(self.read().models)

    def __len__(self) -> int:
        return len(self.read().models)

    def __repr__(self) -> str:
        return f"<ModelTable {self._path.parent.name}: {len(self)} models>"


def read_tables(folder: Path, names: Iterable[str]) -> dict[str, ModelTable]:
    """The tables of those vendors, folders in `folder`, that have a file."""
    tables = {name: ModelTable(path) for name in names if (path := folder / name / FILE).exists()}
    for table in tables.values():
        table.read()
    return tables
