"""The whole of an update: read the sources, merge, check, write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from betterai.catalogue.families import COMPILED, TOML, compile_families
from betterai.catalogue.table import FILE, ModelTable
from betterai.catalogue.update import genai_prices, litellm, models_dev
from betterai.catalogue.update.check import check_losses, check_models
from betterai.catalogue.update.fetch import download_json, download_wheels, find_wheels, read_member
from betterai.catalogue.update.merge import Disagreement, merge_sources
from betterai.catalogue.update.overlay import Overlay, read_overlay
from betterai.catalogue.update.source import Models, Source
from betterai.catalogue.update.vendors import Vendor, read_vendors
from betterai.catalogue.update.write import render_table, write_all
from betterai.core.data import Data
from betterai.core.exceptions import ConfigurationError
from betterai.providers import FOLDER as FOLDER

MOST_LOST = 0.2
"""The share of a vendor's models that an update may lose unforced."""


class Outcome(Data, frozen=True, kw_only=True):
    """`texts` are the files as they should be. Nothing is written yet."""

    models: Models
    texts: Mapping[Path, bytes]
    disagreements: tuple[Disagreement, ...]
    remarks: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """For programs: how many models of whom, where sources disagree, and what was left out."""
        return {
            "models": {vendor: len(rows) for vendor, rows in self.models.items() if rows},
            "disagreements": self.disagreements,
            "remarks": self.remarks,
        }

    def report(self) -> str:
        """Where the sources disagree, and what of them was left out, as Markdown."""
        lines = [
            "# What the catalogue's sources disagree on",
            "",
            "Written by `betterai models update --report FILE`.",
            "",
        ]
        lines += ["| model | price | taken | other |", "|---|---|---|---|"]
        lines += [f"| {item.key} | {item.what} | {item.taken} | {item.other} |" for item in self.disagreements]
        lines += ["", "## Left out", "", *(f"- {remark}" for remark in self.remarks)]
        return "\n".join(lines) + "\n"


def read_wheels(vendors: Mapping[str, Vendor], today: str, folder: Path | None = None) -> list[Source]:
    """litellm, then genai-prices: from a folder of wheels, or the newest from the registry."""
    names = (litellm.NAME, genai_prices.NAME)
    with TemporaryDirectory(prefix="betterai-wheels-") as new:
        wheels = find_wheels(folder, *names) if folder else download_wheels(Path(new), *names)
        first = litellm.read_litellm(*read_member(wheels[litellm.NAME], litellm.MEMBER), vendors)
        content, version = read_member(wheels[genai_prices.NAME], genai_prices.MEMBER)
        return [first, genai_prices.read_genai_prices(content, version, vendors, today)]


def read_dev(vendors: Mapping[str, Vendor], today: str, file: Path | None = None) -> list[Source]:
    try:
        content = file.read_bytes() if file else download_json(models_dev.URL)
        return [models_dev.read_models_dev(content, today, vendors)]
    except OSError as error:
        raise ConfigurationError(f"cannot read {file}: {error.strerror or error}", hint="correct the path") from None
    except ValueError as error:
        raise ConfigurationError(f"{file or models_dev.URL} is not what models.dev gives: {error}") from error


def prepare(
    sources: Sequence[Source],
    folder: Path,
    today: str,
    *,
    overlay: Overlay | None = None,
    vendors: Mapping[str, Vendor] | None = None,
    force: bool = False,
) -> Outcome:
    """What an update of the vendors' folders in `folder` would write. Raises `ConfigurationError` that names each
    problem: models that cannot be right, and, unless forced, vendors that lose too many.
    """
    facts = {name: vendor for name, vendor in (vendors or read_vendors()).items() if (folder / name).is_dir()}
    before: Models = {name: dict(ModelTable(folder / name / FILE)) for name in facts}
    models, disagreements = merge_sources(sources, facts, overlay or read_overlay(), before, today)
    problems = list(check_models(models))
    if not force:
        problems += check_losses(before, models, MOST_LOST)
    if problems:
        shown = "; ".join(problems[:10]) + (f"; and {len(problems) - 10} more" if len(problems) > 10 else "")
        raise ConfigurationError(
            f"the update is refused: {shown}", hint="correct it in catalogue/overlay.toml; --force accepts losses"
        )
    versions = {source.name: source.version for source in sources}
    texts = {folder / name / FILE: render_table(versions if rows else {}, rows) for name, rows in models.items()}
    texts |= render_families()
    return Outcome(
        models=models,
        texts=texts,
        disagreements=tuple(disagreements),
        remarks=tuple(remark for source in sources for remark in source.remarks),
    )


def render_families() -> dict[Path, bytes]:
    return {COMPILED: compile_families(TOML.read_bytes())}


def write(texts: Mapping[Path, bytes]) -> list[Path]:
    """Raises `ConfigurationError`, with nothing changed, when a file cannot be written."""
    try:
        return write_all(texts)
    except OSError as error:
        raise ConfigurationError(
            f"the catalogue cannot be written: {error}",
            hint="update it where you may write, such as a checkout",
        ) from error
