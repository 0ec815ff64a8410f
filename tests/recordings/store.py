"""Where the recorded exchanges are, and which of them this work speaks of."""

from __future__ import annotations

import json
import os
from base64 import b64decode
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any
from urllib.parse import urlsplit

import pytest

from recordings import readings
from recordings.reading import Reading

ROOT = Path(os.environ.get("BETTERAI_RECORDINGS") or Path(__file__).parents[3] / "shared" / "recordings")
READINGS: dict[str, Reading] = {
    module.name: import_module(f"recordings.readings.{module.name}").READING
    for module in iter_modules(readings.__path__)
}

needs_recordings = pytest.mark.skipif(not ROOT.is_dir(), reason="the recorded exchanges are not here")


@cache
def readings_by_file() -> dict[Path, Reading]:
    """The exchanges of all readings, and the errors over them."""
    return {file: reading for reading in READINGS.values() if ROOT.is_dir() for file in _files_of(reading)}


def exchange_files(*protocols: str) -> tuple[Path, ...]:
    """All of them, or those of some protocols."""
    chosen = [READINGS[name] for name in protocols or READINGS]
    return tuple(file for file, reading in readings_by_file().items() if reading in chosen)


def _files_of(reading: Reading) -> list[Path]:
    kinds = [*(form for kind in reading.kinds for form in (kind, f"{kind}-stream")), "error"]
    folders = [ROOT / name / kind for name in reading.providers for kind in kinds]
    return [file for folder in folders for file in sorted(folder.glob("*.json")) if _is_own(reading, load(file))]


def _is_own(reading: Reading, exchange: dict[str, Any]) -> bool:
    kind = str(exchange["base_kind"]) if exchange["kind"] == "error" else exchange["kind"]
    url = (exchange["request"] or {}).get("url") or ""
    return kind.removesuffix("-stream") in reading.kinds and reading.is_own(exchange, urlsplit(url).path)


@cache
def load(file: Path) -> dict[str, Any]:
    exchange: dict[str, Any] = json.loads(file.read_text())
    return exchange


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT)).removesuffix(".json")


def streamed(exchange: dict[str, Any]) -> bool:
    return exchange["kind"].endswith("-stream") and bool(exchange["response"].keys() & {"body_text", "body_base64"})


def body_of(exchange: dict[str, Any]) -> bytes:
    """The bytes of a streamed reply."""
    response = exchange["response"]
    return b64decode(response["body_base64"]) if "body_base64" in response else response["body_text"].encode()
