"""The models of one vendor as its folder's `models.json` holds them: read at first use, each decoded when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Raw

from betterai.core.model import ModelConfig


class ModelTable(Mapping[str, ModelConfig]):
    """A mapping from model id to `ModelConfig` over a generated file. Without a file it is empty."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, Raw] | None = None
        self._models: dict[str, ModelConfig] = {}

    @classmethod
    def beside(cls, file: str) -> ModelTable:
        """The table in the folder of a module: `ModelTable.beside(__file__)`."""
        return cls(Path(file).with_name("models.json"))

    def _read(self) -> dict[str, Raw]:
        if self._rows is None:
            content = self._path.read_bytes() if self._path.exists() else b"{}"
            self._rows = msgspec.json.decode(content, type=dict[str, Raw])
        return self._rows

    def __getitem__(self, id: str) -> ModelConfig:
        found = self._models.get(id)
        if found is None:
            found = self._models[id] = msgspec.json.decode(self._read()[id], type=ModelConfig)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())
